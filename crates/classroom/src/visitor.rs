//! An honest client that visits a server which a student's program plays: the report's client, with a user's words.

use std::{fs, time::Duration};

use latchstring_attacker::{
    net::loopback::Loopback, protocol_faithful::keys::PublicKey,
    protocol_faithful::message::UserName,
};
use latchstring_faithful::client;
use tokio::{net::TcpStream, time::sleep};

/// How often the visitor looks whether somebody listens, or has read.
const GLANCE: Duration = Duration::from_millis(10);
/// Between two messages, on systems that do not say whether the other end has read the first one.
const TYPING: Duration = Duration::from_millis(300);

/// Who visits, and what is typed.
pub struct Visitor {
    /// The user.
    pub user: UserName,
    /// The user's public key.
    pub key: PublicKey,
    /// The messages, in order.
    pub messages: Vec<String>,
}

/// A step of a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Somebody has taken the connection.
    Connected,
    /// The server's greeting, session key and IV have come.
    LoggedIn,
    /// A message was sent, and the server has read it.
    Said(String),
    /// The client has complained to its user, with these words.
    Noticed(String),
    /// All messages were sent without a complaint, and the client has closed the connection.
    Left,
}

impl Visitor {
    /// Connects to this port as soon as somebody listens there, logs in and says everything.
    pub async fn visit(&self, at: Loopback, mut tell: impl FnMut(Step)) {
        let stream = loop {
            match at.connect().await {
                Ok(stream) => break stream,
                Err(_) => sleep(GLANCE).await,
            }
        };
        tell(Step::Connected);
        let line = Line::of(&stream);
        let visit = async {
            let mut session = client::login(stream, &self.user, &self.key).await?;
            tell(Step::LoggedIn);
            for text in &self.messages {
                session.send(text).await?;
                // The protocol has no frames: two messages in one read would be one.
                line.until_read().await;
                tell(Step::Said(text.clone()));
            }
            Ok::<(), client::ClientError>(())
        };
        let end = visit.await;
        tell(match end {
            Ok(()) => Step::Left,
            Err(why) => Step::Noticed(why.to_string()),
        });
    }
}

/// A connection between two programs of this machine, as the system's table shows it.
struct Line(Option<[u16; 2]>);

impl Line {
    fn of(stream: &TcpStream) -> Self {
        let ports = stream.local_addr().ok().zip(stream.peer_addr().ok());
        Self(ports.map(|(near, far)| [near.port(), far.port()]))
    }

    /// Waits until the other program has read everything, or closed the connection. TCP does not tell a sender that:
    /// it tells that the other *system* has the bytes. The system's table shows the bytes that still wait.
    async fn until_read(&self) {
        let Some([near, far]) = self.0 else {
            return sleep(TYPING).await;
        };
        loop {
            let Ok(table) = fs::read_to_string("/proc/net/tcp") else {
                return sleep(TYPING).await;
            };
            let ways = [waiting(&table, near, far), waiting(&table, far, near)];
            if ways.iter().flatten().all(|bytes| *bytes == 0) {
                return;
            }
            sleep(GLANCE).await;
        }
    }
}

/// How many bytes wait at one end of a connection, to be sent or to be read. `None` if the table has no such line.
fn waiting(table: &str, local: u16, remote: u16) -> Option<u64> {
    let port = |address: &str| u16::from_str_radix(address.split_once(':')?.1, 16).ok();
    let mut lines = table.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().take(5).collect();
        let [_, near, far, _, queues] = fields[..] else {
            return None;
        };
        let here = port(near) == Some(local) && port(far) == Some(remote);
        here.then_some(queues)
    });
    let (to_send, to_read) = lines.next()?.split_once(':')?;
    let bytes = |hex: &str| u64::from_str_radix(hex, 16).ok();
    Some(bytes(to_send)? + bytes(to_read)?)
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::timeout,
    };

    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when\n\
        0: 0100007F:56CE 00000000:0000 0A 00000000:00000000 00:00000000\n\
        1: 0100007F:56CE 0100007F:A993 01 00000000:00000011 00:00000000\n\
        2: 0100007F:A993 0100007F:56CE 01 00000002:00000000 00:00000000\n";

    #[test]
    fn the_bytes_that_wait_are_read_from_the_line_of_both_ports() {
        assert_eq!(waiting(TABLE, 0x56CE, 0xA993), Some(0x11));
        assert_eq!(waiting(TABLE, 0xA993, 0x56CE), Some(2));
        assert_eq!(waiting(TABLE, 0xA993, 0x56CF), None);
    }

    #[tokio::test]
    async fn a_message_counts_as_read_once_the_other_program_has_taken_it() {
        let listener = Loopback::v4(0).bind().await.unwrap();
        let at = Loopback::new(listener.local_addr().unwrap()).unwrap();
        let mut near = at.connect().await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        near.write_all(b"hello").await.unwrap();
        let line = Line::of(&near);
        if fs::exists("/proc/net/tcp").unwrap() {
            let early = timeout(Duration::from_millis(100), line.until_read()).await;
            assert!(early.is_err(), "nobody has read yet");
        }
        far.read_exact(&mut [0; 5]).await.unwrap();
        let read = timeout(Duration::from_secs(5), line.until_read()).await;
        assert!(read.is_ok());
    }
}
