//! What a service manager such as systemd does for a server: it hands over an open port, and is told how things stand.

use std::{io, net::SocketAddr};

use anyhow::{Context, anyhow, ensure};
use listenfd::ListenFd;
use sd_notify::{NotifyState, notify};
use tokio::net::TcpListener;

use super::advice;

/// The port that the manager has opened (`LISTEN_FDS`, sd_listen_fds(3)), or else the one of the configuration. The second
/// part says whether it is the manager's.
pub(super) async fn listener(listen: SocketAddr) -> anyhow::Result<(TcpListener, bool)> {
    let mut handed_over = ListenFd::from_env();
    match handed_over.len() {
        0 => {
            let bound = TcpListener::bind(listen).await;
            let bound = bound
                .map_err(|why| anyhow!("cannot listen on {listen}: {why}{}", advice(why.kind())))?;
            Ok((bound, false))
        }
        sockets => {
            ensure!(
                sockets == 1,
                "the service manager hands over {sockets} sockets; write one ListenStream into the socket unit"
            );
            let socket = handed_over.take_tcp_listener(0).and_then(|socket| {
                let socket = socket.ok_or(io::ErrorKind::NotFound)?;
                socket.set_nonblocking(true)?;
                TcpListener::from_std(socket)
            });
            let socket = socket.context(
                "the service manager hands over something that is no listening TCP socket; write ListenStream=22223 into the \
                 socket unit",
            )?;
            Ok((socket, true))
        }
    }
}

/// The server takes connections, or takes them again.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is being read.
pub(super) fn reloading() {
    // `Type=notify-reload` wants to know since when.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// The server ends its sessions.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Without a manager nobody is told. One that does not listen is no reason to stop.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(why) = notify(state) {
        tracing::warn!(%why, "the service manager was not told; serving all the same");
    }
}
