//! `kill -9` at any moment: what was acknowledged is there, once, and nothing is missing before it.
//!
//! The kernel survives here, so this shows that commits are whole and in order. That they also wait for the disk is
//! asserted by `sqlite::tests::every_connection_waits_for_the_disk`.

mod common;

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use common::{account, message};
use latchstring_store::{Accounts, Appended};
use latchstring_store_sqlite::Sqlite;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// Set for the child alone: the file to write to.
const STORE: &str = "LATCHSTRING_TEST_STORE";
const ROUNDS: u64 = 20;

fn text(id: u64) -> String {
    format!("message {id} ").repeat((id % 60) as usize + 1)
}

/// Appends for ever, and says each id once it is durable: what the child does.
async fn append_for_ever(path: &Path) {
    let store = Sqlite::open(path).await.expect("opened");
    let a = account("alice");
    let last = store.last_message_id(&a.user, &a.kid).await.expect("last");
    // A client that never heard the acknowledgement sends the last message again.
    for id in last.max(1).. {
        let done = store
            .append(&a.user, &a.kid, &message(id, 0, &text(id)))
            .await;
        let expected = match id == last {
            true => Appended::Duplicate,
            false => Appended::Appended,
        };
        assert_eq!(done.expect("appended"), expected);
        // One write a line, so that a kill cannot leave half a number.
        let line = format!("{id}\n");
        std::io::stderr().write_all(line.as_bytes()).expect("said");
    }
}

/// Starts the child, kills it at a moment that `rng` picks, and returns the last id that it acknowledged.
fn run_and_kill(path: &Path, rng: &mut ChaCha8Rng) -> u64 {
    let mut child = Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "nothing_acknowledged_is_lost", "--nocapture"])
        .env(STORE, path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let mut ids = Vec::new();
    for _ in 0..rng.random_range(1..40) {
        let line = lines.next().expect("the child lives").expect("a line");
        ids.push(line.parse().unwrap_or_else(|_| panic!("child: {line}")));
    }
    thread::sleep(Duration::from_micros(rng.random_range(0..3000)));
    child.kill().expect("killed"); // SIGKILL
    child.wait().expect("gone");
    // What it said before it died counts as well; a line cut off by the kill does not.
    ids.extend(lines.map_while(|line| line.ok()?.parse::<u64>().ok()));
    assert!(ids.windows(2).all(|two| two[0] + 1 == two[1]), "{ids:?}");
    ids[ids.len() - 1]
}

#[tokio::test]
async fn nothing_acknowledged_is_lost() {
    // The child is this same test, started again with a file to write to.
    if let Some(path) = env::var_os(STORE) {
        return append_for_ever(Path::new(&path)).await;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("accounts.db");
    let a = account("alice");
    let store = Sqlite::create(&path).await.expect("created");
    store.add(&a).await.expect("added");
    store.close().await;

    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for round in 0..ROUNDS {
        let acknowledged = run_and_kill(&path, &mut rng);
        // Opening checks the integrity of the whole file.
        let store = Sqlite::open(&path).await.expect("in order");
        let log = store.messages(&a.user, &a.kid).await.expect("read");
        assert!(
            log.len() as u64 >= acknowledged,
            "round {round}: {} of {acknowledged}",
            log.len()
        );
        for (i, message) in log.iter().enumerate() {
            assert_eq!(message.id, i as u64 + 1, "round {round}");
            assert_eq!(message.text, text(message.id), "round {round}");
        }
        store.close().await;
    }
}
