//! The machine's log, by the socket that syslog(3) uses. Its service says nothing back, so nobody knows whether it keeps a
//! message: here a message counts as delivered when the socket took it.

use std::{
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use anyhow::Context;
use latchstring_store_sqlite::Waiting;

use super::line::line;

/// Facility 1 (user) and severity 6 (informational), as RFC 3164 writes them: 8 times 1, plus 6.
const PRIORITY: u8 = 14;
/// How long a service that does not read may hold us up.
const PATIENCE: Duration = Duration::from_secs(5);

/// The machine's log.
#[derive(Debug)]
pub(crate) struct SyslogSink {
    path: PathBuf,
    socket: Option<UnixDatagram>,
}

impl SyslogSink {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            socket: None,
        }
    }

    pub(super) fn close(&mut self) {
        self.socket = None;
    }

    /// Sends a message as one datagram.
    pub(super) fn deliver(&mut self, message: &Waiting) -> anyhow::Result<()> {
        let (line, process) = (line(message)?, process::id());
        let datagram = format!(
            "<{PRIORITY}>latchstring-server[{process}]: {}",
            line.trim_end()
        );
        let sent = self.send(datagram.as_bytes());
        sent.with_context(|| format!("cannot send to the syslog at {}", self.path.display()))
    }

    fn send(&mut self, datagram: &[u8]) -> anyhow::Result<()> {
        // Put back only when it works: a service that was started again has another socket at the same path.
        let socket = match self.socket.take() {
            Some(socket) if socket.send(datagram).is_ok() => {
                self.socket = Some(socket);
                return Ok(());
            }
            _ => UnixDatagram::unbound()?,
        };
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.connect(&self.path)?;
        socket.send(datagram)?;
        self.socket = Some(socket);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::line::tests::waiting;

    #[test]
    fn a_message_is_one_datagram_and_a_new_service_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut sink = SyslogSink::new(&path);
        let error = sink.deliver(&waiting(1, "text")).unwrap_err();
        assert!(format!("{error:#}").contains("cannot send to the syslog"));
        for id in [1, 2] {
            let _ = std::fs::remove_file(&path);
            let service = UnixDatagram::bind(&path).unwrap();
            sink.deliver(&waiting(id, "two\nlines")).unwrap();
            let mut bytes = [0; 1024];
            let length = service.recv(&mut bytes).unwrap();
            let text = std::str::from_utf8(&bytes[..length]).unwrap();
            assert!(text.starts_with("<14>latchstring-server["), "{text}");
            assert!(!text.contains('\n'), "{text}");
            let (_, json) = text.split_once("]: ").unwrap();
            let json: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!(
                (json["id"].as_u64(), &json["text"]),
                (Some(id), &"two\nlines".into())
            );
        }
    }
}
