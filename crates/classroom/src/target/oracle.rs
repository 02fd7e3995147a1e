//! A server that takes secrets in RSA envelopes, and says of each whether its padding is right.
//!
//! A client sends blocks of 64 bytes. The server answers each with one byte: `GO_ON` or `ALERT`. The connection stays
//! open, as a patient server's does.

use latchstring_arena::witness::Witness;
use latchstring_attacker::net::loopback::Loopback;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use super::Target;
use crate::envelope::{BLOCK, Envelope};

/// The answer to a block that decrypts to a padded secret.
const GO_ON: u8 = 1;
/// The answer to every other block.
const ALERT: u8 = 0;

/// Starts one, with the private key of this envelope. It serves its clients side by side.
///
/// # Errors
/// When the port is not free.
pub async fn start(envelope: Envelope, at: Loopback) -> anyhow::Result<Target> {
    let listener = super::listen(at).await?;
    let at = Loopback::new(listener.local_addr()?)?;
    let task = tokio::spawn(async move {
        let mut clients = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            clients.spawn(answer(stream, envelope.clone()));
        }
    });
    let witness = Witness::default();
    Ok(Target { at, witness, task })
}

async fn answer(mut stream: TcpStream, envelope: Envelope) {
    let mut block = [0; BLOCK];
    while stream.read_exact(&mut block).await.is_ok() {
        let answer = match envelope.conforms(&block) {
            true => GO_ON,
            false => ALERT,
        };
        if stream.write_all(&[answer]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[tokio::test]
    async fn each_block_has_its_answer_on_a_connection_that_stays_open() {
        let envelope = Envelope::seal("open", &Seed::chosen(3)).unwrap();
        let public = envelope.public();
        let c = public.lines().find_map(|line| line.strip_prefix("c = "));
        let good = hex::decode(c.unwrap()).unwrap();
        let target = start(envelope, Loopback::v4(0)).await.unwrap();
        let mut stream = target.at().connect().await.unwrap();
        let blocks = [&good[..], &[0xff; BLOCK], &good].concat();
        stream.write_all(&blocks).await.unwrap();
        let mut answers = [9; 3];
        stream.read_exact(&mut answers).await.unwrap();
        assert_eq!(answers, [GO_ON, ALERT, GO_ON]);
    }
}
