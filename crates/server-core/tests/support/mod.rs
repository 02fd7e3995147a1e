//! A client written from the protocol's typestates alone, and a server to try it on.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test file uses its part"
)]

mod faulty;

#[allow(unused_imports, reason = "each test file uses its part")]
pub use faulty::Faulty;

use std::{
    net::SocketAddr,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use latchstring_keys::{AwsLc, RsaKey};
use latchstring_net::{
    entropy::{Entropy, OsEntropy},
    protocol::hardened::{
        full::Full,
        handshake::{ExpectServerHello, ExpectVerdict, HostProven, Verdict},
        keys::Ephemeral,
        message::{Fingerprint, SERVER_HELLO_LEN, UserName},
        record::BUCKETS,
        session::{CloseCode, Event as SessionEvent, Session},
        signature::{SignError, Signer},
    },
    public_key::Bits,
    wire::read_record,
};
use latchstring_server_core::{
    Event, HANDSHAKE_DEADLINE, Limits, Observer, PasswordCheck, Server, Setup, cost::WorkCount,
    delivery::StoreOnly, enrol::ByInvitation, failures::ChargeSource, lookup::ByName,
    serve_connection,
};
use latchstring_store::{
    Account, Accounts, Memory, StoredMessage,
    password::{self, Cost, PasswordError},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex},
    task::JoinHandle,
};
use zeroize::Zeroizing;

/// The time of day at the server.
pub const NOW: u64 = 1_795_000_000;
pub const PASSWORD: &str = "correct horse battery staple";

fn key() -> Arc<RsaKey> {
    Arc::new(RsaKey::generate(Bits::B3072).unwrap())
}

pub static HOST: LazyLock<Arc<RsaKey>> = LazyLock::new(key);
pub static ALICE: LazyLock<Arc<RsaKey>> = LazyLock::new(key);
pub static MALLORY: LazyLock<Arc<RsaKey>> = LazyLock::new(key);

pub fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

pub fn alice_kid() -> Fingerprint {
    Fingerprint::of(ALICE.public_key())
}

/// Claims one key and signs with another: what somebody can do who has only the public half.
pub struct Impostor;

impl Signer for Impostor {
    fn public_key(&self) -> &[u8] {
        ALICE.public_key()
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        MALLORY.sign(message)
    }
}

/// Writes down every event.
#[derive(Default)]
pub struct Recorder(Mutex<Vec<(u64, Event)>>);

impl Observer for Recorder {
    fn event(&self, connection: u64, event: &Event) {
        self.0.lock().unwrap().push((connection, event.clone()));
    }
}

impl Recorder {
    pub fn all(&self) -> Vec<(u64, Event)> {
        self.0.lock().unwrap().clone()
    }

    pub fn of(&self, connection: u64) -> Vec<Event> {
        let all = self.all().into_iter();
        all.filter(|(on, _)| *on == connection)
            .map(|(_, event)| event)
            .collect()
    }

    pub fn last_of(&self, connection: u64) -> Event {
        self.of(connection).pop().expect("something happened")
    }
}

/// That an event is this one. Events have no equality, since the system's errors, which some hold, have none.
#[track_caller]
pub fn assert_saw(event: &Event, expected: &Event) {
    assert_eq!(format!("{event:?}"), format!("{expected:?}"));
}

/// Real hashes, cheap ones, and how many were computed.
#[derive(Default)]
pub struct Counting(AtomicUsize);

impl PasswordCheck for Counting {
    fn verify(&self, stored: &str, password: &[u8]) -> Result<bool, PasswordError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        password::verify(stored, password)
    }

    fn hash(&self, password: &[u8], salt: [u8; 16]) -> Result<String, PasswordError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        password::hash(password, salt, Cost::TOO_CHEAP_FOR_REAL_PASSWORDS)
    }
}

impl Counting {
    pub fn spent(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

pub fn account(user: &str, key: &RsaKey) -> Account {
    let cost = Cost::TOO_CHEAP_FOR_REAL_PASSWORDS;
    let hash = password::hash(PASSWORD.as_bytes(), [7; 16], cost).unwrap();
    Account::new(name(user), key.public_key().to_vec(), hash, 0)
}

/// A server in memory with one user, alice.
pub struct World {
    pub server: Arc<Server>,
    pub seen: Arc<Recorder>,
    pub passwords: Arc<Counting>,
    pub store: Arc<Memory>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With parts of the set-up exchanged.
    pub async fn with(change: impl FnOnce(&mut Setup)) -> Self {
        let (seen, passwords, store) = (
            Arc::new(Recorder::default()),
            Arc::new(Counting::default()),
            Arc::new(Memory::new()),
        );
        store.add(&account("alice", &ALICE)).await.unwrap();
        let mut setup = Setup {
            host: HOST.clone(),
            verifier: Arc::new(AwsLc),
            accounts: store.clone(),
            delivery: Arc::new(StoreOnly),
            lookup: Arc::new(ByName),
            failures: Arc::new(ChargeSource),
            handshake_deadline: HANDSHAKE_DEADLINE,
            enrolment: Arc::new(ByInvitation),
            now: || NOW,
            passwords: passwords.clone(),
            entropy: Arc::new(OsEntropy),
            limits: Limits::default(),
            cost_model: Arc::new(WorkCount::default()),
            observer: seen.clone(),
            defences: Full,
        };
        change(&mut setup);
        Self {
            server: Server::new(setup),
            seen,
            passwords,
            store,
        }
    }

    /// A new connection from `source`, an address of 192.0.2.0/24.
    pub fn connect_from(&self, source: u8) -> (DuplexStream, JoinHandle<()>) {
        let (ours, theirs) = duplex(64 * 1024);
        let peer = SocketAddr::from(([192, 0, 2, source], 4000));
        let served = serve_connection(Arc::clone(&self.server), theirs, peer);
        (ours, tokio::spawn(served))
    }

    pub fn connect(&self) -> DuplexStream {
        self.connect_from(1).0
    }

    pub async fn open(&self) -> Chat<DuplexStream> {
        Login::alice().open(self.connect()).await
    }

    pub async fn stored(&self) -> Vec<StoredMessage> {
        let (user, kid) = (name("alice"), alice_kid());
        self.store.messages(&user, &kid).await.unwrap()
    }
}

/// What a client shows; each field can be turned against the server.
pub struct Login {
    pub user: UserName,
    pub key: Arc<dyn Signer>,
    pub password: String,
    pub pin: Fingerprint,
}

pub enum Outcome<S> {
    Open(Box<Chat<S>>),
    /// All bytes that came after CLIENT_AUTH, until the end of the stream.
    Refused(Vec<u8>),
}

impl Login {
    pub fn alice() -> Self {
        Self {
            user: name("alice"),
            key: ALICE.clone(),
            password: PASSWORD.to_owned(),
            pin: Fingerprint::of(HOST.public_key()),
        }
    }

    /// Sends the hello and checks the host. Also returns the hello's bytes.
    pub async fn hello<S>(stream: &mut S) -> (HostProven, Vec<u8>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let entropy = Zeroizing::new(OsEntropy.array());
        let (expect, hello) = ExpectServerHello::start(Ephemeral::new(&entropy));
        stream.write_all(&hello).await.unwrap();
        let mut answer = [0; SERVER_HELLO_LEN];
        stream.read_exact(&mut answer).await.unwrap();
        let record = read_record(stream, &[1024, 4096], None).await.unwrap();
        let expect = expect.server_hello(&answer).unwrap();
        let proven = expect.server_auth(&record.expect("SERVER_AUTH"), &AwsLc);
        (proven.unwrap(), hello)
    }

    pub fn auth(&self, host: HostProven) -> (ExpectVerdict, Vec<u8>) {
        let password = Zeroizing::new(self.password.clone().into_bytes());
        let trusted = host.pinned(&self.pin).unwrap();
        trusted.login(&self.user, &*self.key, &password).unwrap()
    }

    pub async fn run<S>(&self, mut stream: S) -> Outcome<S>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (proven, _) = Self::hello(&mut stream).await;
        let (expect, auth) = self.auth(proven);
        assert_eq!(auth.len(), 1060);
        stream.write_all(&auth).await.unwrap();
        let answer = read_record(&mut stream, &[64], None).await.unwrap();
        let answer = answer.expect("an answer");
        match expect.verdict(&answer).unwrap() {
            Verdict::Accepted {
                session,
                last_message,
            } => Outcome::Open(Box::new(Chat {
                stream,
                session: *session,
                last_message,
            })),
            Verdict::Refused(_) => {
                let mut all = answer;
                stream.read_to_end(&mut all).await.unwrap();
                Outcome::Refused(all)
            }
        }
    }

    pub async fn open<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> Chat<S> {
        match self.run(stream).await {
            Outcome::Open(chat) => *chat,
            Outcome::Refused(_) => panic!("refused"),
        }
    }

    pub async fn refused<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> Vec<u8> {
        match self.run(stream).await {
            Outcome::Open(_) => panic!("let in"),
            Outcome::Refused(answer) => answer,
        }
    }
}

/// A logged-in client.
pub struct Chat<S> {
    pub stream: S,
    pub session: Session,
    pub last_message: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Chat<S> {
    pub async fn say(&mut self, text: &str) -> u64 {
        let (id, record) = self.session.send(0, text).unwrap();
        self.stream.write_all(&record).await.unwrap();
        id
    }

    /// The next event; `None` at the end of the stream.
    pub async fn hear(&mut self) -> Option<SessionEvent> {
        let record = read_record(&mut self.stream, &BUCKETS, None).await.ok()??;
        Some(self.session.receive(&record).unwrap())
    }

    pub async fn say_and_hear_back(&mut self, text: &str) {
        let up_to = self.say(text).await;
        assert_eq!(
            self.hear().await,
            Some(SessionEvent::Acknowledged { up_to })
        );
    }

    /// Waits for the server's CLOSE and agrees; its code.
    pub async fn until_closed(&mut self) -> CloseCode {
        loop {
            match self.hear().await.expect("a CLOSE") {
                SessionEvent::Closed { code, answer } => {
                    self.stream.write_all(&answer).await.unwrap();
                    return code;
                }
                SessionEvent::Acknowledged { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub async fn close(mut self) {
        let close = self.session.close(CloseCode::Done);
        self.stream.write_all(&close.unwrap()).await.unwrap();
        assert_eq!(self.hear().await, Some(SessionEvent::CloseAgreed));
        assert_eq!(self.hear().await, None, "the server hangs up");
    }
}

/// All that still comes, until the end of the stream.
pub async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut all = Vec::new();
    // A reset is an end, too.
    let _ = stream.read_to_end(&mut all).await;
    all
}

pub const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}
