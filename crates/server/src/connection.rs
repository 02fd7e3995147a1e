//! One connection, from hello to verdict.
//!
//! The order of the checks is the defence: who does not hold an enrolled key learns nothing and costs little. Only a key
//! holder makes the server hash a password; every refusal looks the same and takes the same time; and whatever else goes
//! wrong before the login is complete ends the connection without a word.

use std::{sync::Arc, time::Duration};

use latchstring_net::{
    protocol::hardened::{
        handshake::{self, Authenticated, Claimant, ExpectClientAuth, KeyHolder, Refusal},
        keys::Ephemeral,
        message::{CLIENT_HELLO_LEN, Fingerprint, UserName},
    },
    wire::{RECORD_DEADLINE, WireError, read_exact_within, read_record, write_all_within},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time::{Instant, sleep_until},
};
use zeroize::Zeroizing;

use crate::{Event, Server, server::SeatGuard, session};

/// The whole handshake must be over by then.
pub const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);
/// No login is answered sooner than this after it arrived...
pub const ANSWER_FLOOR: Duration = Duration::from_millis(400);
/// ...and always at a multiple of this.
pub const ANSWER_STEP: Duration = Duration::from_millis(50);
/// The ciphertext length of the one record that a client may send before it is logged in.
const CLIENT_AUTH: [usize; 1] = [1024];

/// A public key of 3072 bits whose private half does not exist: its modulus is not a product of known primes but SHA-256
/// output, made odd (see `dummy_key.rs`). Signatures "of" unknown users are checked against it, so that they take as long
/// as any other.
static DUMMY_KEY: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(dummy_key);

/// Serves one connection to its end. `logged_in` is called once when a login is accepted.
pub async fn serve<S>(server: Arc<Server>, mut stream: S, number: u64, logged_in: impl FnOnce() + Send)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let see = |event| server.observer.event(number, &event);
    let mut stopping = server.stopping();
    let login = tokio::select! {
        biased;
        login = log_in(&server, &mut stream) => login,
        _ = stopping.wait_for(|stopping| *stopping) => Err(Failure::Silent("the server is being stopped".into())),
    };
    match login {
        Ok(login) => {
            logged_in();
            session::run(&server, stream, number, login).await;
        }
        Err(Failure::Refused { user, refusal, at }) => {
            see(Event::Refused {
                user,
                reason: refusal.reason(),
            });
            sleep_until(at).await;
            if let Ok(answer) = refusal.answer() {
                let _ = write_all_within(&mut stream, &answer, RECORD_DEADLINE).await;
                let _ = stream.shutdown().await;
            }
        }
        Err(Failure::Silent(why)) => see(Event::HandshakeFailed { why }),
    }
    see(Event::Ended);
}

/// A login that was accepted, to be answered.
pub(crate) struct Login {
    pub(crate) user: UserName,
    pub(crate) kid: Fingerprint,
    pub(crate) authenticated: Authenticated,
    pub(crate) seat: SeatGuard,
    pub(crate) last_message: u64,
    pub(crate) answer_at: Instant,
}

/// How a handshake fails.
enum Failure {
    /// With an `AUTH_FAIL`, at a certain time.
    Refused {
        user: UserName,
        refusal: Refusal,
        at: Instant,
    },
    /// Without a word.
    Silent(String),
}

impl From<WireError> for Failure {
    fn from(error: WireError) -> Self {
        Self::Silent(error.to_string())
    }
}

impl From<latchstring_net::protocol::hardened::Error> for Failure {
    fn from(error: latchstring_net::protocol::hardened::Error) -> Self {
        Self::Silent(error.to_string())
    }
}

async fn log_in<S: AsyncRead + AsyncWrite + Unpin>(server: &Server, stream: &mut S) -> Result<Login, Failure> {
    let by = Instant::now() + HANDSHAKE_DEADLINE;
    let expect = greet(server, stream, by).await?;
    let record = read_record(stream, &CLIENT_AUTH, Some(by)).await?;
    let record = record.ok_or_else(|| Failure::Silent("the peer left after the server's proof".into()))?;
    let arrived = Instant::now();
    let claimant = expect.client_auth(&record)?;

    let (user, kid) = (claimant.user().clone(), *claimant.kid());
    let authenticated = match verify(server, claimant).await? {
        Ok(authenticated) => authenticated,
        Err(refusal) => {
            let at = answer_at(arrived, Instant::now());
            return Err(Failure::Refused { user, refusal, at });
        }
    };
    let seat = server.take_seat(&user).await;
    let last_message = (server.accounts.last_message_id(&user, &kid).await).map_err(store_failed)?;
    Ok(Login {
        user,
        kid,
        authenticated,
        seat,
        last_message,
        answer_at: answer_at(arrived, Instant::now()),
    })
}

/// Reads the hello; sends ours and the host's proof.
async fn greet<S: AsyncRead + AsyncWrite + Unpin>(server: &Server, stream: &mut S, by: Instant) -> Result<ExpectClientAuth, Failure> {
    let hello = read_exact_within(stream, CLIENT_HELLO_LEN, HANDSHAKE_DEADLINE).await?;
    let mut entropy = Zeroizing::new([0; 64]);
    server.entropy.fill(&mut entropy[..]);
    let (expect, answer) = handshake::accept(&hello, Ephemeral::new(&entropy), &*server.host)?;
    write_all_within(stream, &answer, by.saturating_duration_since(Instant::now())).await?;
    Ok(expect)
}

/// The key first, and always the same work for it; then, for key holders alone, the password.
async fn verify(server: &Server, claimant: Claimant) -> Result<Result<Authenticated, Refusal>, Failure> {
    let found = server.accounts.find(claimant.user(), claimant.kid()).await;
    let account = found.map_err(store_failed)?;
    let known = account.as_ref().map(|account| &account.spki[..]);
    let holder = match claimant.prove_key(known, &DUMMY_KEY, &*server.verifier) {
        Ok(holder) => holder,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let phc = account.map(|account| account.password_hash).unwrap_or_default();
    check_password(server, holder, phc).await
}

async fn check_password(server: &Server, holder: KeyHolder, phc: String) -> Result<Result<Authenticated, Refusal>, Failure> {
    match server.check_password(phc, holder.password().clone()).await {
        None => Err(Failure::Silent("too many passwords wait for their check".into())),
        Some(Err(why)) => Err(Failure::Silent(format!("the stored password hash cannot be used: {why}"))),
        Some(Ok(right)) => Ok(holder.prove_password(|_| right)),
    }
}

fn store_failed(error: latchstring_store::StoreError) -> Failure {
    Failure::Silent(format!("the account store failed: {error}"))
}

/// `max(arrival + 400 ms, done)`, rounded up to 50 ms since the arrival.
fn answer_at(arrived: Instant, done: Instant) -> Instant {
    let took = (done - arrived).max(ANSWER_FLOOR);
    let steps = took.as_millis().div_ceil(ANSWER_STEP.as_millis());
    arrived + ANSWER_STEP * u32::try_from(steps).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_at_the_floor_or_at_the_next_step() {
        let arrived = Instant::now();
        for (took, answered) in [(0, 400), (399, 400), (400, 400), (401, 450), (450, 450), (1234, 1250)] {
            let at = answer_at(arrived, arrived + Duration::from_millis(took));
            assert_eq!(at - arrived, Duration::from_millis(answered), "{took}");
        }
    }
}
