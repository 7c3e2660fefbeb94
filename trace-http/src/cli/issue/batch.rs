//! Issuing a table: every row is checked first, then parts of it are admitted,
//! each whole or not at all.

use std::{collections::HashMap, io::Read, path::Path};

use serde_json::json;
use trace_core::{ledger::job::GROUP_RECORDS_MAX, rules::Facts};

use super::{
    Issue,
    columns::Column,
    draft::{Draft, Drafting},
    reader::Complaint,
    sheet::{self, Row, SHEET_BYTES_MAX},
};
use crate::cli::{
    Failure, Manner,
    local::Denied,
    manner::write_line,
    progress::{Interrupt, bar},
    voice::{Place, Session, Voice},
};

/// A row is two records, a unit and a certificate.
const ROWS_MAX: usize = GROUP_RECORDS_MAX / 2;
/// Most wrong rows told to people; JSON holds all.
const TOLD_MAX: usize = 50;

/// A row that is wrong.
struct Wrong {
    row: usize,
    complaints: Vec<Complaint>,
}

/// A row that stands in the log.
struct Issued {
    row: usize,
    code: String,
    number: String,
    index: u64,
}

pub(super) fn run(issue: &Issue, manner: &Manner) -> Result<(), Failure> {
    let path = issue.csv.as_deref().unwrap_or_else(|| Path::new("-"));
    let bytes = read(path)?;
    let rows = sheet::read(&bytes, issue.charset, manner.language())
        .map_err(|why| Failure::Refused(format!("{}: {why}", path.display())))?;
    // What is wrong by itself is told without opening the ledger.
    let (drafts, wrong) = draft_all(&rows, &mut issue.drafting(None, manner)?, None)?;
    let stops = |wrong: &[Wrong]| !wrong.is_empty() && !issue.valid_rows_only;
    if stops(&wrong) || issue.check || drafts.is_empty() {
        return told(issue, manner, &rows, &[], &wrong, None);
    }
    let mut session = issue.speaking.open(manner)?;
    let mut drafting = issue.drafting(Some(&session), manner)?;
    let outcome = draft_all(&rows, &mut drafting, Some(&session)).map(|(drafts, mut wrong)| {
        if stops(&wrong) || drafts.is_empty() {
            return (Vec::new(), wrong, None);
        }
        if drafts.len() > ROWS_MAX && !issue.valid_rows_only {
            let (count, parts) = (drafts.len(), drafts.len().div_ceil(ROWS_MAX));
            manner.remark(
                &format!(
                    "{count} rows go in {parts} parts of up to {ROWS_MAX}; each part is issued whole or not at all"
                ),
                &format!("共{count}行,分{parts}批提交,每批至多{ROWS_MAX}行,整批成功或整批不写"),
            );
        }
        let mut run = Run {
            session: &mut session,
            manner,
            issued: Vec::new(),
            stopped: None,
        };
        match issue.valid_rows_only {
            true => run.valid_only(drafts, &mut wrong),
            false => run.whole_parts(drafts),
        }
        (run.issued, wrong, run.stopped)
    });
    let closed = session.close();
    let (issued, wrong, stopped) = outcome?;
    told(issue, manner, &rows, &issued, &wrong, stopped)?;
    closed
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let machine = |error| Failure::Machine(format!("{}: {error}", path.display()));
    let source: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(std::fs::File::open(path).map_err(machine)?),
    };
    let mut bytes = Vec::new();
    let mut source = source.take(SHEET_BYTES_MAX + 1);
    source.read_to_end(&mut bytes).map_err(machine)?;
    match source.limit() {
        0 => Err(Failure::Refused(format!(
            "{}: more than {SHEET_BYTES_MAX} bytes; send it in parts",
            path.display()
        ))),
        _ => Ok(bytes),
    }
}

type Drafts = Vec<(usize, Draft)>;

/// Every row as a draft, or what is wrong with it; a number may stand once in
/// the table and not on the ledger already.
fn draft_all(
    rows: &[Row],
    drafting: &mut Drafting,
    session: Option<&Session>,
) -> Result<(Drafts, Vec<Wrong>), Failure> {
    let view = session.and_then(|session| match &session.place {
        Place::Local(local) => Some(local.ledger().view()),
        Place::Server(_) => None,
    });
    let language = drafting.language;
    let (mut drafts, mut wrong) = (Vec::new(), Vec::new());
    let mut numbers: HashMap<String, usize> = HashMap::new();
    for row in rows {
        let mut complaints = match drafting.draft(&row.fields) {
            Err(complaints) => complaints,
            Ok(draft) => {
                let mut complaints = Vec::new();
                let mut complain = |why: String| {
                    complaints.push(Complaint {
                        column: Some(Column::Number),
                        why,
                    });
                };
                if let Some(other) = numbers.insert(draft.number.clone(), row.number) {
                    complain(language.of(
                        format!("{} stands in row {other} already", draft.number),
                        format!("{} 与第{other}行重复", draft.number),
                    ));
                } else if let Some(view) = &view
                    && let Some(unit) = view.folded().certificate_unit(&draft.number)?
                {
                    complain(language.of(
                        format!("{} is on the ledger already, for {unit}", draft.number),
                        format!("{} 已在账本中,追溯码 {unit}", draft.number),
                    ));
                }
                if complaints.is_empty() {
                    drafts.push((row.number, draft));
                    continue;
                }
                complaints
            }
        };
        complaints.sort_by_key(|complaint| complaint.column);
        wrong.push(Wrong {
            row: row.number,
            complaints,
        });
    }
    Ok((drafts, wrong))
}

/// A table being issued.
struct Run<'a> {
    session: &'a mut Session,
    manner: &'a Manner,
    issued: Vec<Issued>,
    /// Why it ended early.
    stopped: Option<Failure>,
}

impl Run<'_> {
    /// Parts of as many rows as a group takes, until one is refused.
    fn whole_parts(&mut self, mut drafts: Drafts) {
        let (interrupt, bar) = self.begin(drafts.len());
        for part in drafts.chunks_mut(self.rows_max()) {
            if interrupt.is_wanted() {
                self.interrupted();
                break;
            }
            if let Err(denied) = self.part(part) {
                self.stopped = Some(self.named(part, denied));
                break;
            }
            bar.inc(part.len() as u64);
        }
        bar.finish_and_clear();
    }

    /// As many rows at a time as are right: half as many after a refusal,
    /// twice as many after a success, so that neither a table that is all right
    /// nor one that is all wrong takes long.
    fn valid_only(&mut self, mut drafts: Drafts, wrong: &mut Vec<Wrong>) {
        let (interrupt, bar) = self.begin(drafts.len());
        let rows_max = self.rows_max();
        let mut size = rows_max;
        let mut from = 0;
        while from < drafts.len() {
            if interrupt.is_wanted() {
                self.interrupted();
                break;
            }
            let until = drafts.len().min(from + size);
            let Some(part) = drafts.get_mut(from..until) else {
                break;
            };
            match self.part(part) {
                Ok(()) => {
                    from = until;
                    size = (size * 2).min(rows_max);
                    bar.inc(part.len() as u64);
                }
                Err(Denied {
                    failure: Failure::Rule(invalid),
                    ..
                }) if part.len() == 1 => {
                    wrong.extend(part.iter().map(|(row, _)| Wrong {
                        row: *row,
                        complaints: vec![Complaint {
                            column: None,
                            why: crate::cli::failure::refusal(&invalid, self.manner.language()),
                        }],
                    }));
                    from = until;
                    bar.inc(1);
                }
                Err(Denied {
                    failure: Failure::Rule(_),
                    ..
                }) => size = (part.len() / 2).max(1),
                Err(denied) => {
                    self.stopped = Some(self.named(part, denied));
                    break;
                }
            }
        }
        wrong.sort_by_key(|wrong| wrong.row);
        bar.finish_and_clear();
    }

    fn begin(&self, rows: usize) -> (Interrupt, indicatif::ProgressBar) {
        let what = self.manner.of("issuing", "开具");
        (Interrupt::watch(), bar(rows as u64, what))
    }

    /// By a token every certificate is a request of its own.
    fn rows_max(&self) -> usize {
        match self.session.voice {
            Voice::Token => 1,
            _ => ROWS_MAX,
        }
    }

    fn part(&mut self, part: &mut [(usize, Draft)]) -> Result<(), Denied> {
        let stands = match part {
            [(_, draft)] => self.session.issue(draft)?,
            _ => {
                let said = part
                    .iter()
                    .flat_map(|(_, draft)| draft.said.iter().cloned());
                self.session.admit(said.collect())?
            }
        };
        let certificates = stands.chunks_exact(2).filter_map(<[_]>::last);
        let issued = part.iter().zip(certificates);
        self.issued
            .extend(issued.map(|((row, draft), stands)| Issued {
                row: *row,
                code: draft.code.to_string(),
                number: draft.number.clone(),
                index: stands.index,
            }));
        Ok(())
    }

    /// The refusal of a part, with the row to blame.
    fn named(&self, part: &[(usize, Draft)], denied: Denied) -> Failure {
        let row = denied.place.and_then(|place| part.get(place / 2));
        let words = denied.failure.words(self.manner.language());
        match (row, &denied.failure) {
            (Some((row, _)), Failure::Rule(_)) => Failure::Refused(
                self.manner
                    .of(format!("row {row}: {words}"), format!("第{row}行:{words}")),
            ),
            _ => denied.failure,
        }
    }

    fn interrupted(&mut self) {
        let why = self.manner.of("stopped by Ctrl-C", "已按 Ctrl-C 停止");
        self.stopped = Some(Failure::Interrupted(why.to_owned()));
    }
}

/// Says what was issued, row by row, and what was not.
fn told(
    issue: &Issue,
    manner: &Manner,
    rows: &[Row],
    issued: &[Issued],
    wrong: &[Wrong],
    stopped: Option<Failure>,
) -> Result<(), Failure> {
    if manner.is_json() {
        let value = json!({
            "rows": rows.len(),
            "issued": issued.iter().map(|it| json!({
                "row": it.row, "code": it.code, "number": it.number, "index": it.index,
            })).collect::<Vec<_>>(),
            "wrong": wrong.iter().flat_map(|it| it.complaints.iter().map(|complaint| json!({
                "row": it.row,
                "column": complaint.column.map(Column::name),
                "why": complaint.why,
            }))).collect::<Vec<_>>(),
        });
        write_line(&value.to_string())?;
    } else {
        if !issued.is_empty() {
            let lines = issued
                .iter()
                .map(|it| format!("{},{},{},{}", it.row, it.code, it.number, it.index));
            let head = manner
                .of("row,code,number,index", "行,追溯码,证号,账本序号")
                .to_owned();
            let lines: Vec<String> = std::iter::once(head).chain(lines).collect();
            write_line(&lines.join("\n"))?;
        }
        complaints(manner, wrong);
    }
    let (right, total) = (issued.len(), rows.len());
    match stopped {
        Some(failure) => {
            let words = failure.words(manner.language());
            let last = issued.last().map_or(0, |it| it.row);
            let words = match right {
                0 => manner.of(
                    format!("{words}; nothing was issued"),
                    format!("{words};未开具任何合格证"),
                ),
                _ => manner.of(
                    format!("{words}; {right} of {total} rows were issued, up to row {last}, and stand; send the others again"),
                    format!("{words};{total}行中已开具{right}行(至第{last}行),已记入账本;请重新提交其余各行"),
                ),
            };
            Err(match failure {
                Failure::Interrupted(_) => Failure::Interrupted(words),
                Failure::Machine(_) => Failure::Machine(words),
                Failure::Usage(_) => Failure::Usage(words),
                _ => Failure::Refused(words),
            })
        }
        None if !wrong.is_empty() => {
            let count = wrong.len();
            let (english, chinese) = match right {
                0 => (
                    format!("{count} of {total} rows are wrong; nothing was issued"),
                    format!("{total}行中有{count}行有误;未开具任何合格证"),
                ),
                _ => (
                    format!("{right} of {total} rows were issued; {count} are wrong"),
                    format!("{total}行中已开具{right}行;{count}行有误"),
                ),
            };
            Err(Failure::Refused(manner.of(english, chinese)))
        }
        None if issue.check => {
            manner.remark(
                &format!("{total} rows are right; nothing was issued"),
                &format!("{total}行均正确;未开具"),
            );
            Ok(())
        }
        None => {
            manner.remark(
                &format!("{right} certificates were issued"),
                &format!("已开具{right}张合格证"),
            );
            Ok(())
        }
    }
}

fn complaints(manner: &Manner, wrong: &[Wrong]) {
    for Wrong { row, complaints } in wrong.iter().take(TOLD_MAX) {
        for complaint in complaints {
            let why = &complaint.why;
            let (english, chinese) = match complaint.column {
                Some(column) => (
                    format!("row {row}, column {}: {why}", column.both()),
                    format!("第{row}行,列 {}:{why}", column.both()),
                ),
                None => (format!("row {row}: {why}"), format!("第{row}行:{why}")),
            };
            manner.remark(&english, &chinese);
        }
    }
    if let Some(more) = wrong.len().checked_sub(TOLD_MAX).filter(|more| *more > 0) {
        manner.remark(
            &format!("... and {more} more rows"),
            &format!("……另有{more}行"),
        );
    }
}
