//! What a check finds about the sink.

use std::{
    fs,
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
};

use latchstring_net::files::{check_secret, check_trusted};
use latchstring_server_core::config::Sink;
use nix::unistd::{AccessFlags, access};

use super::finding::Finding;

const ABOUT: &str = "sink";

/// Whether messages can get to the sink, as far as that can be seen without a message.
pub(super) fn sink(sink: &Sink) -> Finding {
    let found = match sink {
        Sink::Store => Ok("none besides the store".to_owned()),
        Sink::File { path } => file(path),
        Sink::Command { command } => program(command),
        Sink::Syslog { path } => socket(path),
    };
    match found {
        Ok(text) => Finding::ok(ABOUT, text),
        Err(text) => Finding::error(ABOUT, text),
    }
}

/// Messages that the sink does not have yet.
pub(super) fn waiting(count: u64) -> Option<Finding> {
    (count > 0).then(|| {
        Finding::warning(
            ABOUT,
            format_args!(
                "{count} messages wait for the sink; the log of the server says why. They are not acknowledged"
            ),
        )
    })
}

fn file(path: &Path) -> Result<String, String> {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty());
    let directory = directory.map_or_else(|| PathBuf::from("."), Path::to_owned);
    let shown = directory.display();
    if !directory.is_dir() {
        return Err(format!(
            "there is no directory {shown}; make it with: mkdir -m 700 {shown}"
        ));
    }
    if let Err(why) = access(&directory, AccessFlags::W_OK | AccessFlags::X_OK) {
        return Err(format!(
            "cannot write to {shown}: {why}; give it to this user with: chown"
        ));
    }
    match fs::metadata(path) {
        // The server makes it.
        Err(_) => Ok(format!("{} (not there yet)", path.display())),
        Ok(about) if !about.is_file() => Err(format!(
            "{} is not a file; name another path in [sink]",
            path.display()
        )),
        Ok(about) => match check_secret(path, &about) {
            Err(why) => Err(why.to_string()),
            Ok(()) => Ok(path.display().to_string()),
        },
    }
}

fn program(command: &[String]) -> Result<String, String> {
    let program = command.first().map_or(Path::new(""), Path::new);
    let shown = program.display();
    let about = fs::metadata(program);
    let about =
        about.map_err(|why| format!("cannot use the command {shown}: {why}; install it"))?;
    if !about.is_file() || access(program, AccessFlags::X_OK).is_err() {
        return Err(format!(
            "{shown} is not a program that this user may run; run: chmod 755 {shown}"
        ));
    }
    check_trusted(program, &about).map_err(|why| why.to_string())?;
    Ok(format!("the command {}", command.join(" ")))
}

fn socket(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let is_socket = fs::metadata(path).is_ok_and(|about| about.file_type().is_socket());
    match is_socket {
        true => Ok(format!("the syslog at {shown}")),
        false => Err(format!(
            "there is no syslog at {shown}; start its service, or name its socket as `path` in [sink]"
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::Permissions,
        os::unix::{fs::PermissionsExt, net::UnixDatagram},
    };

    use super::*;
    use crate::commands::check::finding::Level;

    fn level_and_text(of: &Sink) -> (Level, String) {
        let found = sink(of);
        (found.level, found.text)
    }

    #[track_caller]
    fn is_error(of: &Sink, says: &str) {
        let (level, text) = level_and_text(of);
        assert!(level == Level::Error && text.contains(says), "{text}");
    }

    #[track_caller]
    fn is_good(of: &Sink) {
        let (level, text) = level_and_text(of);
        assert_eq!(level, Level::Ok, "{text}");
    }

    #[test]
    fn a_file_needs_a_directory_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("below");
        let path = below.join("messages.jsonl");
        let file = Sink::File { path: path.clone() };
        is_error(&file, "mkdir -m 700");
        fs::create_dir(&below).unwrap();
        is_good(&file);
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        is_error(&file, "chmod 600");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        is_good(&file);
        is_error(&Sink::File { path: below }, "is not a file");
    }

    #[test]
    fn a_command_is_there_can_be_run_and_is_changed_by_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("take");
        let command = Sink::Command {
            command: vec![path.display().to_string()],
        };
        is_error(&command, "install it");
        fs::write(&path, "#!/bin/sh\n").unwrap();
        for (mode, says) in [
            (0o644, Some("chmod 755")),
            (0o777, Some("go-w")),
            (0o755, None),
        ] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            match says {
                Some(says) => is_error(&command, says),
                None => is_good(&command),
            }
        }
    }

    #[test]
    fn a_syslog_is_a_socket() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let syslog = Sink::Syslog { path: path.clone() };
        is_error(&syslog, "there is no syslog");
        let _service = UnixDatagram::bind(&path).unwrap();
        is_good(&syslog);
    }

    #[test]
    fn messages_that_wait_are_counted() {
        assert_eq!(waiting(0), None);
        let found = waiting(3).unwrap();
        assert_eq!(found.level, Level::Warning);
        assert!(found.text.starts_with("3 messages wait"), "{found}");
    }
}
