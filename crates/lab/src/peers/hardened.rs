//! The hardened server and client in the arena: the deployable programs' own code, with seeded randomness.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, LazyLock},
};

use futures_util::FutureExt;
use latchstring_attacker::{
    net::provider::AwsLc,
    protocol::hardened::{
        message::{Fingerprint, UserName},
        signature::Signer,
    },
    vantage::BoxStream,
};
use latchstring_client::Client;
use latchstring_server::{
    Argon2id, Event, Limits, Observer, Server, Setup, serve_connection,
    store::{
        Account, Accounts, Memory,
        password::{self, Cost},
    },
};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::{ALICE, PASSWORD, Witness};
use crate::{
    keys::{PublishedKey, Seeded},
    truth::{Connection, Seen},
    wire::Listener,
};

/// Alice's session with the real client. She waits for each acknowledgement before she types on.
pub(super) async fn session(stream: BoxStream, seed: u64, script: &[&str]) -> anyhow::Result<()> {
    let client = Client {
        user: UserName::parse(ALICE)?,
        key: Arc::new(PublishedKey::alice(seed)),
        verifier: Arc::new(AwsLc),
        entropy: Arc::new(Seeded::new(seed, "alice")),
    };
    let pin = Fingerprint::of(PublishedKey::host(seed).public_key());
    let password = || Ok(Zeroizing::new(PASSWORD.as_bytes().to_vec()));
    let mut connection = client.login(stream, &pin, password).await?;
    for text in script {
        connection.send(text)?;
        connection.wait_acknowledged().await?;
    }
    Ok(connection.close().await?)
}

/// The server, for as many clients at a time as come.
pub(super) async fn serve(
    mut listener: Listener,
    seed: u64,
    witness: Witness,
) -> anyhow::Result<JoinHandle<()>> {
    let accounts = Arc::new(Memory::new());
    let alice = PublishedKey::alice(seed);
    let account = Account::new(
        UserName::parse(ALICE)?,
        alice.public_key().to_vec(),
        password_hash(),
        0,
    );
    accounts.add(&account).await?;
    let server = Server::new(Setup {
        host: Arc::new(PublishedKey::host(seed)),
        verifier: Arc::new(AwsLc),
        accounts: accounts.clone(),
        passwords: Arc::new(Argon2id),
        entropy: Arc::new(Seeded::new(seed, "hardened server")),
        limits: Limits::default(),
        observer: Arc::new(Notary {
            witness,
            accounts,
            kid: account.kid,
        }),
    });
    Ok(tokio::spawn(async move {
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        while let Some(stream) = listener.accept().await {
            tokio::spawn(serve_connection(server.clone(), stream, peer));
        }
    }))
}

/// The stored form of alice's password, at the cost that is deployed. Computed once; the salt is of no matter here.
fn password_hash() -> String {
    static HASH: LazyLock<String> = LazyLock::new(|| {
        password::hash(PASSWORD.as_bytes(), *b"published salt..", Cost::DEPLOYED)
            .expect("64 MiB can be had")
    });
    HASH.clone()
}

/// Turns the server's own events into the arena's record.
struct Notary {
    witness: Witness,
    accounts: Arc<Memory>,
    kid: Fingerprint,
}

impl Notary {
    /// The text that the server has just made durable.
    fn stored(&self, user: &UserName, id: u64) -> Option<String> {
        let messages = self
            .accounts
            .messages(user, &self.kid)
            .now_or_never()?
            .ok()?;
        messages
            .into_iter()
            .find(|message| message.id == id)
            .map(|message| message.text)
    }
}

impl Observer for Notary {
    fn event(&self, on: Connection, event: &Event) {
        let name = |user: &UserName| user.as_str().to_owned();
        match event {
            Event::Connected { .. } | Event::Duplicate { .. } => {}
            Event::LoggedIn { user, .. } => self.witness.saw(Seen::LoggedIn {
                on,
                user: name(user),
            }),
            Event::Stored { user, id } => {
                let text = self.stored(user, *id).unwrap_or_default();
                self.witness.saw(Seen::Received {
                    on,
                    user: name(user),
                    text,
                });
            }
            Event::Refused { reason, .. } => {
                self.witness.saw(Seen::Refused {
                    on,
                    why: reason.to_string(),
                });
                self.witness.saw(Seen::Ended {
                    on,
                    how: "refused".to_owned(),
                });
            }
            Event::Closed { .. } => self.witness.saw(Seen::Ended {
                on,
                how: "closed, and both ends agree".to_owned(),
            }),
            Event::HandshakeFailed { why }
            | Event::Truncated { why, .. }
            | Event::ProtocolError { why, .. }
            | Event::StoreFailed { why, .. } => self.witness.saw(Seen::Ended {
                on,
                how: why.clone(),
            }),
            other => self.witness.saw(Seen::Ended {
                on,
                how: format!("{other:?}"),
            }),
        }
    }
}
