//! `trace label`: labels of trace codes, drawn from a folder's ledger or by a
//! server, into one file.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Value, json};
use trace_core::{
    error::{Invalid, Rule},
    ident::TraceCode,
    ledger::lookup::{Audience, Lookup},
    store::{
        disk::{Access, RealDisk},
        files,
    },
};

use super::{
    Failure, Manner,
    local::Reading,
    remote::Remote,
    source::{Asking, Source},
};
use crate::{
    label::{
        LabelError, LabelForm, Paper, Wanted,
        content::{Typed, of_ledger},
        draw,
        font::Font,
    },
    machine,
    settings::parse_public_url,
};

/// Bytes of a table of codes: ten thousand lines of 400.
const TABLE_BYTES_MAX: u64 = 4 << 20;

/// Columns that hold trace codes, as tables name them.
const COLUMNS: [&str; 3] = ["code", "trace_code", "追溯码"];

/// Everything `trace label` can be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trace label 7K3M-0Q2R-ZX9T-4B1C-8 --public-url https://trace.example --out label.pdf
  trace label --codes harvest.csv --size a4 --public-url https://trace.example --out sheet.pdf
  trace label 7K3M-0Q2R-ZX9T-4B1C-8 --form tspl --size 40x60 --server http://127.0.0.1:8080
  trace label --codes harvest.csv --server http://127.0.0.1:8080 --token-file producer.token

A label says what its page says: public fields alone. A natural person's name and a contact
are left to be written by hand, or printed from --promised-by and --contact, which nothing
stores. Up to 10,000 labels a PDF and 500 a TSPL file; several from a server need a token.")]
pub struct Label {
    /// Trace codes
    #[arg(value_name = "CODE", required_unless_present = "codes_file")]
    codes: Vec<TraceCode>,

    /// CSV with trace codes, in the column `code` or 追溯码, else in the first
    #[arg(long = "codes", value_name = "FILE")]
    codes_file: Option<PathBuf>,

    /// svg, pdf, png or tspl [default: as --out ends, else pdf]
    #[arg(long, value_name = "FORM", value_parser = parsed::<LabelForm>)]
    form: Option<LabelForm>,

    /// a4 (3 by 8), 40x60, 58 or 80
    #[arg(long, value_name = "SIZE", default_value = "40x60", value_parser = parsed::<Paper>)]
    size: Paper,

    /// With a second label for inspectors, 监管用, that carries the signed record
    /// and is checked without a network by `trace verify --qr`
    #[arg(long)]
    signed: bool,

    /// File to write [default: the code, or `labels`, with the form's ending]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// How readers reach the ledger's server: what QR codes hold
    #[arg(long, env = "TRACE_PUBLIC_URL", value_name = "URL", value_parser = parse_public_url)]
    public_url: Option<String>,

    /// Font file with Chinese characters [default: the first that is found]
    #[arg(long, env = "TRACE_LABEL_FONT", value_name = "FILE")]
    label_font: Option<PathBuf>,

    /// A natural person's name to print; stored nowhere
    #[arg(long, value_name = "NAME")]
    promised_by: Option<String>,

    /// A contact to print; stored nowhere
    #[arg(long, value_name = "TEXT")]
    contact: Option<String>,

    #[command(flatten)]
    asking: Asking,
}

fn parsed<T: std::str::FromStr<Err = LabelError>>(text: &str) -> Result<T, String> {
    text.parse::<T>().map_err(|error| error.to_string())
}

impl Label {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let wanted = self.wanted().map_err(|error| said(&error, manner))?;
        let mut codes = self.codes.clone();
        if let Some(path) = &self.codes_file {
            codes.extend(table(path)?);
        }
        let counted = wanted.check_count(codes.len());
        counted.map_err(|error| said(&error, manner))?;
        let out = self.out.clone().unwrap_or_else(|| {
            let name = match codes.as_slice() {
                [code] => code.compact(),
                _ => "labels".into(),
            };
            PathBuf::from(format!("{name}.{}", wanted.form.name()))
        });
        let bytes = match self.asking.open(manner)? {
            Source::Server(remote) => self.of_server(&remote, &codes, wanted)?,
            Source::Folder(reading) => self.of_folder(&reading, &codes, wanted, manner)?,
        };
        files::replace(&RealDisk, &out, &bytes, Access::Ordinary)?;
        let file = out.display().to_string();
        let value = json!({
            "file": file,
            "labels": codes.len(),
            "form": wanted.form.name(),
            "size": wanted.paper.name(),
            "bytes": bytes.len(),
        });
        manner.tell(&value, || {
            let (count, size) = (codes.len(), wanted.paper.name());
            manner.of(
                format!("{file}: {count} labels, {size}"),
                format!("{file}:{count} 张标签,规格 {size}"),
            )
        })
    }

    fn wanted(&self) -> Result<Wanted, LabelError> {
        let ending = self.out.as_deref().and_then(Path::extension);
        let by_name = ending.and_then(|it| it.to_str()?.to_ascii_lowercase().parse().ok());
        let form = self.form.or(by_name).unwrap_or(LabelForm::Pdf);
        Ok(Wanted::new(form, self.size)?.signed(self.signed))
    }

    fn of_folder(
        &self,
        reading: &Reading,
        codes: &[TraceCode],
        wanted: Wanted,
        manner: &Manner,
    ) -> Result<Vec<u8>, Failure> {
        let Some(public_url) = &self.public_url else {
            return Err(Failure::usage(
                manner,
                "--public-url is wanted: how readers reach the ledger's server stands in the QR code",
                "请用 --public-url 给出账本服务器的网址:二维码中要写入",
            ));
        };
        let typed = Typed::new(self.promised_by.clone(), self.contact.clone())?;
        let drawn = || {
            let font = Font::find(self.label_font.as_deref())?;
            let (view, now_ms) = (&reading.view, machine::now_ms());
            let mut lookup = Lookup::new(view, &reading.vault, Audience::Public, now_ms)?;
            let contents = codes
                .iter()
                .map(|code| of_ledger(view, &mut lookup, public_url, *code, &typed));
            draw(&font, wanted, contents)
        };
        drawn().map_err(|error| said(&error, manner))
    }

    fn of_server(
        &self,
        remote: &Remote,
        codes: &[TraceCode],
        wanted: Wanted,
    ) -> Result<Vec<u8>, Failure> {
        let (form, size) = (wanted.form.name(), wanted.paper.name());
        let is_plain = self.promised_by.is_none() && self.contact.is_none();
        if let ([code], true) = (codes, is_plain) {
            let path = format!(
                "/v1/codes/{}/label.{form}?size={size}&signed={}",
                code.compact(),
                wanted.is_signed
            );
            let unknown = || {
                let what = format!("{code} is not on this ledger");
                Failure::from(Invalid::new(Rule::UnitUnknown, what))
            };
            return remote.file(&path)?.ok_or_else(unknown);
        }
        let codes: Vec<String> = codes.iter().map(TraceCode::compact).collect();
        let mut order =
            json!({ "codes": codes, "form": form, "size": size, "signed": wanted.is_signed });
        if let Some(order) = order.as_object_mut() {
            for (name, typed) in [
                ("promised_by", &self.promised_by),
                ("contact", &self.contact),
            ] {
                if let Some(typed) = typed {
                    order.insert(name.into(), Value::from(typed.as_str()));
                }
            }
        }
        remote.post_for_file("/v1/labels", &order)
    }
}

/// As a command says it, with the exit code that stands for it.
fn said(error: &LabelError, manner: &Manner) -> Failure {
    let words = error.words(manner.language());
    match error {
        LabelError::Unknown { .. } => Invalid::new(Rule::UnitUnknown, error.to_string()).into(),
        LabelError::Typed(invalid) => invalid.clone().into(),
        LabelError::Count { .. } | LabelError::Unprintable { .. } | LabelError::Wanted { .. } => {
            Failure::Usage(words)
        }
        LabelError::Font { .. } | LabelError::Store(_) | LabelError::Written { .. } => {
            Failure::Machine(words)
        }
        LabelError::Letter { .. }
        | LabelError::Room { .. }
        | LabelError::SignedRoom { .. }
        | LabelError::NothingSigned { .. }
        | LabelError::Address { .. }
        | LabelError::NotStanding { .. } => Failure::Refused(words),
    }
}

/// The codes of a table, in its order.
fn table(path: &Path) -> Result<Vec<TraceCode>, Failure> {
    let cannot =
        |error: &dyn std::fmt::Display| Failure::Machine(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| cannot(&error))?;
    let mut bytes = Vec::new();
    let mut file = file.take(TABLE_BYTES_MAX + 1);
    file.read_to_end(&mut bytes)
        .map_err(|error| cannot(&error))?;
    if file.limit() == 0 {
        let what = format!("{}: more than {TABLE_BYTES_MAX} bytes", path.display());
        return Err(Invalid::new(Rule::TooLarge, what).into());
    }
    // Spreadsheets write a byte order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let mut column = 0;
    let mut codes = Vec::new();
    for (number, row) in (1u32..).zip(reader.records()) {
        let row = row.map_err(|error| Failure::Refused(format!("{}: {error}", path.display())))?;
        let named = row
            .iter()
            .position(|name| COLUMNS.contains(&name.to_lowercase().as_str()));
        if let (1, Some(named)) = (number, named) {
            column = named;
            continue;
        }
        let found = row.get(column).unwrap_or_default();
        let code = TraceCode::parse(found).map_err(|invalid| {
            let what = format!("row {number}: {}", invalid.what);
            Invalid::new(invalid.rule, what)
        })?;
        codes.push(code);
    }
    Ok(codes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<TraceCode>, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("codes.csv");
        std::fs::write(&path, text).unwrap();
        table(&path)
    }

    #[test]
    fn codes_stand_in_the_column_that_is_named_so_or_in_the_first() {
        let code = "000G-40R4-0M30-E209-P";
        let wanted = vec![TraceCode::parse(code).unwrap()];
        for text in [
            format!("{code}\n"),
            format!("\u{feff}产品,追溯码\r\n韭菜,{code}\r\n"),
            format!("Code,product\n{code},\"韭,菜\"\n"),
            format!("{code},x,y\n"),
        ] {
            assert_eq!(read(&text).unwrap(), wanted, "{text}");
        }
        assert_eq!(read("code\n").unwrap(), []);
        let refused = read(&format!("code\n{code}\nUUUU\n")).unwrap_err();
        let Failure::Rule(refused) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(refused.rule, Rule::TraceCode);
        assert!(refused.what.starts_with("row 3: "), "{}", refused.what);
    }
}
