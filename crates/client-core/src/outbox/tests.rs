use std::{
    fs,
    io::{Seek, SeekFrom},
    os::unix::fs::PermissionsExt,
};

use proptest::prelude::*;

use super::*;

mod others;
mod survey;

const FIRST: [u8; 16] = [1; 16];
const SECOND: [u8; 16] = [2; 16];
const ELSEWHERE: [u8; 16] = [9; 16];

fn owner() -> Owner {
    Owner {
        host: Fingerprint([7; 32]),
        user: UserName::parse("alice").unwrap(),
        key: Fingerprint([1; 32]),
    }
}

fn open(dir: &Path) -> Result<Outbox, OutboxError> {
    Outbox::open(dir, owner())
}

fn waiting(outbox: &Outbox) -> Vec<(u64, String)> {
    let all = outbox.waiting();
    all.map(|(id, text)| (id, text.to_owned())).collect()
}

fn ids(outbox: &Outbox) -> Vec<u64> {
    outbox.waiting().map(|(id, _)| id).collect()
}

fn held(session: [u8; 16], text: &str) -> Option<Held> {
    Some(Held {
        session,
        content: content(KIND_TEXT, text),
    })
}

const TEXTS: [(u64, &str); 3] = [(4, "four"), (5, "five\nand \"more\""), (6, "sechs, größer")];

/// An outbox with three messages that were sent in the first session.
fn filled(dir: &Path) -> PathBuf {
    let mut outbox = open(dir).unwrap();
    outbox.settle(FIRST, 3, &[]).unwrap();
    for (id, text) in TEXTS {
        outbox.keep(id, text).unwrap();
    }
    outbox.path.clone()
}

#[test]
fn what_waits_is_there_after_a_restart_and_what_the_server_holds_is_not() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let mut outbox = open(dir.path()).unwrap();
    assert_eq!(
        waiting(&outbox),
        TEXTS.map(|(id, text)| (id, text.to_owned()))
    );
    // The acknowledgement of 4 was lost on the way.
    assert_eq!(outbox.in_doubt(4).unwrap(), [4]);
    let settled = outbox.settle(SECOND, 4, &[held(FIRST, "four")]).unwrap();
    let expected = Settled {
        stored: 1,
        again: Some((5, 6)),
        renumbered: false,
        others: false,
    };
    assert_eq!(settled, expected);
    drop(outbox);
    let mut outbox = open(dir.path()).unwrap();
    assert_eq!(ids(&outbox), [5, 6]);
    outbox.acknowledged(6).unwrap();
    let left = fs::read_to_string(&outbox.path).unwrap();
    assert!(!left.contains("five"), "emptied: {left}");
    drop(outbox);
    assert!(ids(&open(dir.path()).unwrap()).is_empty());
}

#[test]
fn a_file_or_a_directory_that_others_can_change_is_refused_with_what_to_run() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    for (what, good, bad) in [
        (&path, 0o644, 0o666),
        (&dir.path().to_owned(), 0o755, 0o777),
    ] {
        let mode = |mode| fs::set_permissions(what, fs::Permissions::from_mode(mode)).unwrap();
        mode(bad);
        let error = open(dir.path()).unwrap_err().to_string();
        assert!(error.contains("run: chmod go-w"), "{error}");
        mode(good);
        open(dir.path()).unwrap();
    }
}

/// The fault that lost messages: their ids were taken by another client, and the id alone decided.
#[test]
fn a_message_is_dropped_only_if_the_server_holds_this_very_message() {
    let (five, six) = (TEXTS[1].1, TEXTS[2].1);
    for (answers, left, others) in [
        // All of ours arrived.
        (
            vec![held(FIRST, "four"), held(FIRST, five), held(FIRST, six)],
            vec![],
            false,
        ),
        // None: another client said other things.
        (
            vec![
                held(ELSEWHERE, "a"),
                held(ELSEWHERE, "b"),
                held(ELSEWHERE, "c"),
            ],
            vec!["four", five, six],
            true,
        ),
        // Another client said the very same.
        (
            vec![
                held(ELSEWHERE, "four"),
                held(ELSEWHERE, five),
                held(ELSEWHERE, six),
            ],
            vec!["four", five, six],
            true,
        ),
        // One of ours arrived, then another client spoke.
        (
            vec![
                held(FIRST, "four"),
                held(ELSEWHERE, five),
                held(ELSEWHERE, "x"),
            ],
            vec![five, six],
            true,
        ),
        // A message was changed in the file after it was sent: what it says now was never sent.
        (
            vec![
                held(FIRST, "four"),
                held(FIRST, "was: five"),
                held(FIRST, six),
            ],
            vec![five],
            true,
        ),
        // A server that does not know the sessions any more: the texts decide, up to the first that differs.
        (
            vec![
                held([0; 16], "four"),
                held([0; 16], "x"),
                held([0; 16], six),
            ],
            vec![five, six],
            true,
        ),
        // A server whose answers make no sense loses nothing.
        (vec![None, None, None], vec!["four", five, six], true),
    ] {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path());
        let mut outbox = open(dir.path()).unwrap();
        assert_eq!(outbox.in_doubt(6).unwrap(), [4, 5, 6]);
        let settled = outbox.settle(SECOND, 6, &answers).unwrap();
        let expected: Vec<_> = (7..)
            .zip(left.iter().map(|text| (*text).to_owned()))
            .collect();
        assert_eq!(waiting(&outbox), expected, "{answers:?}");
        assert_eq!(
            (settled.stored, settled.others),
            (3 - left.len(), others),
            "{answers:?}"
        );
        assert_eq!(settled.renumbered, !left.is_empty(), "{answers:?}");
        drop(outbox);
        let again = open(dir.path()).unwrap();
        assert_eq!(waiting(&again), expected, "after a restart");
        // Under their new ids nobody has sent them yet, whatever the server says.
        assert_eq!(again.in_doubt(9).unwrap().len(), left.len());
    }
}

#[test]
fn messages_that_were_renumbered_are_known_again_by_the_session_that_sent_them() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let mut outbox = open(dir.path()).unwrap();
    let others: Vec<_> = (0..6).map(|_| held(ELSEWHERE, "x")).collect();
    outbox.settle(SECOND, 9, &others[..3]).unwrap();
    assert_eq!(ids(&outbox), [10, 11, 12]);
    drop(outbox);
    let mut outbox = open(dir.path()).unwrap();
    // The second session sent them as 10 to 12, and two arrived. The first session never sent anything under these ids.
    let answers = [held(SECOND, TEXTS[0].1), held(FIRST, TEXTS[1].1)];
    let settled = outbox.settle([3; 16], 11, &answers).unwrap();
    assert_eq!((settled.stored, settled.others), (1, true));
    assert_eq!(ids(&outbox), [12, 13]);
    assert_eq!(waiting(&outbox)[0].1, TEXTS[1].1);
}

#[test]
fn a_crash_at_any_byte_loses_at_most_the_message_that_was_being_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    // Every kind of line.
    let mut outbox = open(dir.path()).unwrap();
    outbox.acknowledged(4).unwrap();
    let answers = [held(FIRST, TEXTS[1].1), held(ELSEWHERE, "x")];
    outbox.settle(SECOND, 7, &answers).unwrap();
    outbox.keep(9, "nine").unwrap();
    drop(outbox);
    let whole = fs::read(&path).unwrap();
    let states: [&[(u64, &str)]; 10] = [
        &[],
        &[],
        &[],
        &[],
        &TEXTS[..1],
        &TEXTS[..2],
        &TEXTS,
        &TEXTS[1..],
        &[(8, TEXTS[2].1)],
        &[(8, TEXTS[2].1)],
    ];
    for cut in 0..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let lines = whole[..cut].iter().filter(|b| **b == b'\n').count();
        let mut outbox = open(dir.path()).unwrap();
        let mut expected: Vec<(u64, String)> = match states.get(lines) {
            Some(state) => state
                .iter()
                .map(|(id, text)| (*id, (*text).to_owned()))
                .collect(),
            None => vec![(8, TEXTS[2].1.to_owned()), (9, "nine".to_owned())],
        };
        assert_eq!(waiting(&outbox), expected, "cut at {cut}");
        // The program goes on after the torn line, and everything is readable.
        outbox.keep(20, "twenty").unwrap();
        drop(outbox);
        expected.push((20, "twenty".to_owned()));
        assert_eq!(
            waiting(&open(dir.path()).unwrap()),
            expected,
            "cut at {cut}"
        );
    }
}

#[test]
fn a_whole_line_that_is_broken_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    let text = fs::read_to_string(&path).unwrap();
    for (good, bad) in [
        ("four", "fo\"ur"),
        ("message", "massage"),
        ("{\"session\":\"01", "{\"session\":\"xx"),
        ("{\"session\":\"01", "{\"session\":\"0101"),
    ] {
        fs::write(&path, text.replacen(good, bad, 1)).unwrap();
        let error = open(dir.path()).unwrap_err();
        let line = if good.contains("session") { 3 } else { 4 };
        assert!(
            matches!(error, OutboxError::BrokenLine { line: at, .. } if at == line),
            "{error}"
        );
    }
}

#[test]
fn an_outbox_of_another_host_is_not_taken_for_ours() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    let other = Owner {
        host: Fingerprint([8; 32]),
        ..owner()
    };
    let theirs = Outbox::open(dir.path(), other.clone())
        .unwrap()
        .path
        .clone();
    assert_ne!(path, theirs, "two hosts behind one name share nothing");
    fs::copy(&path, &theirs).unwrap();
    let error = Outbox::open(dir.path(), other).unwrap_err();
    assert!(matches!(error, OutboxError::Foreign(at) if at == theirs));
}

#[test]
fn a_message_that_is_too_long_holds_nothing_up_and_stays_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    let text = fs::read_to_string(&path).unwrap();
    let long = "x".repeat(MAX_TEXT + 1);
    fs::write(&path, text.replacen("five", &long, 1)).unwrap();
    let mut outbox = open(dir.path()).unwrap();
    let unsendable: Vec<_> = outbox.unsendable().collect();
    let [Unsendable { line: 5, bytes }] = unsendable[..] else {
        panic!("{unsendable:?}");
    };
    assert!(bytes > MAX_TEXT);
    assert_eq!(ids(&outbox), [4, 6]);
    let settled = outbox.settle(SECOND, 3, &[]).unwrap();
    assert_eq!(
        ids(&outbox),
        [4, 5],
        "no gap, or the server would refuse the rest"
    );
    assert!(settled.renumbered);
    outbox.acknowledged(5).unwrap();
    drop(outbox);
    let outbox = open(dir.path()).unwrap();
    assert_eq!((ids(&outbox), outbox.unsendable().len()), (vec![], 1));
    assert!(
        fs::read_to_string(&path).unwrap().contains(&long),
        "it is the user's to delete"
    );
}

#[test]
fn a_server_that_forgot_is_noticed_and_so_is_another_sender() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let mut outbox = open(dir.path()).unwrap();
    let error = outbox.in_doubt(2).unwrap_err();
    assert!(matches!(
        error,
        OutboxError::ServerForgot {
            last: 2,
            acked: 3,
            ..
        }
    ));
    outbox.acknowledged(6).unwrap();
    let error = outbox.in_doubt(5).unwrap_err();
    assert!(matches!(
        error,
        OutboxError::ServerForgot {
            last: 5,
            acked: 6,
            ..
        }
    ));
    assert!(
        outbox.settle(SECOND, 7, &[]).unwrap().others,
        "7 was never sent from here"
    );
    assert!(outbox.in_doubt(6).is_err(), "7 is known to have been there");
}

#[test]
fn the_file_is_private_and_used_by_one_client_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = open(dir.path()).unwrap();
    let mode = fs::metadata(&outbox.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(matches!(open(dir.path()), Err(OutboxError::InUse(_))));
    for other in [
        Owner {
            user: UserName::parse("bob").unwrap(),
            ..owner()
        },
        Owner {
            key: Fingerprint([2; 32]),
            ..owner()
        },
        Owner {
            host: Fingerprint([2; 32]),
            ..owner()
        },
    ] {
        assert!(Outbox::open(dir.path(), other).is_ok());
    }
}

#[test]
fn ids_at_the_end_of_all_numbers_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    let end = format!(
        "{{\"message\":{{\"id\":{max},\"text\":\"last\"}}}}\n{{\"settled\":{{\"last\":{max},\"drop\":[[0,\"\"]]}}}}\n{{\"acked\":{max}}}\n",
        max = u64::MAX
    );
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    file.write_all(end.as_bytes()).unwrap();
    let outbox = open(dir.path()).unwrap();
    assert!(matches!(
        outbox.in_doubt(5),
        Err(OutboxError::ServerForgot { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Whatever the server answers, nothing is dropped that it has not shown to be ours, and the rest stays in order.
    #[test]
    fn only_what_is_shown_to_be_ours_is_dropped(last in 3u64..10, answers in prop::collection::vec(0u8..5, 3)) {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path());
        let mut outbox = open(dir.path()).unwrap();
        let doubtful = outbox.in_doubt(last).unwrap();
        let answers: Vec<_> = doubtful.iter().zip(&answers).map(|(id, answer)| {
            let text = TEXTS[(*id - 4) as usize].1;
            match answer {
                0 => None,
                1 => held(FIRST, text),
                2 => held(ELSEWHERE, text),
                3 => held(FIRST, "x"),
                _ => held(SECOND, text),
            }
        }).collect();
        let shown = |id: u64| {
            let place = doubtful.iter().position(|doubtful| *doubtful == id);
            place.is_some_and(|place| answers[place] == held(FIRST, TEXTS[(id - 4) as usize].1))
        };
        let left: Vec<_> = TEXTS.iter().filter(|(id, _)| !shown(*id)).map(|(_, text)| (*text).to_owned()).collect();
        outbox.settle(SECOND, last, &answers).unwrap();
        let expected: Vec<_> = (last + 1..).zip(left).collect();
        prop_assert_eq!(waiting(&outbox), expected.clone());
        drop(outbox);
        prop_assert_eq!(waiting(&open(dir.path()).unwrap()), expected);
    }
}
