//! The page's own style, and the policy that lets a browser load it, the check
//! and nothing else.

use std::sync::LazyLock;

use axum::http::HeaderValue;
use trace_core::record::{Hash, base64};

use super::script::script;

/// All there is: 18 px text and a verdict of 32, one column as wide as 40
/// characters, targets of 44 px, colours that keep 7:1 contrast in light and
/// dark, and never say alone what is said.
pub(super) const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#16181d;--paper:#fff;--soft:#f3f4f6;--line:#c9ccd3;--quiet:#474b55;\
--good:#0b5a2a;--warn:#7a3d00;--bad:#96001b;--open:#3d4250;--link:#0b3f91}\
@media(prefers-color-scheme:dark){:root{--ink:#f1f2f4;--paper:#14161a;--soft:#20232a;--line:#4a4f5b;--quiet:#c3c7d0;\
--good:#7fdba0;--warn:#ffc078;--bad:#ff9dab;--open:#c3c7d0;--link:#9cc2ff}}\
*{box-sizing:border-box}\
body{font:1.125rem/1.6 system-ui,-apple-system,'PingFang SC','Noto Sans CJK SC','Noto Sans SC',sans-serif;\
color:var(--ink);background:var(--paper);max-width:40em;margin:0 auto;padding:0 1em 3em;overflow-wrap:anywhere}\
a{color:var(--link);text-underline-offset:.2em}\
a:focus-visible,summary:focus-visible,input:focus-visible,textarea:focus-visible,select:focus-visible,button:focus-visible{outline:3px solid var(--link);outline-offset:2px}\
nav{display:flex;justify-content:flex-end}nav a,.act{display:inline-flex;align-items:center;min-height:44px;padding:0 .4em}\
h1{font-size:2rem;line-height:1.25;margin:0}h1 small{display:block;font-size:1.125rem;font-weight:500}\
h2{font-size:1.25rem;margin:1.8em 0 .4em;padding-bottom:.2em;border-bottom:1px solid var(--line)}\
.verdict{display:flex;gap:.8em;align-items:flex-start;padding:1em;border:3px solid;border-radius:12px;background:var(--soft)}\
.verdict svg{flex:none}.shape{fill:currentColor}.sign{fill:none;stroke:var(--paper);stroke-width:5;stroke-linecap:round;stroke-linejoin:round}\
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}.open{color:var(--open)}\
.verdict p{margin:.4em 0 0;color:var(--ink)}\
.product{font-size:1.5rem;font-weight:700;margin:1em 0 0}\
dl{margin:0;display:grid;grid-template-columns:minmax(6em,auto) 1fr;gap:.2em 1em}dt{color:var(--quiet)}dd{margin:0}\
ul{padding-left:1.4em;margin:.3em 0}li{margin:.5em 0}\
ol{list-style:none;margin:.6em 0;padding:0 0 0 1em;border-left:4px solid var(--line)}ol li{margin:0 0 1em}\
details{border:1px solid var(--line);border-radius:8px;margin:.5em 0;padding:0 .8em}\
summary{min-height:44px;padding:.5em 0;cursor:pointer;font-weight:600}details[open]{padding-bottom:.8em}\
table{border-collapse:collapse}th,td{text-align:left;padding:.2em .8em .2em 0;border-bottom:1px solid var(--line)}\
code,.code,pre{font-family:ui-monospace,monospace}\
pre{white-space:pre-wrap;background:var(--soft);padding:.8em;border-radius:8px;font-size:1rem}\
.quiet{color:var(--quiet)}\
.checked{border:2px solid var(--line);border-radius:8px;padding:.2em .8em;margin:.8em 0}\
.checked.green{border-color:var(--good)}.checked.green .head{color:var(--good);font-weight:700}\
.checked.red{border:6px solid var(--bad)}.checked.red .head{color:var(--bad);font-size:1.75rem;font-weight:700;line-height:1.3}\
label{display:block;margin:.8em 0 .2em;font-weight:600}\
input,textarea,select,button{font:inherit;width:100%;min-height:44px;padding:.4em;color:inherit;background:var(--soft);border:1px solid var(--quiet);border-radius:8px}\
button{margin-top:1em;font-weight:700;color:var(--paper);background:var(--link);border-color:var(--link)}\
.leave{display:flex;gap:.8em;align-items:center;justify-content:flex-end;flex-wrap:wrap;margin:.4em 0 1em}\
.leave button{width:auto;margin:0;padding:0 1em}.leave button,button.plain{font-weight:500;color:inherit;background:none;border-color:var(--quiet)}.big{display:block;text-align:center;padding:.9em;border:2px solid;border-radius:10px;font-weight:700}\
.preview{border:2px dashed var(--quiet);border-radius:12px;padding:.8em}fieldset{border:1px solid var(--line);border-radius:8px;margin:1em 0}\
.tick{display:flex;gap:.6em;align-items:center;font-weight:500;min-height:44px}.tick input{width:1.4em;min-height:1.4em;height:1.4em;flex:none}\
.ask{margin-bottom:1.4em}.wide{overflow-x:auto}.wide svg{max-width:none;display:block}.map{width:100%;max-width:26em;height:auto}\
table{width:100%}td,th{vertical-align:top}\
.wrong{border-left:6px solid var(--bad);padding:.2em .8em;margin:.8em 0}\
.lineage text{fill:currentColor;font-size:15px}.lineage .code{font-size:14px}.wide table{white-space:nowrap;font-size:1rem}caption{text-align:left;font-weight:600;padding:.4em 0}.wide td{vertical-align:top}\
.checks{list-style:none;padding:0}.checks li{border-bottom:1px solid var(--line);margin:0;padding:.4em 0}\
.map text{fill:currentColor;font-size:16px}.acts .act{border:1px solid var(--quiet);border-radius:8px;padding:0 .8em;margin:0 .4em .4em 0}.ask video{width:100%;margin-top:.6em}.ask button{margin-top:.6em}\
@media(max-width:30em){dl{grid-template-columns:1fr}dd{margin-bottom:.5em}}\
@media print{nav,.screen{display:none}body{max-width:none;color:#000;background:#fff}details{border:0;padding:0}\
details::details-content{content-visibility:visible;block-size:auto}.verdict{break-inside:avoid}a{color:inherit}}";

/// Base 64 of a text's SHA-256, as policies name it.
fn hash_of(text: &str) -> String {
    base64::encode(Hash::of(&[text.as_bytes()]).as_bytes())
}

fn value(policy: String) -> HeaderValue {
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

/// The policy of every page: this style by its hash, this server's own script,
/// which the page names with its hash, and the evidence it fetches.
pub(super) fn policy() -> HeaderValue {
    static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
        value(format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'self'; connect-src 'self'; img-src data:; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hash_of(STYLE)
        ))
    });
    POLICY.clone()
}

/// The policy of a page with a form: what is filled in goes to this server alone.
pub(super) fn policy_of_form() -> HeaderValue {
    static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
        value(format!(
            "default-src 'none'; style-src 'sha256-{}'; img-src data:; \
             base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
            hash_of(STYLE)
        ))
    });
    POLICY.clone()
}

/// The policy of a page for those who signed in: forms to this server, its own
/// scripts and pictures, and nothing of anybody else.
pub(crate) fn policy_of_desk() -> HeaderValue {
    static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
        value(format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'self'; connect-src 'self'; \
             worker-src 'self'; manifest-src 'self'; media-src 'self' blob:; img-src 'self' data: blob:; \
             base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
            hash_of(STYLE)
        ))
    });
    POLICY.clone()
}

/// The policy of the page that works from files: its script stands in it, and
/// it fetches nothing.
pub(super) fn policy_of_tool() -> HeaderValue {
    static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
        value(format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hash_of(STYLE),
            script().hash
        ))
    });
    POLICY.clone()
}
