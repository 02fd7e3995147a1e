//! Four rings keep a weakened session from being deployed: the type, the graph, the address and the wire. Each holds by
//! itself, and each is tried here or where it stands:
//!
//! * type: `hardened::full::Deployable` and `listener::serve` have doctests that must not compile;
//! * graph: here, and in `architecture.rs` (arrows) and `deployable.rs` (what the linker kept);
//! * address: here, and in `crates/arena/tests/wire.rs` and `crates/net/src/loopback.rs`;
//! * wire: here, with the real programs on loopback.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::Arc,
};

use latchstring_arena::{
    against::Against,
    keys::PublishedKey,
    peers,
    weakened::Weakened,
    wire::{Listener, Over, network},
};
use latchstring_attacker::{
    Scene,
    net::entropy::OsEntropy,
    protocol::hardened::{
        defence::Defence,
        full::Full,
        handshake::{ExpectServerHello, accept, accept_with},
        keys::Ephemeral,
        message::{Fingerprint, UserName},
        parts::Parts,
        role::Role,
        signature::Signer,
    },
};
use latchstring_client_core::Client;
use latchstring_keys::AwsLc;
use latchstring_tests::{binary, workspace};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

const SEED: u64 = 7;

/// Alice's home with the lab's published key, as the real client wants it.
fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let key = fs::read(workspace().join("crates/arena/keys/alice.pem")).unwrap();
    let password = format!("{}\n", peers::PASSWORD).into_bytes();
    for (name, bytes) in [("id.pem", key), ("pw", password)] {
        let path = home.path().join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    home
}

/// The real `latchstring-client` says one message to a server on loopback.
fn real_client(at: SocketAddr) -> Output {
    let home = home();
    let pin = Fingerprint::of(PublishedKey::host(SEED).public_key());
    let mut child = Command::new(binary("latchstring-client"))
        .args(["connect", &format!("alice@{at}"), "--fingerprint"])
        .args([&pin.to_string(), "--dir"])
        .arg(home.path())
        .arg("--key")
        .arg(home.path().join("id.pem"))
        .arg("--password-file")
        .arg(home.path().join("pw"))
        // A server that hangs up is not waited for: a weak one always does.
        .args(["--wait", "0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"hello\n");
    child.wait_with_output().unwrap()
}

/// The lab's server on a port of 127.0.0.1, for as long as the guard lives.
async fn lab_server(against: Against) -> (SocketAddr, peers::ArenaServer) {
    let (listener, dialer) = network(Over::Tcp).await.unwrap();
    let Listener::Tcp(socket) = &listener else {
        panic!("not a TCP listener");
    };
    let at = socket.local_addr().unwrap();
    assert!(at.ip().is_loopback(), "the address ring");
    let server = peers::serve(against, &Scene::PLAIN, (listener, dialer), SEED.into()).await;
    (at, server.unwrap())
}

/// Somebody on the path who writes another magic into the client's hello.
async fn rewriting(server: SocketAddr, magic: [u8; 8]) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(server).await.unwrap();
            let mut first = [0; 8];
            client.read_exact(&mut first).await.unwrap();
            server.write_all(&magic).await.unwrap();
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
    });
    at
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_client_refuses_a_weakened_server() {
    let visit = |at| tokio::task::spawn_blocking(move || real_client(at));

    let (at, _server) = lab_server(Against::hardened()).await;
    let welcome = visit(at).await.unwrap();
    assert!(welcome.status.success(), "{}", text(&welcome.stderr));

    let (at, server) = lab_server(Against::without(&[Defence::Password])).await;
    let refused = visit(at).await.unwrap();
    assert!(!refused.status.success());
    let said = text(&refused.stderr);
    assert!(said.contains("waiting for the server's hello"), "{said}");

    // Even if somebody helps the two to understand each other, what they sign and encrypt under is not the same.
    let at = rewriting(at, *b"latchLAB").await;
    let refused = visit(at).await.unwrap();
    let said = text(&refused.stderr);
    assert!(said.contains("a proof failed"), "{said}");
    let seen = format!("{:?}", server.finish(2).await);
    assert!(!seen.contains("LoggedIn"), "{seen}");
}

/// A real `latchstring-server` whose only user is alice, with the lab's published key.
struct RealServer {
    child: Child,
    at: SocketAddr,
    pin: Fingerprint,
}

impl RealServer {
    fn start(home: &Path) -> Self {
        let dir = home.join("server");
        let command = |words: &[&str]| {
            let mut command = Command::new(binary("latchstring-server"));
            command.arg("--dir").arg(&dir).args(words);
            command
        };
        let done = |command: &mut Command| assert!(command.output().unwrap().status.success());
        done(&mut command(&["init", "--listen", "127.0.0.1:0"]));
        let public = workspace().join("crates/arena/keys/alice.pub.pem");
        done(
            command(&["user", "add", "alice", "--key"])
                .arg(public)
                .arg("--password-file")
                .arg(home.join("pw")),
        );
        let mut child = command(&["serve"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.find_map(|line| {
            let line = line.unwrap();
            Some(line.strip_prefix("Listening on ")?.to_owned())
        });
        let line = line.unwrap();
        let (at, pin) = line.split_once(", host key ").unwrap();
        Self {
            child,
            at: at.parse().unwrap(),
            pin: pin.parse().unwrap(),
        }
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn visit<D: Parts + Clone>(
    defences: D,
    at: SocketAddr,
    pin: &Fingerprint,
) -> Result<(), String> {
    let client = Client {
        user: UserName::parse("alice").unwrap(),
        key: Arc::new(PublishedKey::alice(SEED)),
        verifier: Arc::new(AwsLc),
        entropy: Arc::new(OsEntropy),
        defences,
    };
    let password = || Ok(peers::PASSWORD.as_bytes().to_vec().into());
    let stream = TcpStream::connect(at).await.unwrap();
    let connection = client.login(stream, pin, password).await;
    let connection = connection.map_err(|error| error.to_string())?;
    connection.close().await.map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_server_refuses_a_weakened_client() {
    let home = home();
    let server = RealServer::start(home.path());
    assert_eq!(visit(Full, server.at, &server.pin).await, Ok(()));

    // A client that checks nothing and says so.
    let weakened = Weakened::without(&[Defence::HostPin, Defence::ServerSignature]);
    let said = visit(weakened, server.at, &server.pin).await.unwrap_err();
    assert!(said.contains("waiting for the server's hello"), "{said}");

    // The same, with somebody on the path who makes it look like a real one.
    let at = rewriting(server.at, *b"latch/2\n").await;
    let said = visit(weakened, at, &server.pin).await.unwrap_err();
    assert!(said.contains("a proof failed"), "{said}");
}

#[test]
fn whichever_defence_is_missing_the_two_do_not_begin() {
    let host = PublishedKey::host(SEED);
    let ephemeral = |defences: &dyn Parts, role| {
        let entropy = [9; 64].into();
        Ephemeral::with(defences, role, &entropy)
    };
    for defence in Defence::ALL {
        let weakened = Weakened::without(&[*defence]);
        let (_, real) = ExpectServerHello::start(ephemeral(&Full, Role::Client));
        let share = ephemeral(&weakened, Role::Server);
        assert!(
            accept_with(&real, share, &host, weakened).is_err(),
            "{defence}"
        );

        let weak = ephemeral(&weakened, Role::Client);
        let (_, weak) = ExpectServerHello::start_with(weak, weakened);
        let share = ephemeral(&Full, Role::Server);
        assert!(accept(&weak, share, &host).is_err(), "{defence}");
        let share = ephemeral(&weakened, Role::Server);
        assert!(
            accept_with(&weak, share, &host, weakened).is_ok(),
            "{defence}"
        );
    }
}

/// The graph ring, in the sources: who else could answer no?
#[test]
fn only_the_lab_has_a_type_that_can_leave_a_defence_out() {
    let mut found = Vec::new();
    for krate in fs::read_dir(workspace().join("crates")).unwrap() {
        search(&krate.unwrap().path().join("src"), &mut found);
    }
    found.sort();
    let expected = [
        // Passes the question on, and remembers keys for a thief.
        "crates/arena/src/memory.rs: impl<D: Defences> Defences for Watched<D> {",
        "crates/arena/src/weakened/mod.rs: impl Defences for Weakened {",
        // One that passes the question on, the one that always says yes, and one in a test.
        "crates/protocol/src/hardened/defence.rs: impl<D: Defences + ?Sized> Defences for std::sync::Arc<D> {",
        "crates/protocol/src/hardened/full.rs: impl Defences for Full {",
        "crates/protocol/src/hardened/message.rs: impl Defences for Without {",
    ];
    assert_eq!(found, expected);
}

fn search(folder: &Path, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(&path, found);
            continue;
        }
        let name = path
            .strip_prefix(workspace())
            .unwrap()
            .display()
            .to_string();
        let source = fs::read_to_string(&path).unwrap_or_default();
        let implements = |line: &&str| line.starts_with("impl") || line.starts_with("    impl");
        let of_it = |line: &&str| line.contains(" Defences for ");
        let lines = source.lines().filter(implements).filter(of_it);
        found.extend(lines.map(|line| format!("{name}: {}", line.trim())));
    }
}
