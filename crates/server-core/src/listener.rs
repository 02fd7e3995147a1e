//! Accepts connections, each in a separate task, until the server is stopped.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use futures_util::future::Either;
use latchstring_net::protocol::hardened::full::Deployable;
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    Event, Server,
    balancers::Balancers,
    error::{AdmissionError, HandshakeError},
    serve_connection,
};

/// How long a stop waits for the sessions to agree; a little more than one of them may take.
const STOP_DEADLINE: Duration = Duration::from_secs(5);
/// How long to wait when the system has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves clients until `stop` completes, those behind `balancers` under their own addresses. Then tells every session
/// to close and waits for them, at most 5 s. Returns how many connections had to be cut.
///
/// Only a server with every defence can be put on a port:
///
/// ```
/// use std::{future::pending, sync::Arc};
/// use latchstring_net::protocol::hardened::full::Full;
/// use latchstring_server_core::{Server, balancers::Balancers, listener::serve};
/// async fn run(server: Arc<Server<Full>>, port: tokio::net::TcpListener) {
///     serve(server, port, Balancers::default(), pending()).await;
/// }
/// ```
///
/// One that can leave any out is refused by the compiler:
///
/// ```compile_fail
/// use std::{future::pending, sync::Arc};
/// use latchstring_net::protocol::hardened::defence::{Defence, Defences};
/// use latchstring_server_core::{Server, balancers::Balancers, listener::serve};
/// #[derive(Clone)]
/// struct Careless;
/// impl Defences for Careless {
///     fn keeps(&self, _: Defence) -> bool { false }
/// }
/// async fn run(server: Arc<Server<Careless>>, port: tokio::net::TcpListener) {
///     serve(server, port, Balancers::default(), pending()).await;
/// }
/// ```
pub async fn serve<D: Deployable + Clone>(
    server: Arc<Server<D>>,
    listener: TcpListener,
    balancers: Balancers,
    stop: impl Future<Output = ()>,
) -> usize {
    let balancers = Arc::new(balancers);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        select! {
            biased;
            () = &mut stop => break,
            // Each catches its own panics, so there is nothing to learn here.
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    if connections.len() >= server.max_connections() {
                        let why = AdmissionError::Connections;
                        dropped(&server, peer, &Event::TurnedAway { why });
                    } else if let Ok(stream) = without_delay(stream) {
                        connections.spawn(serve_client(Arc::clone(&server), stream, peer, &balancers));
                    }
                }
                Err(why) => {
                    server.cannot_accept(&why);
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    drop(listener);
    server.stop();
    let all_done = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(STOP_DEADLINE, all_done).await;
    connections.len()
}

/// Serves the client who connects, or for whom a balancer connects.
fn serve_client<D: Deployable + Clone>(
    server: Arc<Server<D>>,
    mut stream: TcpStream,
    peer: SocketAddr,
    balancers: &Arc<Balancers>,
) -> impl Future<Output = ()> + Send + use<D> {
    if !balancers.trust(peer.ip()) {
        return Either::Left(serve_connection(server, stream, peer));
    }
    let balancers = Arc::clone(balancers);
    Either::Right(async move {
        match balancers.client(&mut stream, peer).await {
            Ok(client) => serve_connection(server, stream, client).await,
            Err(why) => {
                let why = Arc::new(HandshakeError::from(why));
                dropped(&server, peer, &Event::HandshakeFailed { why });
            }
        }
    })
}

/// A connection that came to nothing, and the reason.
fn dropped<D: Deployable>(server: &Server<D>, peer: SocketAddr, why: &Event) {
    let connection = server.next_connection();
    server.saw(connection, &Event::Connected { peer });
    server.saw(connection, why);
}

/// With Nagle's algorithm off: an acknowledgement leaves when it is written.
fn without_delay(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    Ok(stream)
}
