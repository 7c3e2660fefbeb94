//! Where alerts are sent: addresses that the operator set, over TLS or within the
//! machine.

use std::{fmt, net::IpAddr, str::FromStr};

/// Most receivers: the market's own, the authority's, and some to spare. One that
/// does not answer holds up the others for the length of its time.
const RECEIVERS_MAX: usize = 8;

/// One receiver's address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Receiver(String);

impl Receiver {
    /// The whole address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Receiver {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || {
            format!(
                "{text}: wanted https://, or http:// with a loopback address in figures, and no user, query or fragment"
            )
        };
        let url: axum::http::Uri = text.parse().map_err(|_| wanted())?;
        if text.contains(['@', '#', '"', '\\']) || url.query().is_some() {
            return Err(wanted());
        }
        let host = url.host().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        match url.scheme_str() {
            Some("https") if !cfg!(feature = "https") => {
                Err(format!("{text}: this program was built without https"))
            }
            Some("https") if !host.is_empty() => Ok(Self(text.to_owned())),
            Some("http") if address.is_ok_and(|it| it.is_loopback()) => Ok(Self(text.to_owned())),
            _ => Err(wanted()),
        }
    }
}

/// All receivers, written with commas between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receivers(Vec<Receiver>);

impl Receivers {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Receiver> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Receivers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let addresses = text.split(',').map(str::trim).filter(|it| !it.is_empty());
        let mut all = addresses.map(str::parse).collect::<Result<Vec<_>, _>>()?;
        all.sort();
        all.dedup();
        match all.len() <= RECEIVERS_MAX {
            true => Ok(Self(all)),
            false => Err(format!("{} receivers, at most {RECEIVERS_MAX}", all.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_to_this_machine_alone() {
        for good in [
            "http://127.0.0.1:9000/alerts",
            "http://[::1]:9000/",
            "http://127.1.2.3/",
        ] {
            assert_eq!(good.parse::<Receiver>().unwrap().address(), good);
        }
        for bad in [
            "",
            "/alerts",
            "ftp://127.0.0.1/",
            "http://localhost:9000/",
            "http://10.0.0.1/",
            "http://169.254.169.254/latest",
            "http://0.0.0.0/",
            "http://127.0.0.1@evil.example/",
            "http://127.0.0.1/?to=x",
            "http://127.0.0.1.evil.example/",
            "file:///etc/passwd",
        ] {
            assert!(bad.parse::<Receiver>().is_err(), "{bad}");
        }
        let secure = "https://receiver.example/alerts".parse::<Receiver>();
        assert_eq!(secure.is_ok(), cfg!(feature = "https"));
    }

    #[test]
    fn receivers_are_told_apart_and_few() {
        let two = "http://127.0.0.1:2/, http://127.0.0.1:1/,http://127.0.0.1:2/";
        assert_eq!(two.parse::<Receivers>().unwrap().iter().count(), 2);
        assert!("".parse::<Receivers>().unwrap().is_empty());
        let nine: Vec<_> = (1..=9)
            .map(|port| format!("http://127.0.0.1:{port}/"))
            .collect();
        assert!(nine.join(",").parse::<Receivers>().is_err());
        assert!(
            "http://127.0.0.1:1/,http://10.0.0.1/"
                .parse::<Receivers>()
                .is_err()
        );
    }
}
