//! The life of one connection.

use std::{
    net::{IpAddr, SocketAddr},
    panic::AssertUnwindSafe,
    sync::Arc,
};

use futures_util::FutureExt;
use latchstring_net::protocol::hardened::parts::Parts;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    select,
    time::Instant,
};

use crate::{
    Event, Server,
    admission::Stranger,
    error::{AdmissionError, HandshakeError},
    login::{Caller, Failure, login},
    session::OpenSession,
    traffic::Counted,
};

/// Serves one client from its first byte to its last. Returns when the connection has ended in any way. All events go
/// to the observer, and a panic ends only this connection.
///
/// A connection that is not logged in makes the server hold at most 8 KiB. The 8 KiB are the future (2 KiB), the
/// transcript (1.3 kB), and one other part at a time. That part is the answer (at most 4.2 kB, with a host key of 4096
/// bits) or the login (at most 4.1 kB). Opening a record takes as much again, but nothing else happens meanwhile.
pub fn serve_connection<S, D>(
    server: Arc<Server<D>>,
    stream: S,
    peer: SocketAddr,
) -> impl Future<Output = ()> + Send
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    D: Parts + Clone,
{
    // Numbered and given a place now, not when the future is first polled: the order is that of arrival.
    let connection = server.next_connection();
    server.saw(connection, &Event::Connected { peer });
    let roll = || server.below_a_hundred();
    let admitted = (server.admission).admit(peer.ip(), Instant::now(), roll);
    async move {
        let life = whole_life(&server, connection, stream, peer.ip(), admitted);
        if AssertUnwindSafe(life).catch_unwind().await.is_err() {
            server.saw(connection, &Event::Panicked);
        }
    }
}

async fn whole_life<S, D>(
    server: &Server<D>,
    connection: u64,
    stream: S,
    source: IpAddr,
    admitted: Result<Stranger, AdmissionError>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    D: Parts + Clone,
{
    let stranger = match admitted {
        Ok(stranger) => stranger,
        Err(why) => return server.saw(connection, &Event::TurnedAway { why }),
    };
    let mut stream = Counted::new(stream, &server.traffic);
    let mut stopping = server.stopping();
    let caller = Caller { connection, source };
    let outcome = select! {
        biased;
        _ = stopping.wait_for(|yes| *yes) => Err(HandshakeError::Stopping.into()),
        outcome = login(server, caller, &mut stream) => outcome,
    };
    let end = match outcome {
        Ok(login) => {
            drop(stranger);
            server.admission.trust(source, Instant::now());
            let event = Event::LoggedIn {
                user: login.user.clone(),
                session_id: login.session.id(),
                last_message: login.last_message,
            };
            server.saw(connection, &event);
            // On the heap, so that strangers do not pay for the room that a session needs.
            let end = Box::pin(OpenSession::new(server, connection, stream, login).run()).await;
            server.admission.trust(source, Instant::now());
            return server.saw(connection, &end);
        }
        Err(Failure::Refused { user, reason }) => Event::Refused { user, reason },
        Err(Failure::Handshake(why)) if why.is_ours() => Event::LoginFailed { why: why.into() },
        Err(Failure::Handshake(why)) => Event::HandshakeFailed { why: why.into() },
    };
    let _ = stream.shutdown().await;
    server.saw(connection, &end);
}
