//! The ladder's grader takes the peers in Python for what they are. They were written from a rung's page alone: honest ones pass,
//! and one that notices nothing does not.

use std::{fs, io, path::Path};

use latchstring_arena::DEFAULT_SEED;
use latchstring_ladder::{
    Idea, Rung, folder,
    grade::{self, Promise, client::Launch},
};
use latchstring_net::loopback::Loopback;
use latchstring_tests::peers::{listening, rung_in_python, with_input};

/// The rungs whose peers are graded: on rung 0 a client that is fast writes two texts as one.
fn graded() -> impl Iterator<Item = Rung> {
    Rung::spoken().filter(|rung| rung.has(Idea::Numbers))
}

/// The grader takes the servers in Python for what they are: honest ones.
#[test]
fn the_servers_in_python_pass_the_grader() {
    for rung in graded() {
        let keys = tempfile::tempdir().unwrap();
        folder::write(rung, keys.path()).unwrap();
        let mut command = rung_in_python("server.py", rung, keys.path());
        if rung.has(Idea::Proof) {
            // Such a server holds public keys alone.
            fs::remove_dir_all(keys.path().join("client.keys")).unwrap();
        }
        let (_server, port) = listening(command.args(["--port", "0"]));
        let found = grade::server(rung, Loopback::v4(port), DEFAULT_SEED);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "rung {rung}: {found:#?}");
    }
}

/// Starts the client in Python for the grader, with a flaw that is sent in its place.
struct InPython<'a> {
    rung: Rung,
    keys: &'a Path,
    /// Whether the client says that all is well, whatever happened.
    always_well: bool,
}

impl Launch for InPython<'_> {
    fn launch(&mut self, port: u16, user: &str, input: &str) -> io::Result<bool> {
        let mut command = rung_in_python("client.py", self.rung, self.keys);
        command.args(["--port", &port.to_string(), "--user", user]);
        let output = with_input(&mut command, input);
        Ok(output.status.success() || self.always_well)
    }
}

fn broken_by_the_client_in_python(rung: Rung, always_well: bool) -> Vec<(Promise, String)> {
    let keys = tempfile::tempdir().unwrap();
    folder::write(rung, keys.path()).unwrap();
    let mut launch = InPython {
        rung,
        keys: keys.path(),
        always_well,
    };
    let found = grade::client::client(rung, &mut launch, DEFAULT_SEED).unwrap();
    let found = found.into_iter();
    found
        .map(|finding| (finding.promise, finding.to_string()))
        .collect()
}

#[test]
fn the_clients_in_python_pass_the_grader() {
    for rung in graded() {
        let broken = broken_by_the_client_in_python(rung, false);
        assert_eq!(broken, [], "rung {rung}");
    }
}

#[test]
fn a_client_in_python_that_notices_nothing_does_not_pass_the_grader() {
    let broken = broken_by_the_client_in_python(Rung::new(5).unwrap(), true);
    let promises: Vec<Promise> = broken.into_iter().map(|(promise, _)| promise).collect();
    // Two hosts are not the right one: one shows another key, and one cannot sign with the key that it shows.
    let missed = [
        "bit-flip",
        "reflection",
        "drop",
        "truncation",
        "rogue-server",
        "rogue-server",
    ];
    assert_eq!(promises, missed.map(Promise::Withstands));
}
