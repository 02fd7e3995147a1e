//! A gate before a target: it counts the connections and the bytes that a program spends.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use latchstring_attacker::net::loopback::Loopback;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// What was spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Connections.
    pub connections: u64,
    /// Bytes to the server.
    pub bytes: u64,
}

#[derive(Default)]
struct Counters {
    connections: AtomicU64,
    bytes: AtomicU64,
}

/// An open gate. It closes when it is dropped.
pub struct Gate {
    at: Loopback,
    counters: Arc<Counters>,
    task: JoinHandle<()>,
}

impl Gate {
    /// Opens one before this server.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn before(server: Loopback) -> anyhow::Result<Self> {
        let listener = Loopback::v4(0).bind().await?;
        let at = Loopback::new(listener.local_addr()?)?;
        let counters = Arc::<Counters>::default();
        let task = tokio::spawn(keep_open(listener, server, counters.clone()));
        Ok(Self { at, counters, task })
    }

    /// Where it is.
    pub fn at(&self) -> Loopback {
        self.at
    }

    /// What was spent so far.
    pub fn spent(&self) -> Spent {
        Spent {
            connections: self.counters.connections.load(Ordering::Relaxed),
            bytes: self.counters.bytes.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Connections reach the server in the order in which they come.
async fn keep_open(listener: TcpListener, server: Loopback, counters: Arc<Counters>) {
    let mut passages = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        counters.connections.fetch_add(1, Ordering::Relaxed);
        if let Ok(inside) = server.connect().await {
            passages.spawn(pass(client, inside, counters.clone()));
        }
    }
}

/// Passes everything on until one of the two sides closes.
async fn pass(mut client: TcpStream, mut server: TcpStream, counters: Arc<Counters>) {
    let (mut from_client, mut from_server) = ([0; 4096], [0; 4096]);
    loop {
        let passed = tokio::select! {
            read = client.read(&mut from_client) => match read {
                Ok(n) if n > 0 => {
                    counters.bytes.fetch_add(n as u64, Ordering::Relaxed);
                    server.write_all(&from_client[..n]).await
                }
                _ => return,
            },
            read = server.read(&mut from_server) => match read {
                Ok(n) if n > 0 => client.write_all(&from_server[..n]).await,
                _ => return,
            },
        };
        if passed.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_passes_is_counted_and_comes_through_in_both_directions() {
        let listener = Loopback::v4(0).bind().await.unwrap();
        let server = Loopback::new(listener.local_addr().unwrap()).unwrap();
        let gate = Gate::before(server).await.unwrap();
        let mut client = gate.at().connect().await.unwrap();
        let (mut inside, _) = listener.accept().await.unwrap();
        client.write_all(b"hello").await.unwrap();
        inside.read_exact(&mut [0; 5]).await.unwrap();
        inside.write_all(b"hi").await.unwrap();
        client.read_exact(&mut [0; 2]).await.unwrap();
        let spent = |connections, bytes| Spent { connections, bytes };
        assert_eq!(gate.spent(), spent(1, 5));
        drop(client);
        assert_eq!(
            inside.read(&mut [0; 1]).await.unwrap(),
            0,
            "the end passes, too"
        );
    }
}
