//! Pages for those who signed in: a token, kept by the browser in a cookie, says
//! who reads and acts.
//!
//! The same calls stand behind these pages as behind the API, and the same rules
//! refuse; a page adds words and nothing else. Only pages take the cookie, never
//! the API, and no form is taken from another site's page.
//!
//! | file | what it is |
//! |---|---|
//! | `session` | signing in and out, and who signed in |
//! | `frame` | what is around every page |
//! | `inspect/` | the inspector's pages |

pub mod frame;
pub mod inspect;
pub mod session;
