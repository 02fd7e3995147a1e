//! A wire between an honest client and the live target, on which a student's program changes one message.

use anyhow::{Context, ensure};
use latchstring_attacker::protocol_faithful::message::{REPLIES_LEN, UserName};
use latchstring_faithful::client;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::target::{Accounts, Target};

/// More than a login and a message have together, in bytes.
const LARGEST: usize = 4096;

/// An honest session, and where on its wire somebody sits.
pub struct Path<'a> {
    /// The server.
    pub target: &'a Target,
    /// The user's key is among these.
    pub accounts: &'a Accounts,
    /// Who logs in.
    pub user: &'a UserName,
    /// The number of the message that is changed; the first is 1.
    pub message: usize,
}

impl Path<'_> {
    /// Runs the session, in which the user types these messages. `change` gets the ciphertexts up to the one that it may
    /// change. It gives other bytes, or nothing; then the message goes on as it is.
    ///
    /// # Errors
    /// When the two do not understand each other.
    pub async fn run(
        &self,
        typed: &[String],
        change: impl AsyncFnOnce(&[Vec<u8>]) -> anyhow::Result<Option<Vec<u8>>>,
    ) -> anyhow::Result<()> {
        let (client, mut wire) = duplex(LARGEST);
        let mut server = self.target.at().connect().await?;
        let pass_login = async {
            server.write_all(&read_one(&mut wire).await?).await?;
            let mut replies = [0; REPLIES_LEN];
            server.read_exact(&mut replies).await?;
            anyhow::Ok(wire.write_all(&replies).await?)
        };
        let key = self.accounts.keys().public_key(self.user)?;
        let (session, passed) = tokio::join!(client::login(client, self.user, &key), pass_login);
        passed?;
        let mut session = session?;
        let (mut sent, mut change) = (Vec::new(), Some(change));
        for (i, text) in typed.iter().enumerate() {
            session.send(text).await?;
            sent.push(read_one(&mut wire).await?);
            let changed = match change.take_if(|_| i + 1 == self.message) {
                Some(change) => change(&sent).await?,
                None => None,
            };
            let bytes = changed.as_ref().unwrap_or(&sent[i]);
            server.write_all(bytes).await?;
            // What comes after may be refused: the changed message may have been a command.
            let read = self.target.wait_until(|visits| {
                visits
                    .iter()
                    .any(|visit| visit.heard.len() > i || visit.ended)
            });
            ensure!(read.await, "the server has not read message {}", i + 1);
            if self.target.visits().iter().any(|visit| visit.ended) {
                break;
            }
        }
        Ok(())
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
    let line = stdout.lines().next()?;
    let digits: String = line.split_whitespace().collect();
    let bytes = hex::decode(digits).ok()?;
    (1..=LARGEST).contains(&bytes.len()).then_some(bytes)
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
}
