//! A server on a store, computers with outboxes, and a wire on which anything may be cut.

#![allow(missing_docs, unreachable_pub, reason = "two test files share it")]

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use latchstring_client_core::outbox::{Outbox, Owner};
use latchstring_keys::AwsLc;
use latchstring_net::{
    entropy::OsEntropy,
    protocol::hardened::{full::Full, message::Fingerprint, signature::Signer},
};
use latchstring_server_core::{
    self as server, HANDSHAKE_DEADLINE, Limits, Observer, PasswordCheck, Server, Setup,
    cost::WorkCount,
    delivery::StoreOnly,
    enrol::ByInvitation,
    failures::ChargeSource,
    lookup::ByName,
    serve_connection,
    store::{Account, Accounts, Memory, password::PasswordError},
};
use proptest::test_runner::TestCaseError;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    select,
    task::JoinHandle,
    time::timeout,
};

use crate::support::{ALICE, HOST, PASSWORD, alice, pin};

/// The handshake's bytes in each direction, which the cuts leave whole as a rule.
pub const UP: usize = 74 + 1060;
pub const DOWN: usize = 66 + 1060 + 100;
pub const RECORD: usize = 100;

/// What becomes of a connection.
#[derive(Debug, Clone)]
pub struct Fate {
    /// After so many bytes of the client the connection is cut.
    pub up: usize,
    /// After so many bytes of the server nothing reaches the client any more, and it does not notice.
    pub down: usize,
    /// After so many events the client is killed.
    pub events: usize,
    /// Whether the server is killed afterwards, and started again on the same store.
    pub restart: bool,
}

pub const KIND: Fate = Fate {
    up: usize::MAX,
    down: usize::MAX,
    events: usize::MAX,
    restart: false,
};

struct NoPasswords;

impl PasswordCheck for NoPasswords {
    fn verify(&self, _: &str, password: &[u8]) -> Result<bool, PasswordError> {
        Ok(password == PASSWORD)
    }
    fn hash(&self, _: &[u8], _: [u8; 16]) -> Result<String, PasswordError> {
        unreachable!("nobody is enrolled")
    }
}

struct Silent;

impl Observer for Silent {
    fn event(&self, _: u64, event: &server::Event) {
        assert!(!matches!(event, server::Event::Panicked));
    }
}

pub struct World {
    pub store: Arc<Memory>,
    pub server: Arc<Server>,
    pub connections: Vec<JoinHandle<()>>,
    pub computers: [Computer; 2],
}

/// A computer with its outbox.
pub struct Computer {
    pub dir: TempDir,
    /// Every line that a client took.
    pub kept: Vec<String>,
}

impl World {
    pub async fn new() -> Self {
        let store = Arc::new(Memory::new());
        let account = Account::new(alice().user, ALICE.public_key().to_vec(), String::new(), 0);
        store.add(&account).await.unwrap();
        let computer = || Computer {
            dir: tempfile::tempdir().unwrap(),
            kept: Vec::new(),
        };
        Self {
            server: start(&store),
            store,
            connections: Vec::new(),
            computers: [computer(), computer()],
        }
    }

    /// A connection with this fate, from an address of its own: this is not about bounds.
    pub fn connect(&mut self, fate: &Fate) -> DuplexStream {
        let (near, middle) = duplex(64 * 1024);
        let (beyond, far) = duplex(64 * 1024);
        tokio::spawn(pass(middle, beyond, fate.clone()));
        let number = u32::try_from(self.connections.len()).unwrap();
        let peer = SocketAddr::from((Ipv4Addr::from(0x0a00_0001 + number), 4000));
        let served = serve_connection(Arc::clone(&self.server), far, peer);
        self.connections.push(tokio::spawn(served));
        near
    }

    pub fn kill_server(&mut self) {
        for connection in &self.connections {
            connection.abort();
        }
        self.server = start(&self.store);
    }

    pub async fn texts(&self) -> Vec<String> {
        let kid = Fingerprint::of(ALICE.public_key());
        let log = self.store.messages(&alice().user, &kid).await.unwrap();
        log.into_iter().map(|message| message.text).collect()
    }
}

pub fn start(store: &Arc<Memory>) -> Arc<Server> {
    Server::new(Setup {
        host: Arc::new(Host),
        verifier: Arc::new(AwsLc),
        accounts: store.clone(),
        delivery: Arc::new(StoreOnly),
        lookup: Arc::new(ByName),
        failures: Arc::new(ChargeSource),
        handshake_deadline: HANDSHAKE_DEADLINE,
        enrolment: Arc::new(ByInvitation),
        passwords: Arc::new(NoPasswords),
        now: || 0,
        entropy: Arc::new(OsEntropy),
        limits: Limits::default(),
        cost_model: Arc::new(WorkCount::default()),
        observer: Arc::new(Silent),
        defences: Full,
    })
}

/// The test's host key, behind a pointer of its own.
struct Host;

impl Signer for Host {
    fn public_key(&self) -> &[u8] {
        HOST.public_key()
    }
    fn sign(
        &self,
        message: &[u8],
    ) -> Result<Vec<u8>, latchstring_net::protocol::hardened::signature::SignError> {
        HOST.sign(message)
    }
}

/// The wire: passes bytes on, as long as its fate lets it.
async fn pass(mut client: DuplexStream, mut server: DuplexStream, fate: Fate) {
    let (mut up, mut down) = (fate.up, fate.down);
    let (mut one, mut two) = ([0; 4096], [0; 4096]);
    loop {
        select! {
            biased;
            read = client.read(&mut one) => {
                let n = read.unwrap_or(0);
                let passed = n.min(up);
                if server.write_all(&one[..passed]).await.is_err() || n == 0 || passed < n { return }
                up -= passed;
            }
            read = server.read(&mut two) => {
                let n = read.unwrap_or(0);
                let passed = n.min(down);
                if client.write_all(&two[..passed]).await.is_err() || n == 0 { return }
                down -= passed;
            }
        }
    }
}

pub fn open(dir: &Path) -> Outbox {
    let owner = Owner {
        host: pin(&HOST),
        user: alice().user,
        key: Fingerprint::of(ALICE.public_key()),
    };
    Outbox::open(dir, owner).unwrap()
}

pub fn on_a_paused_clock(
    test: impl Future<Output = Result<(), TestCaseError>>,
) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(async {
        let test = timeout(Duration::from_secs(100_000), test).await;
        test.expect("nothing waits for ever")
    })
}
