//! A wire between an honest client and the live target, on which a student's program changes one message, or decides
//! which messages the target gets.

use anyhow::{Context, ensure};
use latchstring_attacker::protocol_faithful::message::{READ_LEN, REPLIES_LEN, UserName};
use latchstring_faithful::client::{self, Session};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    net::TcpStream,
};

use super::target::{Accounts, Target};

/// More than a login and a message have together, in bytes.
const LARGEST: usize = 4096;
/// The largest number of messages that a program may send on.
const MOST: usize = 64;

/// An honest session, and where on its wire somebody sits.
pub struct Path<'a> {
    /// The server.
    pub target: &'a Target,
    /// The user's key is among these.
    pub accounts: &'a Accounts,
    /// Who logs in.
    pub user: &'a UserName,
}

/// Both ends of the wire, after the login has passed.
struct Wire {
    session: Session<DuplexStream>,
    client: DuplexStream,
    server: TcpStream,
}

impl Path<'_> {
    /// Runs the session, in which the user types these messages. `change` gets the ciphertexts up to the one with this
    /// number, and may give other bytes for it. If it gives nothing, the message goes on as it is.
    ///
    /// # Errors
    /// When the two do not understand each other.
    pub async fn change_one(
        &self,
        typed: &[String],
        number: usize,
        change: impl AsyncFnOnce(&[Vec<u8>]) -> anyhow::Result<Option<Vec<u8>>>,
    ) -> anyhow::Result<()> {
        let mut wire = self.log_in().await?;
        let (mut sent, mut change) = (Vec::new(), Some(change));
        for (i, text) in typed.iter().enumerate() {
            sent.push(wire.next(text).await?);
            let changed = match change.take_if(|_| i + 1 == number) {
                Some(change) => change(&sent).await?,
                None => None,
            };
            let bytes = changed.as_ref().unwrap_or(&sent[i]);
            // What comes after may be refused: the changed message may have been a command.
            if !self.deliver(&mut wire.server, bytes, i).await? {
                break;
            }
        }
        Ok(())
    }

    /// Runs the session, and holds all its messages back: the client expects no answer, so it misses none. `choose` gets
    /// all ciphertexts and gives the messages for the server, in order. If it gives nothing, they go on as they are.
    /// After the last one the connection to the server ends.
    ///
    /// # Errors
    /// When the two do not understand each other.
    pub async fn hold_all(
        &self,
        typed: &[String],
        choose: impl AsyncFnOnce(&[Vec<u8>]) -> anyhow::Result<Option<Vec<Vec<u8>>>>,
    ) -> anyhow::Result<()> {
        let mut wire = self.log_in().await?;
        let mut sent = Vec::new();
        for text in typed {
            sent.push(wire.next(text).await?);
        }
        let chosen = choose(&sent).await?;
        for (i, bytes) in chosen.as_ref().unwrap_or(&sent).iter().enumerate() {
            if !self.deliver(&mut wire.server, bytes, i).await? {
                break;
            }
        }
        Ok(())
    }

    /// The login and the replies pass as they are.
    async fn log_in(&self) -> anyhow::Result<Wire> {
        let (near, mut client) = duplex(LARGEST);
        let mut server = self.target.at().connect().await?;
        let pass_login = async {
            server.write_all(&read_one(&mut client).await?).await?;
            let mut replies = [0; REPLIES_LEN];
            server.read_exact(&mut replies).await?;
            anyhow::Ok(client.write_all(&replies).await?)
        };
        let key = self.accounts.keys()?.public_key(self.user)?;
        let (session, passed) = tokio::join!(client::login(near, self.user, &key), pass_login);
        passed?;
        Ok(Wire {
            session: session?,
            client,
            server,
        })
    }

    /// Sends the server its message number `i`, counted from 0, and waits until it has read it. Says whether the
    /// session goes on.
    async fn deliver(
        &self,
        server: &mut TcpStream,
        bytes: &[u8],
        i: usize,
    ) -> anyhow::Result<bool> {
        server.write_all(bytes).await?;
        let read = self.target.wait_until(|visits| {
            let mut visits = visits.iter();
            visits.any(|visit| visit.heard.len() > i || visit.ended.is_some())
        });
        ensure!(read.await, "the server has not read message {}", i + 1);
        let visits = self.target.visits();
        Ok(visits.iter().all(|visit| visit.ended.is_none()))
    }
}

impl Wire {
    /// The ciphertext of the next message.
    async fn next(&mut self, text: &str) -> anyhow::Result<Vec<u8>> {
        self.session.send(text).await?;
        read_one(&mut self.client).await
    }
}

async fn read_one(wire: &mut DuplexStream) -> anyhow::Result<Vec<u8>> {
    let mut bytes = vec![0; LARGEST];
    let length = wire.read(&mut bytes).await.context("the client is gone")?;
    bytes.truncate(length);
    Ok(bytes)
}

/// The bytes that a program printed in hex, on its first line.
pub fn printed_bytes(stdout: &str) -> Option<Vec<u8>> {
    bytes_of(stdout.lines().next()?, LARGEST)
}

/// The messages that a program printed in hex, one a line.
///
/// # Errors
/// The number of the first line that is no message, or that is one too many.
pub fn printed_messages(stdout: &str) -> Result<Vec<Vec<u8>>, usize> {
    let lines = stdout.trim_end().lines().enumerate();
    // One read of the server takes this much; more would be two messages.
    let message = |(i, line)| match i < MOST {
        true => bytes_of(line, READ_LEN).ok_or(i + 1),
        false => Err(i + 1),
    };
    lines.map(message).collect()
}

fn bytes_of(line: &str, most: usize) -> Option<Vec<u8>> {
    let digits: String = line.split_whitespace().collect();
    let bytes = hex::decode(digits).ok()?;
    (1..=most).contains(&bytes.len()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_on_the_first_line_is_taken_and_nothing_else() {
        assert_eq!(printed_bytes("0a ff\nmore"), Some(vec![10, 255]));
        for other in ["", "\n0aff", "0af", "done", &"00".repeat(LARGEST + 1)] {
            assert_eq!(printed_bytes(other), None, "{other}");
        }
    }

    #[test]
    fn messages_are_lines_of_hex_and_the_first_line_that_is_none_is_named() {
        assert_eq!(
            printed_messages("0a\nff 01\n\n"),
            Ok(vec![vec![10], vec![255, 1]])
        );
        assert_eq!(printed_messages(""), Ok(Vec::new()));
        let long = "00".repeat(READ_LEN + 1);
        for other in ["0a\ndone", "0a\n\n0b", &format!("0a\n{long}")] {
            assert_eq!(printed_messages(other), Err(2), "{other}");
        }
        assert_eq!(printed_messages(&"0a\n".repeat(MOST + 1)), Err(MOST + 1));
    }
}
