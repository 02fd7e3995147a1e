//! A file over as many sessions as it takes: whatever is cut and whoever is killed, each part is in the server's store
//! once, at the end. Without the journal it is not.

mod support;
#[path = "support/world.rs"]
mod world;

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    path::{Path, PathBuf},
    pin::pin as pinned,
    task::Poll,
};

use latchstring_client_core::{
    ClientError, Delivery,
    delivery::DeliveryError,
    journal::{Journal, JournalError},
    receipt::{FORMAT, Receipt},
    send_file::{FileSender, SendError},
};
use latchstring_net::protocol::hardened::{message::Fingerprint, signature::Signer};
use latchstring_parcel::{Assembly, Name, PART_BYTES, Received, Sender, join, split};
use proptest::prelude::*;
use support::{ALICE, HOST, alice, password, pin};
use tempfile::TempDir;
use world::{DOWN, Fate, KIND, RECORD, UP, World, on_a_paused_clock, open};

/// A record with a part in it.
const LONG_RECORD: usize = 16_420;
const NOW: u64 = 1_700_000_000;

/// The client hears two acknowledgements, and nothing after them.
const DEAF: Fate = Fate {
    down: DOWN + 2 * RECORD,
    ..KIND
};

/// Five parts.
fn content() -> Vec<u8> {
    (0..4 * PART_BYTES + 100).map(|i| (i / 3) as u8).collect()
}

fn texts(bytes: &[u8]) -> Vec<String> {
    let parts = split(Name::new("answers.zip").unwrap(), bytes).unwrap();
    parts.texts().collect()
}

/// The future, unless it is not done after so many steps: as if its program had been killed there.
async fn killed_after<T>(steps: usize, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut left) = (pinned!(future), steps);
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// One run of the sender; `None` if it was killed.
async fn send(
    world: &mut World,
    bytes: &[u8],
    journal: &Path,
    fate: &Fate,
) -> Option<Result<Receipt, SendError>> {
    let stream = world.connect(fate);
    let outbox = open(world.computers[0].dir.path());
    let parts = split(Name::new("answers.zip").unwrap(), bytes).unwrap();
    let mut journal = Journal::open(journal.to_owned()).unwrap();
    let sent = async {
        let connection = alice().login(stream, &pin(&HOST), password).await;
        let connection = connection.map_err(|source| SendError::Delivery {
            stored: 0,
            count: 0,
            source: DeliveryError::Client(source),
        })?;
        let sender = FileSender::new(&parts, &mut journal, || NOW);
        sender.send(connection, outbox, "h:1", |_| {}).await
    };
    killed_after(fate.events, sent).await
}

/// What `connect` does between two runs of the sender: it sends what waits in the outbox, and a line.
async fn connect(world: &mut World, line: &str) {
    let stream = world.connect(&KIND);
    let outbox = open(world.computers[0].dir.path());
    let connection = alice().login(stream, &pin(&HOST), password).await.unwrap();
    let mut delivery = Delivery::begin(connection, outbox).unwrap();
    let mut lines = VecDeque::from([line.to_owned()]);
    loop {
        if delivery.has_room()
            && let Some(line) = lines.pop_front()
        {
            delivery.send(&line).unwrap();
        }
        if delivery.is_done() && lines.is_empty() {
            break;
        }
        delivery.event().await.unwrap();
    }
    world.computers[0].kept.push(line.to_owned());
}

fn counts(texts: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for text in texts {
        *counts.entry(text.as_str()).or_default() += 1;
    }
    counts
}

struct Place {
    _dir: TempDir,
    journal: PathBuf,
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::beside(&dir.path().join("answers.zip"));
    assert!(journal.ends_with("answers.zip.sending"));
    Place { _dir: dir, journal }
}

fn sender() -> Sender {
    Sender {
        user: alice().user,
        key: Fingerprint::of(ALICE.public_key()),
    }
}

async fn every_part_is_stored_once(visits: Vec<(Fate, bool)>) -> Result<(), TestCaseError> {
    let (mut world, place, bytes) = (World::new().await, place(), content());
    for (n, (fate, then_connect)) in visits.iter().enumerate() {
        // A run that gets through is the end of it.
        if let Some(Ok(_)) = send(&mut world, &bytes, &place.journal, fate).await {
            return check(&world, &bytes).await;
        }
        if fate.restart {
            world.kill_server();
        }
        if *then_connect {
            connect(&mut world, &format!("line {n}")).await;
        }
    }
    let receipt = send(&mut world, &bytes, &place.journal, &KIND).await;
    let receipt = receipt.unwrap().unwrap();
    let stored = world.texts().await;
    for (part, text) in receipt.parts.iter().zip(texts(&bytes)) {
        prop_assert_eq!(
            &stored[part.id as usize - 1],
            &text,
            "the receipt names its message"
        );
    }
    // Once more with the same journal: nothing is sent, and the receipt is the same.
    let again = send(&mut world, &bytes, &place.journal, &KIND).await;
    prop_assert_eq!(again.unwrap().unwrap(), receipt);
    check(&world, &bytes).await
}

async fn check(world: &World, bytes: &[u8]) -> Result<(), TestCaseError> {
    let stored = world.texts().await;
    let expected = [texts(bytes), world.computers[0].kept.clone()].concat();
    prop_assert_eq!(counts(&stored), counts(&expected));
    Ok(())
}

/// How one run ends, and whether the user sends a line before the next one.
fn visit() -> impl Strategy<Value = (Fate, bool)> {
    let (no_cut, no_kill) = (Just(usize::MAX), Just(usize::MAX));
    let up = prop_oneof![no_cut, UP - 150..UP + 6 * LONG_RECORD];
    let down = prop_oneof![no_cut, DOWN - 150..DOWN + 12 * RECORD];
    let steps = prop_oneof![no_kill, 0..60_usize];
    let fate = (up, down, steps, any::<bool>()).prop_map(|(up, down, events, restart)| Fate {
        up,
        down,
        events,
        restart,
    });
    (fate, any::<bool>())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn every_part_is_stored_once_whatever_is_cut(visits in prop::collection::vec(visit(), 1..6)) {
        on_a_paused_clock(every_part_is_stored_once(visits))?;
    }
}

/// The twin of the test above: what keeps parts from being stored twice is the journal.
#[test]
fn without_the_journal_parts_are_stored_twice_and_the_file_still_came_once() {
    for keeps_journal in [true, false] {
        on_a_paused_clock(after_a_break(keeps_journal)).unwrap();
    }
}

async fn after_a_break(keeps_journal: bool) -> Result<(), TestCaseError> {
    // More parts than are on their way at the same time, so that the break leaves some of them unsent.
    let bytes = vec![7; 69 * PART_BYTES + 1];
    let (mut world, place) = (World::new().await, place());
    let broken = send(&mut world, &bytes, &place.journal, &DEAF).await;
    assert!(matches!(broken, Some(Err(SendError::Delivery { .. }))));
    let before = world.texts().await.len();
    assert!((64..70).contains(&before), "{before}");
    if !keeps_journal {
        fs::remove_file(&place.journal).unwrap();
    }
    let receipt = send(&mut world, &bytes, &place.journal, &KIND).await;
    receipt.unwrap().unwrap();
    let stored = world.texts().await;
    match keeps_journal {
        true => check(&world, &bytes).await?,
        false => {
            assert_eq!(stored.len(), 70 + before);
            assert!(check(&world, &bytes).await.is_err());
        }
    }
    let mut assembly = Assembly::default();
    for (id, text) in (1..).zip(&stored) {
        let at = Some(id);
        assembly.add(&sender(), Received { id, at, text });
    }
    let file = assembly.files().next().unwrap();
    assert_eq!(file.times().len(), 1, "the whole of it came once");
    let found = file.messages().map(|id| &stored[id as usize - 1]);
    assert_eq!(join(file.head, found).unwrap(), bytes);
    Ok(())
}

#[test]
fn the_receipt_has_the_hash_of_the_file_and_the_key_of_the_host() {
    let test = async {
        let (mut world, place, bytes) = (World::new().await, place(), content());
        let receipt = send(&mut world, &bytes, &place.journal, &KIND).await;
        let receipt = receipt.unwrap().unwrap();
        let parts = split(Name::new("answers.zip").unwrap(), &bytes).unwrap();
        assert_eq!(receipt.format, FORMAT);
        assert_eq!(receipt.sha256, parts.head().sha256_hex());
        assert_eq!((&receipt.host[..], receipt.length), ("h:1", bytes.len()));
        assert_eq!(receipt.host_key, pin(&HOST).to_string());
        assert_eq!(receipt.user_key, pin(&ALICE).to_string());
        let ids: Vec<u64> = receipt.parts.iter().map(|part| part.id).collect();
        assert_eq!(ids, [1, 2, 3, 4, 5]);
        assert_eq!(receipt.last_part, "2023-11-14T22:13:20Z");

        // A receipt is never overwritten, and is read back as it was.
        let file = place._dir.path().join("answers.zip");
        let (one, two) = (
            receipt.save_beside(&file).unwrap(),
            receipt.save_beside(&file).unwrap(),
        );
        assert!(one.ends_with("answers.zip.receipt.json"), "{one:?}");
        assert!(two.ends_with("answers.zip.receipt-2.json"), "{two:?}");
        let read: Receipt = serde_json::from_slice(&fs::read(&two).unwrap()).unwrap();
        assert_eq!(read, receipt);
        Ok(())
    };
    on_a_paused_clock(test).unwrap();
}

/// A journal of other content under the same name is begun again: parts of two contents are never mixed.
#[test]
fn a_file_that_was_changed_is_sent_as_another_file() {
    let test = async {
        let (mut world, place, bytes) = (World::new().await, place(), content());
        let cut = Fate {
            up: UP + 2 * LONG_RECORD,
            ..KIND
        };
        let _ = send(&mut world, &bytes, &place.journal, &cut).await;
        let mut changed = bytes.clone();
        changed[0] ^= 1;
        let receipt = send(&mut world, &changed, &place.journal, &KIND).await;
        assert_eq!(receipt.unwrap().unwrap().parts.len(), 5);
        let stored = world.texts().await;
        for text in texts(&changed) {
            assert_eq!(stored.iter().filter(|stored| **stored == text).count(), 1);
        }
        Ok(())
    };
    on_a_paused_clock(test).unwrap();
}

#[test]
fn a_server_whose_store_was_set_back_is_noticed() {
    let test = async {
        let (mut world, place, bytes) = (World::new().await, place(), content());
        connect(&mut world, "before").await;
        let cut = Fate {
            up: UP + 2 * LONG_RECORD,
            ..KIND
        };
        let _ = send(&mut world, &bytes, &place.journal, &cut).await;
        let mut fresh = World::new().await;
        let error = send(&mut fresh, &bytes, &place.journal, &KIND).await;
        let error = error.unwrap().unwrap_err();
        assert!(
            matches!(
                error,
                SendError::ServerForgot {
                    last: 0,
                    after: 1,
                    ..
                }
            ),
            "{error}"
        );
        assert!(fresh.texts().await.is_empty());
        Ok(())
    };
    on_a_paused_clock(test).unwrap();
}

#[test]
fn a_journal_that_is_foreign_broken_or_in_use_is_refused() {
    let test = async {
        let (mut world, place, bytes) = (World::new().await, place(), content());
        let cut = Fate {
            up: UP + 2 * LONG_RECORD,
            ..KIND
        };
        let _ = send(&mut world, &bytes, &place.journal, &cut).await;
        let text = fs::read_to_string(&place.journal).unwrap();
        let other = text.replace("\"alice\"", "\"bob\"");
        fs::write(&place.journal, other).unwrap();
        let error = send(&mut world, &bytes, &place.journal, &KIND).await;
        let error = error.unwrap().unwrap_err();
        let foreign = matches!(&error, SendError::Journal(JournalError::Foreign { user, .. }) if user == "bob");
        assert!(foreign, "{error}");

        fs::write(&place.journal, format!("{text}nonsense\n")).unwrap();
        let error = Journal::open(place.journal.clone()).unwrap_err();
        assert!(matches!(error, JournalError::BrokenLine { .. }), "{error}");
        // A torn last line is the trace of a crash.
        fs::write(&place.journal, format!("{text}{{\"stor")).unwrap();
        let open = Journal::open(place.journal.clone()).unwrap();
        let error = Journal::open(place.journal.clone()).unwrap_err();
        assert!(matches!(error, JournalError::InUse(_)), "{error}");
        drop(open);
        assert_eq!(fs::read_to_string(&place.journal).unwrap(), text);
        send(&mut world, &bytes, &place.journal, &KIND)
            .await
            .unwrap()
            .unwrap();
        check(&world, &bytes).await
    };
    on_a_paused_clock(test).unwrap();
}

/// In a directory that others can write to, somebody may have put something there under the name of the journal.
#[test]
fn another_file_in_the_place_of_the_journal_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (mine, journal) = (dir.path().join("mine"), dir.path().join("a.zip.sending"));
    for text in ["no newline", "one line\n", "{\"acked\":1}\n"] {
        fs::write(&mine, text).unwrap();
        let links: [fn(&Path, &Path) -> std::io::Result<()>; 2] = [
            |to, at| std::os::unix::fs::symlink(to, at),
            |to, at| fs::hard_link(to, at),
        ];
        for link in links {
            link(&mine, &journal).unwrap();
            let error = Journal::open(journal.clone()).unwrap_err();
            assert!(matches!(error, JournalError::NotOurs(_)), "{error}");
            fs::remove_file(&journal).unwrap();
        }
        fs::write(&journal, text).unwrap();
        let error = Journal::open(journal.clone()).unwrap_err();
        assert!(
            matches!(error, JournalError::BrokenLine { line: 1, .. }),
            "{error}"
        );
        for file in [&mine, &journal] {
            assert_eq!(fs::read_to_string(file).unwrap(), text);
        }
        fs::remove_file(&journal).unwrap();
    }
    // The name leads nowhere: nothing is made there.
    std::os::unix::fs::symlink(dir.path().join("nowhere"), &journal).unwrap();
    assert!(Journal::open(journal).is_err());
    assert!(!dir.path().join("nowhere").exists());
}

/// The error says how far the file is, and has the exit code of the reason.
#[test]
fn an_end_without_agreement_is_reported() {
    let test = async {
        let (mut world, place, bytes) = (World::new().await, place(), content());
        let error = send(&mut world, &bytes, &place.journal, &DEAF).await;
        let error = error.unwrap().unwrap_err();
        assert_eq!(error.exit_code(), 5);
        let SendError::Delivery {
            stored,
            count,
            source,
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!((*stored, *count), (2, 5), "{error}");
        let silent = DeliveryError::Client(ClientError::Silent {
            seconds: 90,
            unacknowledged: vec![3, 4, 5],
        });
        assert_eq!(source.to_string(), silent.to_string());
        assert!(error.to_string().contains("2 of 5 parts"), "{error}");
        Ok(())
    };
    on_a_paused_clock(test).unwrap();
}
