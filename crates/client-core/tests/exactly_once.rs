//! Whatever is cut, whoever is killed, and however many computers send with one key: each line that a client has kept is
//! in the server's store once, at the end.

mod support;

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use latchstring_client_core::{
    Delivery,
    delivery::Event,
    outbox::{Outbox, Owner},
};
use latchstring_keys::AwsLc;
use latchstring_net::{
    entropy::OsEntropy,
    protocol::hardened::{full::Full, message::Fingerprint, session::CloseCode, signature::Signer},
};
use latchstring_server_core::{
    self as server, HANDSHAKE_DEADLINE, Limits, Observer, PasswordCheck, Server, Setup,
    cost::WorkCount,
    enrol::ByInvitation,
    failures::ChargeSource,
    lookup::ByName,
    serve_connection,
    store::{Account, Accounts, Memory, password::PasswordError},
};
use proptest::prelude::*;
use support::{ALICE, HOST, PASSWORD, alice, password, pin};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    select,
    task::JoinHandle,
    time::timeout,
};

/// The handshake's bytes in each direction, which the cuts leave whole as a rule.
const UP: usize = 74 + 1060;
const DOWN: usize = 66 + 1060 + 100;
const RECORD: usize = 100;

/// What becomes of a connection.
#[derive(Debug, Clone)]
struct Fate {
    /// After so many bytes of the client the connection is cut.
    up: usize,
    /// After so many bytes of the server nothing reaches the client any more, and it does not notice.
    down: usize,
    /// After so many events the client is killed.
    events: usize,
    /// Whether the server is killed afterwards, and started again on the same store.
    restart: bool,
}

const KIND: Fate = Fate {
    up: usize::MAX,
    down: usize::MAX,
    events: usize::MAX,
    restart: false,
};

fn fate() -> impl Strategy<Value = Fate> {
    let near = |whole: usize| {
        prop_oneof![
            Just(usize::MAX),
            whole.saturating_sub(150)..whole + 12 * RECORD
        ]
    };
    (
        near(UP),
        near(DOWN),
        prop_oneof![Just(usize::MAX), 0..9_usize],
        any::<bool>(),
    )
        .prop_map(|(up, down, events, restart)| Fate {
            up,
            down,
            events,
            restart,
        })
}

/// One visit: which computer, how many new lines it has, and how that ends.
fn visit() -> impl Strategy<Value = (usize, usize, Fate)> {
    (0..2_usize, 0..6_usize, fate())
}

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

struct World {
    store: Arc<Memory>,
    server: Arc<Server>,
    connections: Vec<JoinHandle<()>>,
    computers: [Computer; 2],
}

/// A computer with its outbox.
struct Computer {
    dir: TempDir,
    /// Every line that a client took.
    kept: Vec<String>,
}

impl World {
    async fn new() -> Self {
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
    fn connect(&mut self, fate: &Fate) -> DuplexStream {
        let (near, middle) = duplex(64 * 1024);
        let (beyond, far) = duplex(64 * 1024);
        tokio::spawn(pass(middle, beyond, fate.clone()));
        let number = u32::try_from(self.connections.len()).unwrap();
        let peer = SocketAddr::from((Ipv4Addr::from(0x0a00_0001 + number), 4000));
        let served = serve_connection(Arc::clone(&self.server), far, peer);
        self.connections.push(tokio::spawn(served));
        near
    }

    fn kill_server(&mut self) {
        for connection in &self.connections {
            connection.abort();
        }
        self.server = start(&self.store);
    }

    async fn texts(&self) -> Vec<String> {
        let kid = Fingerprint::of(ALICE.public_key());
        let log = self.store.messages(&alice().user, &kid).await.unwrap();
        log.into_iter().map(|message| message.text).collect()
    }
}

fn start(store: &Arc<Memory>) -> Arc<Server> {
    Server::new(Setup {
        host: Arc::new(Host),
        verifier: Arc::new(AwsLc),
        accounts: store.clone(),
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

fn open(dir: &Path) -> Outbox {
    let owner = Owner {
        host: pin(&HOST),
        user: alice().user,
        key: Fingerprint::of(ALICE.public_key()),
    };
    Outbox::open(dir, owner).unwrap()
}

/// One run of the client on a computer: sends what waits and then `lines`, until it is done, cut off or killed.
async fn run(world: &mut World, computer: usize, mut lines: VecDeque<String>, fate: &Fate) {
    let stream = world.connect(fate);
    let dir: PathBuf = world.computers[computer].dir.path().to_owned();
    let outbox = open(&dir);
    let Ok(connection) = alice().login(stream, &pin(&HOST), password).await else {
        return;
    };
    let mut delivery = Delivery::begin(connection, outbox).unwrap();
    let mut closing = false;
    for _ in 0..fate.events.min(10_000) {
        if delivery.has_room()
            && let Some(line) = lines.pop_front()
        {
            delivery.send(&line).unwrap();
            world.computers[computer].kept.push(line);
            continue;
        }
        if delivery.is_done() && lines.is_empty() && !closing {
            delivery.begin_close().unwrap();
            closing = true;
        }
        match delivery.event().await {
            Ok(Event::CloseAgreed | Event::Closed { .. }) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// Tells by which computer a line was typed, except for those that both type.
fn line(computer: usize, number: usize) -> String {
    match number % 3 {
        0 => "yes".to_owned(),
        _ => format!("{} {number}", ["anna", "ben"][computer]),
    }
}

async fn nothing_is_lost_or_doubled(
    visits: Vec<(usize, usize, Fate)>,
) -> Result<(), TestCaseError> {
    let mut world = World::new().await;
    let mut typed = [0, 0];
    for (computer, count, fate) in visits {
        let lines = (0..count).map(|n| line(computer, typed[computer] + n));
        let lines: VecDeque<String> = lines.collect();
        let before = world.computers[computer].kept.len();
        run(&mut world, computer, lines, &fate).await;
        typed[computer] += world.computers[computer].kept.len() - before;
        if fate.restart {
            world.kill_server();
        }
    }
    for computer in [0, 1] {
        run(&mut world, computer, VecDeque::new(), &KIND).await;
        let outbox = open(world.computers[computer].dir.path());
        prop_assert_eq!(outbox.waiting().len(), 0);
    }
    let stored = world.texts().await;
    let mut expected: Vec<_> = world
        .computers
        .iter()
        .flat_map(|one| one.kept.clone())
        .collect();
    let mut sorted = stored.clone();
    expected.sort();
    sorted.sort();
    prop_assert_eq!(sorted, expected);
    for (computer, name) in world.computers.iter().zip(["anna", "ben"]) {
        let of = |texts: &[String]| -> Vec<String> {
            texts
                .iter()
                .filter(|text| text.starts_with(name))
                .cloned()
                .collect()
        };
        prop_assert_eq!(
            of(&stored),
            of(&computer.kept),
            "in the order in which they were typed"
        );
    }
    Ok(())
}

fn on_a_paused_clock(
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn every_line_is_stored_once_whatever_is_cut(visits in prop::collection::vec(visit(), 1..9)) {
        on_a_paused_clock(nothing_is_lost_or_doubled(visits))?;
    }
}

/// Cuts at every record of a conversation, each followed by another computer that says the same.
#[test]
fn a_cut_at_any_record_neither_loses_nor_doubles_a_line() {
    for cut in 0..7 {
        for (up, down) in [
            (UP + cut * RECORD, usize::MAX),
            (UP + cut * RECORD + 50, usize::MAX),
            (usize::MAX, DOWN + cut * RECORD),
        ] {
            let cut = Fate {
                up,
                down,
                restart: true,
                ..KIND
            };
            let visits = vec![
                (0, 6, cut.clone()),
                (1, 4, KIND),
                (0, 0, cut.clone()),
                (1, 1, cut),
                (0, 2, KIND),
            ];
            on_a_paused_clock(nothing_is_lost_or_doubled(visits)).unwrap();
        }
    }
}

/// Two servers on one store, without the lock that keeps the second one off: nobody is told that a line is stored which
/// is not.
#[test]
fn a_conflict_is_settled_by_the_next_session() {
    let test = async {
        let mut world = World::new().await;
        let stream = world.connect(&KIND);
        let connection = alice().login(stream, &pin(&HOST), password).await.unwrap();
        let dir = world.computers[0].dir.path().to_owned();
        let mut delivery = Delivery::begin(connection, open(&dir)).unwrap();
        assert!(matches!(delivery.event().await, Ok(Event::Settled(_))));
        // Meanwhile, through another server that numbers the same log.
        let first = std::mem::replace(&mut world.server, start(&world.store));
        run(&mut world, 1, ["yes".to_owned()].into(), &KIND).await;
        world.server = first;
        delivery.send("yes").unwrap();
        delivery.send("no").unwrap();
        let error = loop {
            match delivery.event().await {
                Ok(Event::Stored { .. }) => panic!("that was not stored"),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        let said = error.to_string();
        assert!(said.contains("another message under this number"), "{said}");
        assert_eq!(CloseCode::from_byte(3), Some(CloseCode::Conflict));
        drop(delivery);
        run(&mut world, 0, VecDeque::new(), &KIND).await;
        assert_eq!(world.texts().await, ["yes", "yes", "no"]);
        Ok(())
    };
    on_a_paused_clock(test).unwrap();
}
