//! The ladder's peers in Rust: they are built as a student builds them, and graded on the rungs that they speak.
//!
//! `latchstring lab self-test` grades the peer of the lab "Mend it" on every rung. Here are some of them, and what must not
//! pass. It also grades the peers that other labs begin with; here are the rungs and sides that no lab has.

#[path = "mended/section.rs"]
mod section;

use std::{
    collections::BTreeSet,
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use latchstring_arena::DEFAULT_SEED;
use latchstring_classroom::{catalogue::Side, labs};
use latchstring_ladder::{
    Rung, folder,
    grade::{self, Finding, Promise, client::Launch},
    rung::Idea,
};
use latchstring_net::loopback::Loopback;
use latchstring_tests::{
    binary, copy,
    peers::{Running, listening, with_input},
    workspace,
};
use section::{commands, halves, in_place_of, mended, talk};
use tempfile::TempDir;

/// The peers, built one after the other: they share the dependencies, which take most of the time.
static PEERS: LazyLock<Peers> = LazyLock::new(|| Peers {
    start: built("start", |package| lay_out(package, &["start"])),
    solution: built("solution", |package| {
        lay_out(package, &["start", "solution"])
    }),
    // No frame has to have the next number.
    without_order: built("without-order", |package| {
        lay_out(package, &["start", "solution"]);
        let path = package.join("src/rung.rs");
        let rungs = fs::read_to_string(&path).unwrap();
        let without = rungs.replace("ORDER: u8 = 3", "ORDER: u8 = 9");
        assert_ne!(without, rungs);
        fs::write(path, without).unwrap();
    }),
    of_rungs: (0..=8)
        .map(|rung| {
            built(&format!("rung{rung}"), |package| {
                lay_out_layers(package, rung)
            })
        })
        .collect(),
});

struct Peers {
    start: PathBuf,
    solution: PathBuf,
    without_order: PathBuf,
    /// By rung.
    of_rungs: Vec<PathBuf>,
}

/// Lays out the parts of the lab over each other, as a check does.
fn lay_out(package: &Path, parts: &[&str]) {
    let lab = labs::find(labs::built_in().unwrap(), "15").unwrap();
    let rust = lab.language(Some("rust")).unwrap();
    for part in parts {
        lab.lay_out(part, rust, package).unwrap();
    }
}

/// Lays out the peer of a rung, as the labs of this rung have it when they are solved.
fn lay_out_layers(package: &Path, rung: u8) {
    for layer in 0..=rung {
        let layer = workspace().join(format!("labs/peers/rust/rung{layer}"));
        copy(&layer, package);
    }
}

/// Where packages are built.
fn top() -> PathBuf {
    let test = env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("climb")
}

/// Writes a package and builds it.
fn built(name: &str, write: impl Fn(&Path)) -> PathBuf {
    let top = top();
    let package = top.join(name);
    // Written again each time: the shared target folder tells two packages with one name apart by the time alone.
    let _ = fs::remove_dir_all(&package);
    write(&package);
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--offline", "--locked"]);
    let cargo = cargo.current_dir(&package);
    let cargo = cargo.env("CARGO_TARGET_DIR", top.join("target"));
    let output = cargo.env("RUSTFLAGS", "-D warnings").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}");
    let peer = package.join("peer");
    fs::copy(top.join("target/debug/peer"), &peer).unwrap();
    peer
}

fn rung(number: u8) -> Rung {
    Rung::new(number).unwrap()
}

fn keys(rung: Rung) -> TempDir {
    let keys = tempfile::tempdir().unwrap();
    folder::write(rung, keys.path()).unwrap();
    keys
}

/// One end of a peer on a rung. What it complains of is for the person who runs it.
fn peer(program: &Path, side: &str, rung: Rung, keys: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(side).args(["--rung", &rung.to_string()]);
    command.arg("--dir").arg(keys).stderr(Stdio::null());
    command
}

fn served(program: &Path, rung: Rung, keys: &Path) -> (Running, u16) {
    listening(peer(program, "server", rung, keys).args(["--port", "0"]))
}

fn grade_server(program: &Path, rung: Rung) -> Vec<Finding> {
    let keys = keys(rung);
    if rung.has(Idea::Proof) {
        // As in the lab: from here on a server finds no private key of a user.
        fs::remove_dir_all(keys.path().join("client.keys")).unwrap();
    }
    let (_server, port) = served(program, rung, keys.path());
    grade::server(rung, Loopback::v4(port), DEFAULT_SEED)
}

/// A client that is started for each session.
struct Client<'a> {
    program: &'a Path,
    rung: Rung,
    keys: &'a Path,
}

impl Launch for Client<'_> {
    fn launch(&mut self, port: u16, user: &str, input: &str) -> io::Result<bool> {
        let mut command = peer(self.program, "client", self.rung, self.keys);
        command.args(["--port", &port.to_string(), "--user", user]);
        Ok(with_input(&mut command, input).status.success())
    }
}

fn grade_client(program: &Path, rung: Rung) -> Vec<Finding> {
    let keys = keys(rung);
    let mut client = Client {
        program,
        rung,
        keys: keys.path(),
    };
    grade::client::client(rung, &mut client, DEFAULT_SEED).unwrap()
}

#[test]
fn the_solution_passes_the_grader_on_both_sides() {
    for number in [2, 7] {
        assert_eq!(grade_server(&PEERS.solution, rung(number)), []);
    }
    for number in [4, 8] {
        assert_eq!(grade_client(&PEERS.solution, rung(number)), []);
    }
}

#[test]
fn the_peers_of_the_rungs_pass_the_grader_where_no_lab_has_them() {
    let servers = [3];
    let clients = [2, 3, 4, 7, 8];
    let graded = (servers.iter().map(|rung| (Side::Server, *rung)))
        .chain(clients.iter().map(|rung| (Side::Client, *rung)));
    let of_labs = halves().into_iter().map(|(_, mend)| (mend.side, mend.rung));
    let all: Vec<(Side, u8)> = of_labs.chain(graded.clone()).collect();
    for number in 1..=8 {
        for side in [Side::Server, Side::Client] {
            assert!(
                all.contains(&(side, number)),
                "nobody grades the {side:?} of rung {number}"
            );
        }
    }
    for (side, number) in graded {
        let program = &PEERS.of_rungs[usize::from(number)];
        let found = match side {
            Side::Server => grade_server(program, rung(number)),
            Side::Client => grade_client(program, rung(number)),
        };
        assert_eq!(found, [], "{side:?} of rung {number}");
    }
}

#[test]
fn a_peer_that_speaks_one_rung_refuses_another() {
    let keys = keys(rung(1));
    let peer = peer(&PEERS.of_rungs[2], "server", rung(1), keys.path())
        .stderr(Stdio::piped())
        .args(["--port", "0"])
        .output()
        .unwrap();
    let error = String::from_utf8(peer.stderr).unwrap();
    assert_eq!(peer.status.code(), Some(1));
    assert!(error.contains("does not speak rung 1"), "{error}");
}

#[test]
fn the_commands_of_each_handout_let_the_peer_that_is_mended_in_rust_talk_to_ours() {
    // They are built first, since all of them share the folder.
    LazyLock::force(&PEERS);
    for (lab, _) in halves() {
        let mut replaced = in_place_of(&lab);
        replaced.retain(|(_, python)| python.starts_with("python3 "));
        let in_rust_too = |line: String| {
            let replace =
                |line: String, (rust, python): &(String, String)| line.replace(python, rust);
            replaced.iter().fold(line, replace)
        };
        let commands: Vec<String> = commands(&lab).into_iter().map(in_rust_too).collect();
        assert!(
            commands.iter().any(|line| line.contains("cargo run")),
            "{lab}: {commands:#?}"
        );
        talk(
            &lab,
            mended(&lab, "rust").path(),
            &top().join("target"),
            commands,
        );
    }
}

#[test]
fn without_the_check_of_the_number_the_attacks_of_rung_3_come_back() {
    let found = grade_server(&PEERS.without_order, rung(4));
    let promises: BTreeSet<Promise> = found.iter().map(|finding| finding.promise).collect();
    let back = ["message-replay", "drop", "reorder"].map(Promise::Withstands);
    assert_eq!(promises, BTreeSet::from(back), "{found:#?}");
    assert_eq!(
        grade_client(&PEERS.without_order, rung(4)),
        [],
        "its client counts by the acknowledgements"
    );
}

#[test]
fn the_start_speaks_rung_0_with_the_labs_peers_and_says_what_comes_next() {
    let (start, rung) = (&PEERS.start, Rung::FAITHFUL);
    let keys = keys(rung);
    let (server, port) = served(start, rung, keys.path());
    let mut connect = Command::new(binary("latchstring"));
    connect.args(["ladder", "connect", "--rung", "0", "--user", "bob"]);
    connect.args(["--port", &port.to_string(), "--dir"]);
    let output = with_input(connect.arg(keys.path()), "hello\n");
    assert!(
        output.status.success() && server.prints("bob: hello"),
        "{output:?}"
    );

    let mut serve = Command::new(binary("latchstring"));
    serve.args(["ladder", "serve", "--rung", "0", "--port", "0", "--dir"]);
    let serve = serve.arg(keys.path()).env("NO_COLOR", "1");
    let (server, port) = listening(serve);
    let mut client = peer(start, "client", rung, keys.path());
    client.args(["--port", &port.to_string(), "--user", "alice"]);
    assert!(with_input(&mut client, "hello\n").status.success());
    assert!(server.prints("text: hello"));

    let mut next = peer(start, "server", Rung::new(1).unwrap(), keys.path());
    let output = with_input(next.args(["--port", "0"]), "");
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("write the next rung"), "{error}");
}
