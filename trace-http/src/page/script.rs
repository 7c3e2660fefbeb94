//! The page's own check: one script, put together once from the files in
//! `check/`, and its addresses.
//!
//! Each file there is an ES module that imports only from its neighbours, and
//! runs as it is under node. Here every one becomes a closure in the order of
//! [`SOURCES`], so that a browser loads a single file whose bytes one hash
//! names, and a saved copy works without a server. Lines of comments are left
//! out. `noble.js` is `@noble/ed25519` and SHA-2 of `@noble/hashes` (MIT, its
//! licence beside it), made by `npm run bundle` in `tests/browser`.
//!
//! Not here: what is checked. That is `check/bundle.js`.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use trace_core::record::{Hash, Status, base64, kinds};

use crate::problem::{Problem, Refusal};

/// The files, each after those from which it imports.
const SOURCES: [(&str, &str); 16] = [
    ("noble", include_str!("check/noble.js")),
    ("bytes", include_str!("check/bytes.js")),
    ("ed25519", include_str!("check/ed25519.js")),
    ("tree", include_str!("check/tree.js")),
    ("note", include_str!("check/note.js")),
    ("postcard", include_str!("check/postcard.js")),
    ("code", include_str!("check/code.js")),
    ("form", include_str!("check/form.js")),
    ("record", include_str!("check/record.js")),
    ("established", include_str!("check/established.js")),
    ("rights", include_str!("check/rights.js")),
    ("replay", include_str!("check/replay.js")),
    ("judge", include_str!("check/judge.js")),
    ("bundle", include_str!("check/bundle.js")),
    ("shown", include_str!("check/shown.js")),
    ("page", include_str!("check/page.js")),
];

/// The script.
pub struct Script {
    /// Its text.
    pub text: String,
    /// Base 64 of its SHA-256, as integrity and policy name it.
    pub hash: String,
    /// Where it is served.
    pub path: String,
}

/// The script of this program.
pub fn script() -> &'static Script {
    static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::of(assembled()));
    &SCRIPT
}

/// The script that reads a code by the camera, on the inspector's page.
pub fn camera() -> &'static Script {
    static CAMERA: LazyLock<Script> =
        LazyLock::new(|| Script::of(include_str!("camera.js").to_owned()));
    &CAMERA
}

impl Script {
    fn of(text: String) -> Self {
        let hash = Hash::of(&[text.as_bytes()]);
        Self {
            hash: base64::encode(hash.as_bytes()),
            path: format!("/check/{hash}.js"),
            text,
        }
    }
}

/// `GET /check/{file}`: a script, at an address that names its bytes.
pub async fn serve(Path(file): Path<String>) -> Result<Response, Problem> {
    let mut all = [script(), camera()].into_iter();
    let asked = all.find(|script| script.path.strip_prefix("/check/") == Some(&file));
    let script = asked.ok_or_else(|| Problem::new(Refusal::ScriptOutdated))?;
    let fixed = HeaderValue::from_static;
    let headers = [
        (
            header::CONTENT_TYPE,
            fixed("text/javascript; charset=utf-8"),
        ),
        (
            header::CACHE_CONTROL,
            fixed("public, max-age=31536000, immutable"),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
    ];
    Ok((StatusCode::OK, headers, script.text.as_str()).into_response())
}

/// What the check needs of every kind's published schema, as a table on a page
/// that works without a server.
pub fn schemas() -> &'static str {
    static SCHEMAS: LazyLock<String> = LazyLock::new(|| {
        let mut all = kinds::schemas();
        for kind in all.as_array_mut().into_iter().flatten() {
            if let Some(fields) = kind.as_object_mut() {
                for unread in ["trade", "personal", "corrections", "name_zh"] {
                    fields.remove(unread);
                }
            }
        }
        all.to_string()
    });
    &SCHEMAS
}

fn assembled() -> String {
    let words: serde_json::Map<_, _> = Status::ALL
        .iter()
        .map(|status| {
            let words = json!([status.words(), status.words_zh()]);
            (status.name().to_owned(), words)
        })
        .collect();
    let mut text = format!(
        "const $words = {{ WORDS: {} }};\n",
        serde_json::Value::from(words)
    );
    for (name, source) in SOURCES {
        let (body, exports) = closure(source);
        let exports = exports.join(", ");
        text.push_str(&format!(
            "const ${name} = (() => {{\n{body}return {{ {exports} }};\n}})();\n"
        ));
    }
    text.push_str("export const { checkBundle, kindsOf } = $bundle;\n$page.start();\n");
    text
}

/// A module's lines as those of a closure, and what it gives.
fn closure(source: &str) -> (String, Vec<String>) {
    let (mut body, mut exports) = (String::new(), Vec::new());
    for line in source.lines() {
        let bare = line.trim_start();
        let is_comment = ["//", "/**", "*"].iter().any(|sign| bare.starts_with(sign));
        if bare.is_empty() || is_comment {
            continue;
        }
        if let Some((names, from)) = imported(line) {
            body.push_str(&format!("const {names} = ${from};\n"));
        } else if let Some(rest) = line.strip_prefix("export ") {
            let name = rest.split([' ', '(']).nth(1).unwrap_or_default();
            exports.push(name.to_owned());
            body.push_str(rest);
            body.push('\n');
        } else if let Some((rest, given)) = line.rsplit_once("export{") {
            // A bundled file says last what it gives: `export{a as A,b as B};`
            body.push_str(rest);
            body.push('\n');
            let given = given.trim_end_matches("};").split(',');
            exports.extend(given.filter_map(|one| {
                let (inner, name) = one.split_once(" as ")?;
                Some(format!("{name}: {inner}"))
            }));
        } else {
            body.push_str(line);
            body.push('\n');
        }
    }
    (body, exports)
}

/// The names of an import and the neighbour they come from.
fn imported(line: &str) -> Option<(&str, &str)> {
    let (names, from) = line.strip_prefix("import ")?.split_once(" from ")?;
    let from = from.strip_prefix("\"./")?.strip_suffix(".js\";")?;
    Some((names, from))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of the bundled library, by `@noble/ed25519` 3.2.0,
    /// `@noble/hashes` 2.4.0 and esbuild 0.28.2. A changed file is looked at by
    /// somebody before it is pinned anew.
    const NOBLE: &str = "cd0e6970f39d50ace7908bb022fc715e4b0c5c4e9bcd6442f57b1b0e0a5bda0f";

    #[test]
    fn the_library_is_the_one_that_was_looked_at() {
        let (name, text) = SOURCES[0];
        assert_eq!(name, "noble");
        assert_eq!(Hash::of(&[text.as_bytes()]).to_string(), NOBLE);
    }

    #[test]
    fn the_script_is_one_file_that_imports_nothing() {
        let text = &script().text;
        assert!(!text.contains("import "), "an import is left");
        for (name, _) in SOURCES {
            assert!(text.contains(&format!("const ${name} = ")), "{name}");
        }
        assert!(text.len() < 120_000, "{} bytes", text.len());
    }

    #[test]
    fn every_file_imports_only_from_those_before_it() {
        for (place, (name, source)) in SOURCES.iter().enumerate() {
            for line in source.lines() {
                if let Some((_, from)) = imported(line) {
                    let is_before = from == "words"
                        || SOURCES[..place].iter().any(|(before, _)| *before == from);
                    assert!(is_before, "{name} imports {from}");
                }
            }
        }
    }
}
