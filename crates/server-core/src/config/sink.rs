//! The section `[sink]`: where messages go besides the store.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, de::Error as _};

/// The socket of the machine's log, unless the file says otherwise.
const SYSLOG: &str = "/dev/log";

/// Where messages go besides the store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Sink {
    /// Nowhere: the store is enough.
    #[default]
    Store,
    /// To a file: a line of JSON for each message.
    File {
        /// The file.
        path: PathBuf,
    },
    /// To a program: it is started for each message, and reads a line of JSON.
    Command {
        /// The program and its arguments.
        command: Vec<String>,
    },
    /// To the machine's log.
    Syslog {
        /// Its socket.
        path: PathBuf,
    },
}

/// The section as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    kind: Kind,
    path: Option<PathBuf>,
    command: Option<Vec<String>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Store,
    File,
    Command,
    Syslog,
}

impl<'de> Deserialize<'de> for Sink {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Section {
            kind,
            path,
            command,
        } = Section::deserialize(from)?;
        let sink = match (kind, path, command) {
            (Kind::Store, None, None) => Self::Store,
            (Kind::File, Some(path), None) => Self::File { path },
            (Kind::Syslog, path, None) => Self::Syslog {
                path: path.unwrap_or_else(|| SYSLOG.into()),
            },
            (Kind::Command, None, Some(command)) => Self::command(command)?,
            (kind, ..) => return Err(D::Error::custom(wrong_settings(kind))),
        };
        Ok(sink)
    }
}

fn wrong_settings(kind: Kind) -> &'static str {
    match kind {
        Kind::Store => "the sink \"store\" has no other setting; delete `path` and `command`",
        Kind::File => {
            "the sink \"file\" needs the setting `path` and no other; write for example path = \"messages.jsonl\""
        }
        Kind::Command => {
            "the sink \"command\" needs the setting `command` and no other; write for example \
             command = [\"/usr/local/bin/take-message\"]"
        }
        Kind::Syslog => "the sink \"syslog\" has no setting but `path`; delete `command`",
    }
}

impl Sink {
    fn command<E: serde::de::Error>(command: Vec<String>) -> Result<Self, E> {
        let program = command.first().map(Path::new);
        // A name alone would be looked for along PATH, and a relative path in whatever directory the server runs in.
        if !program.is_some_and(Path::is_absolute) {
            return Err(E::custom(
                "`command` begins with no absolute path; write the whole path of the program, for example \
                 [\"/usr/local/bin/take-message\"]",
            ));
        }
        if command.iter().any(|part| part.contains('\0')) {
            return Err(E::custom("`command` holds a zero byte; delete it"));
        }
        Ok(Self::Command { command })
    }

    /// The path that a relative one in the file stands for.
    pub(super) fn path_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::File { path } | Self::Syslog { path } => Some(path),
            Self::Store | Self::Command { .. } => None,
        }
    }

    /// The section of a new file.
    pub(super) const SECTION: &'static str = r#"[sink]

# Where messages go besides the store: "store" (nowhere), "file", "command" or "syslog". A message is acknowledged
# only when the store and the sink have it. A change needs a restart.
kind = "store"
# For "file": append a line of JSON for each message. For "syslog": the socket, if it is not /dev/log.
# path = "messages.jsonl"
# For "command": run this program for each message. It reads a line of JSON, and exits with 0 once it has the message.
# command = ["/usr/local/bin/take-message"]
"#;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Sink, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn each_kind_has_its_settings() {
        let file = Sink::File { path: "m".into() };
        assert_eq!(read("kind = \"file\"\npath = \"m\""), Ok(file));
        let command = Sink::Command {
            command: vec!["/bin/cat".to_owned(), "-".to_owned()],
        };
        let text = "kind = \"command\"\ncommand = [\"/bin/cat\", \"-\"]";
        assert_eq!(read(text), Ok(command));
        let syslog = Sink::Syslog {
            path: SYSLOG.into(),
        };
        assert_eq!(read("kind = \"syslog\""), Ok(syslog));
        assert_eq!(read("kind = \"store\""), Ok(Sink::Store));
    }

    #[test]
    fn the_section_of_a_new_file_is_the_default() {
        let text = Sink::SECTION.replace("[sink]", "");
        assert_eq!(read(&text), Ok(Sink::default()));
    }

    #[test]
    fn a_setting_that_is_missing_or_of_another_kind_is_named() {
        for (text, says) in [
            ("kind = \"file\"", "needs the setting `path`"),
            ("kind = \"command\"", "needs the setting `command`"),
            (
                "kind = \"command\"\npath = \"m\"",
                "needs the setting `command`",
            ),
            ("kind = \"store\"\npath = \"m\"", "delete `path`"),
            (
                "kind = \"file\"\npath = \"m\"\ncommand = [\"/bin/cat\"]",
                "and no other",
            ),
            (
                "kind = \"command\"\ncommand = [\"cat\"]",
                "the whole path of the program",
            ),
            (
                "kind = \"command\"\ncommand = []",
                "the whole path of the program",
            ),
            (
                "kind = \"command\"\ncommand = [\"/bin/cat\", \"\\u0000\"]",
                "zero byte",
            ),
            ("kind = \"kafka\"", "unknown variant"),
            ("path = \"m\"", "missing field `kind`"),
            ("kind = \"store\"\nfile = \"m\"", "unknown field"),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.contains(says), "{text}: {why}");
        }
    }
}
