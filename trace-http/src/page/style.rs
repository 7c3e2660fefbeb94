//! The page's own style, and the policy that lets a browser load it and
//! nothing else.

use std::sync::LazyLock;

use axum::http::HeaderValue;
use trace_core::record::{Hash, base64};

/// All there is: 18 px text, one column as wide as 40 characters, colours that
/// keep 7:1 contrast in light and dark, and never say alone what is said.
pub(super) const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:18px/1.6 system-ui,sans-serif;max-width:40em;margin:0 auto;padding:1em}\
h1{font-size:1.6em;line-height:1.25;margin:.2em 0}\
h2{font-size:1.1em;margin:1.6em 0 .3em}\
.verdict{border-left:.5em solid #777;padding:.4em 0 .4em .8em}\
.good{border-color:#0a7a33}.warn{border-color:#b35900}.bad{border-color:#b00020}\
dl{margin:0}dt{font-weight:600}dd{margin:0 0 .5em}\
ul,ol{padding-left:1.2em;margin:.3em 0}li{margin:.3em 0}\
code,.code{font-family:ui-monospace,monospace;overflow-wrap:anywhere}\
table{border-collapse:collapse}\
th,td{text-align:left;padding:.2em .8em .2em 0;border-bottom:1px solid #8886}\
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#8882;padding:.6em}\
.quiet{opacity:.8;font-size:.9em}";

/// The policy of every page: this style by its hash, and no source else.
pub(super) fn policy() -> HeaderValue {
    static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
        let hash = base64::encode(Hash::of(&[STYLE.as_bytes()]).as_bytes());
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'"
        );
        HeaderValue::try_from(policy)
            .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
    });
    POLICY.clone()
}
