//! The file of settings: TOML, one key for each flag, no others.
//!
//! It does not know the settings: it asks the command which flags it has.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::{ArgMatches, Command};

/// Why a settings file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("settings file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's own word.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("settings file {}: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        why: String,
    },
    /// A key is no setting, or its value is a list or table.
    #[error("settings file {}: {key}: {why}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The command line itself is wrong, or asks for help.
    #[error(transparent)]
    Usage(#[from] clap::Error),
}

/// Reads `arguments`, where `subcommand` may name a file of settings whose
/// values stand in for the defaults.
///
/// # Errors
/// Where the file or the arguments are wrong; [`FileError::Usage`] also where
/// help was asked for.
pub fn with_file(
    command: Command,
    subcommand: &str,
    arguments: &[OsString],
) -> Result<ArgMatches, FileError> {
    // A first reading only to find the file: everything else may be wrong.
    let sketch = command
        .clone()
        .ignore_errors(true)
        .disable_help_flag(true)
        .mut_subcommand(subcommand, |it| it.disable_help_flag(true))
        .try_get_matches_from(arguments);
    let path = sketch.ok().and_then(|found| {
        let found = found.subcommand_matches(subcommand)?;
        found.try_get_one::<PathBuf>("settings").ok()?.cloned()
    });
    let command = match path {
        None => command,
        Some(path) => {
            let defaults = read(&path)?;
            let known = command
                .find_subcommand(subcommand)
                .map(settings_of)
                .unwrap_or_default();
            let mut placed = Vec::with_capacity(defaults.len());
            for (key, value) in defaults {
                let Some((_, id)) = known.iter().find(|(long, _)| *long == key) else {
                    let why = "unknown setting";
                    return Err(FileError::Key { path, key, why });
                };
                placed.push((id.clone(), value));
            }
            command.mut_subcommand(subcommand, |mut it| {
                for (id, value) in placed {
                    it = it.mut_arg(id, |arg| arg.default_value(value));
                }
                it
            })
        }
    };
    Ok(command.try_get_matches_from(arguments)?)
}

/// Flags that take a value, with their ids; the file cannot name a file again.
fn settings_of(command: &Command) -> Vec<(String, String)> {
    command
        .get_arguments()
        .filter(|arg| arg.get_action().takes_values())
        .filter_map(|arg| Some((arg.get_long()?.to_owned(), arg.get_id().to_string())))
        .filter(|(long, _)| long != "settings")
        .collect()
}

fn read(path: &Path) -> Result<Vec<(String, String)>, FileError> {
    let text = std::fs::read_to_string(path).map_err(|source| FileError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let table: toml::Table = toml::from_str(&text).map_err(|error| FileError::Malformed {
        path: path.to_owned(),
        why: error.to_string(),
    })?;
    let mut values = Vec::with_capacity(table.len());
    for (key, value) in table {
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(truth) => truth.to_string(),
            _ => {
                let path = path.to_owned();
                let why = "wanted a text, a whole number, true or false";
                return Err(FileError::Key { path, key, why });
            }
        };
        values.push((key, text));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use clap::{Args, FromArgMatches};

    use super::*;
    use crate::settings::ServeSettings;

    fn settings(file: Option<&str>, flags: &[&str]) -> Result<ServeSettings, FileError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let mut arguments: Vec<OsString> = vec!["trace".into(), "serve".into()];
        if let Some(text) = file {
            std::fs::write(&path, text).unwrap();
            arguments.extend(["--settings".into(), path.clone().into()]);
        }
        arguments.extend(flags.iter().map(OsString::from));
        let command =
            Command::new("trace").subcommand(ServeSettings::augment_args(Command::new("serve")));
        let matches = with_file(command, "serve", &arguments)?;
        let serve = matches.subcommand_matches("serve").unwrap();
        Ok(ServeSettings::from_arg_matches(serve)?)
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let file = "listen = \"127.0.0.1:1\"\nhead-time-ms = 5\n";
        let found = settings(Some(file), &["--head-time-ms", "7"]).unwrap();
        assert_eq!(found.listen.port(), 1);
        assert_eq!(found.limits.head_time_ms.0.as_millis(), 7);
        assert_eq!(found.limits.connections_max, 1024);
        let found = settings(None, &[]).unwrap();
        assert_eq!(found.listen.port(), 8080);
        assert_eq!(found.data, PathBuf::from("./ledger"));
        assert_eq!(found.public_url(found.listen), "http://127.0.0.1:8080");
        assert_eq!(
            crate::server::Limits::from(&found.limits),
            crate::server::Limits::default()
        );
    }

    #[test]
    fn every_setting_has_its_flags_name_in_the_environment_and_in_the_file() {
        let command = ServeSettings::augment_args(Command::new("serve"));
        let in_file = settings_of(&command);
        let mut count = 0;
        for arg in command.get_arguments() {
            let long = arg.get_long().unwrap();
            // Said once, of one start.
            if long == "confirm-clock" {
                assert!(arg.get_env().is_none());
                continue;
            }
            let name = format!("TRACE_{}", long.to_uppercase().replace('-', "_"));
            assert_eq!(arg.get_env().unwrap().to_str(), Some(name.as_str()));
            let stands = in_file.iter().any(|(known, _)| known == long);
            assert!(stands || long == "settings", "{long}");
            assert!(arg.get_help().is_some(), "{long}");
            count += 1;
        }
        assert!(count > 20, "{count}");
    }

    #[test]
    fn a_wrong_file_is_refused_and_the_key_is_named() {
        for (file, named) in [
            ("lisen = \"127.0.0.1:1\"", "lisen: unknown setting"),
            ("settings = \"x\"", "settings: unknown setting"),
            ("head_time_ms = 5", "head_time_ms: unknown setting"),
            ("kek = \"00\"", "kek: unknown setting"),
            ("listen = [1]", "listen: wanted a text"),
            ("[limits]\nconnections-max = 3", "limits: wanted a text"),
            ("listen = \"nowhere\"", "--listen <ADDRESS>"),
            ("connections-max = 0", "--connections-max <COUNT>"),
            ("head-time-ms = 0", "--head-time-ms <MS>"),
            ("log = \"a=b=c\"", "--log <FILTER>"),
            ("public-url = \"ftp://a\"", "--public-url <URL>"),
            ("listen = ", "line 1"),
        ] {
            let error = settings(Some(file), &[]).unwrap_err().to_string();
            assert!(error.contains(named), "{file}\n{error}");
        }
    }

    #[test]
    fn a_missing_file_is_refused_by_name() {
        let error = settings(None, &["--settings", "/nowhere/s.toml"]).unwrap_err();
        assert!(error.to_string().contains("/nowhere/s.toml"), "{error}");
    }

    #[test]
    fn help_shows_what_holds_under_the_file() {
        let shown = settings(Some("listen = \"127.0.0.1:99\""), &["--help"]).unwrap_err();
        let text = shown.to_string();
        for part in [
            "127.0.0.1:99",
            "TRACE_LISTEN",
            "1024",
            "--stall-time-ms",
            "15000",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
