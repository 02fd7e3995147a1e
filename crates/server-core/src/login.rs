//! From the first byte to `AUTH_OK`, or to a refusal that says nothing.
//!
//! The answer leaves at a time that depends on nothing: not on whether there is such a user, nor on what was wrong.

use std::{net::IpAddr, time::Duration};

use latchstring_net::{
    protocol::hardened::{
        defence::Defence,
        handshake::{Authenticated, Claim, RefusalReason},
        keys::Ephemeral,
        message::{Fingerprint, Hello, UserName},
        parts::Parts,
        role::Role,
        session::Session,
    },
    wire::{WireError, read_exact_within, read_record, write_all_within},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    select,
    time::{Instant, sleep_until, timeout_at},
};
use zeroize::Zeroizing;

use crate::{
    Server, cost::Work, error::HandshakeError, failures::Refused, newcomer::enrol, sessions::Place,
    verify::verify,
};

/// The whole handshake must be done within this time.
pub const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);
/// Ciphertext length of the one record that a client may send in a handshake: `CLIENT_AUTH` or `ENROL`.
static CLIENT_AUTH: [usize; 2] = [1024, 4096];
/// No answer leaves sooner after the login's arrival: longer than a lookup, two signatures and a password hash take.
const ANSWER_AFTER: Duration = Duration::from_millis(400);
/// An answer that takes longer leaves at the next multiple of this.
const ANSWER_STEP: Duration = Duration::from_millis(50);

/// Why there is no session.
#[derive(Debug)]
pub(crate) enum Failure {
    /// `AUTH_FAIL` was sent.
    Refused {
        user: UserName,
        reason: RefusalReason,
    },
    /// Nothing was sent.
    Handshake(HandshakeError),
}

impl<E: Into<HandshakeError>> From<E> for Failure {
    fn from(why: E) -> Self {
        Self::Handshake(why.into())
    }
}

/// A user who has proven key and password, and whose client knows it.
pub(crate) struct Login<D> {
    pub(crate) user: UserName,
    pub(crate) kid: Fingerprint,
    pub(crate) session: Session<D>,
    pub(crate) last_message: u64,
    pub(crate) place: Place,
}

/// The other end of a connection.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) connection: u64,
    /// The address that they come from.
    pub(crate) source: IpAddr,
}

/// Runs the handshake to its end.
pub(crate) async fn login<S, D>(
    server: &Server<D>,
    caller: Caller,
    stream: &mut S,
) -> Result<Login<D>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
    D: Parts + Clone,
{
    let by = Instant::now() + server.setup.handshake_deadline;
    (timeout_at(by, handshake(server, caller, stream, by)).await)
        .unwrap_or(Err(HandshakeError::Deadline.into()))
}

async fn handshake<S, D>(
    server: &Server<D>,
    caller: Caller,
    stream: &mut S,
    by: Instant,
) -> Result<Login<D>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
    D: Parts + Clone,
{
    let claim = prove_host(server, caller.connection, stream, by).await?;
    // On the heap, so that a connection before this step does not take this memory.
    Box::pin(decide(server, caller, stream, claim, by)).await
}

/// Lets the client in or refuses it, at a time that does not say why.
async fn decide<S, D>(
    server: &Server<D>,
    caller: Caller,
    stream: &mut S,
    claim: Claim<D>,
    by: Instant,
) -> Result<Login<D>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
    D: Parts + Clone,
{
    let arrival = Instant::now();
    let (user, kid) = (claim.user().clone(), *claim.kid());
    let verified = match claim {
        Claim::Login(claimant) => verify(server, caller.connection, claimant).await?,
        Claim::Enrolment(newcomer) => enrol(server, caller.connection, newcomer).await?,
    };
    let authenticated = match verified {
        Ok(authenticated) => authenticated,
        Err(refusal) => {
            let reason = refusal.reason();
            held_against(server, caller, (&user, &kid), reason).await?;
            let answer = refusal.answer()?;
            wait_for_the_hour(server, arrival).await;
            write_all_within(stream, &answer, left(by)).await?;
            return Err(Failure::Refused { user, reason });
        }
    };
    let mut place = server.sessions.claim(&user, server.stopping()).await?;
    let (session, last_message) = select! {
        biased;
        code = place.told_to_close() => return Err(code.into()),
        opened = open(server, stream, authenticated, (&user, &kid), arrival) => opened?,
    };
    Ok(Login {
        user,
        kid,
        session,
        last_message,
        place,
    })
}

/// Each refusal is charged, also when the client has hung up and never gets the answer.
async fn held_against<D: Parts>(
    server: &Server<D>,
    caller: Caller,
    (user, kid): (&UserName, &Fingerprint),
    reason: RefusalReason,
) -> Result<(), HandshakeError> {
    let refused = Refused {
        user,
        kid,
        reason,
        accounts: &*server.setup.accounts,
        throttle: &server.throttle,
        source: caller.source,
        admission: &server.admission,
    };
    Ok(server.setup.failures.refused(refused).await?)
}

/// `ClientHello` in; `ServerHello` and `SERVER_AUTH` out; `CLIENT_AUTH` or `ENROL` in.
async fn prove_host<S, D>(
    server: &Server<D>,
    connection: u64,
    stream: &mut S,
    by: Instant,
) -> Result<Claim<D>, HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    D: Parts + Clone,
{
    let defences = &server.setup.defences;
    let hello = read_exact_within(stream, Hello::client_len(defences), left(by)).await?;
    let ephemeral = {
        let mut entropy = Zeroizing::new([0; 64]);
        server.setup.entropy.fill(&mut *entropy);
        Ephemeral::with(defences, Role::Server, &entropy)
    };
    server.spend(connection, Work::Sign).await;
    let answered = (server.signing).answer(hello, ephemeral, defences.clone());
    let (expect_client_auth, answer) = answered.await?;
    write_all_within(stream, &answer, left(by)).await?;
    drop(answer);
    let record = read_record(stream, defences.lengths(&CLIENT_AUTH), Some(by)).await?;
    Ok(expect_client_auth.claim(&record.ok_or(WireError::Closed)?)?)
}

/// Says welcome. The last id is asked for only now: while this session holds its place, no other one stores.
async fn open<S, D>(
    server: &Server<D>,
    stream: &mut S,
    authenticated: Authenticated<D>,
    (user, kid): (&UserName, &Fingerprint),
    arrival: Instant,
) -> Result<(Session<D>, u64), HandshakeError>
where
    S: AsyncWrite + Unpin,
    D: Parts + Clone,
{
    let last_message = server.setup.accounts.last_message_id(user, kid).await?;
    let (session, answer) = authenticated.welcome(last_message)?;
    wait_for_the_hour(server, arrival).await;
    write_all_within(stream, &answer, HANDSHAKE_DEADLINE).await?;
    Ok((session, last_message))
}

/// Step 4: the answer leaves 400 ms after the login came, or at the next multiple of 50 ms if that took longer.
async fn wait_for_the_hour<D: Parts>(server: &Server<D>, arrival: Instant) {
    if server.keeps(Defence::ConstantWork) {
        sleep_until(arrival + answer_delay(arrival.elapsed())).await;
    }
}

fn answer_delay(spent: Duration) -> Duration {
    let steps = spent
        .max(ANSWER_AFTER)
        .as_nanos()
        .div_ceil(ANSWER_STEP.as_nanos());
    // The handshake's deadline is 200 steps away.
    ANSWER_STEP * u32::try_from(steps).unwrap_or(u32::MAX)
}

fn left(by: Instant) -> Duration {
    by.saturating_duration_since(Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_leaves_at_400_ms_or_at_the_next_multiple_of_50() {
        let cases = [
            (0, 400_000),
            (1, 400_000),
            (399_999, 400_000),
            (400_000, 400_000),
            (400_001, 450_000),
            (450_000, 450_000),
            (1_234_567, 1_250_000),
        ];
        for (spent, answered) in cases {
            let delay = answer_delay(Duration::from_micros(spent));
            assert_eq!(delay, Duration::from_micros(answered), "{spent} µs");
        }
    }
}
