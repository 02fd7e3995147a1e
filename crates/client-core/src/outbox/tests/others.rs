//! Files that belong to this outbox under another name, and files that belong to none.

use super::*;

/// What `known_hosts` says, and the host of this session.
fn hosts() -> Vec<(String, Fingerprint)> {
    let ours = ["host:1", "127.0.0.1:1", "[::1]:1", "localhost:1"];
    let ours = ours.map(|name| (name.to_owned(), owner().host));
    let theirs = ("other:1".to_owned(), Fingerprint([2; 32]));
    ours.into_iter().chain([theirs]).collect()
}

fn adopt(outbox: &mut Outbox, dir: &Path) -> Vec<Stray> {
    outbox.adopt(dir, &hosts()).unwrap()
}

/// The file of an earlier version, for this host and port.
fn old_file(dir: &Path, host: &str, text: &str) -> PathBuf {
    let name = hash(&[host.as_bytes(), b"\0", &owner().key.0]);
    let path = dir.join(format!("alice-{}.jsonl", hex::encode(&name[..8])));
    fs::write(&path, text).unwrap();
    path
}

const OLD: &str = "{\"acked\":3}\n{\"message\":{\"id\":4,\"text\":\"old four\"}}\n{\"message\":{\"id\":5,\"text\":\"old five\"}}\n";

#[test]
fn what_an_earlier_version_kept_under_the_hosts_name_is_taken_over_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = filled(dir.path());
    let old = old_file(dir.path(), "host:1", OLD);
    let other = old_file(dir.path(), "other:1", OLD);
    let mut outbox = open(dir.path()).unwrap();
    assert!(adopt(&mut outbox, dir.path()).is_empty());
    assert!(!old.exists() && other.exists());
    // A crash before the deletion: the same file is there once more.
    fs::write(&old, OLD).unwrap();
    drop(outbox);
    let mut outbox = open(dir.path()).unwrap();
    assert!(adopt(&mut outbox, dir.path()).is_empty());
    assert!(!old.exists());
    assert_eq!(ids(&outbox), [4, 5, 6, 4, 5]);
    // The server holds our 4 and 5; the old ones say something else.
    let (four, five) = (held(FIRST, TEXTS[0].1), held(FIRST, TEXTS[1].1));
    assert_eq!(outbox.in_doubt(5).unwrap(), [4, 5, 4, 5]);
    outbox.settle(SECOND, 5, &[four, five, four, five]).unwrap();
    let expected = [(6, TEXTS[2].1), (7, "old four"), (8, "old five")];
    let expected = expected.map(|(id, text)| (id, text.to_owned()));
    assert_eq!(waiting(&outbox), expected);
    drop(outbox);
    assert_eq!(waiting(&open(dir.path()).unwrap()), expected);
    assert!(fs::read_to_string(path).unwrap().contains("adopted"));
}

#[test]
fn what_an_earlier_version_sent_is_known_by_its_text() {
    let dir = tempfile::tempdir().unwrap();
    old_file(dir.path(), "host:1", OLD);
    let mut outbox = open(dir.path()).unwrap();
    assert!(adopt(&mut outbox, dir.path()).is_empty());
    let answers = [held(ELSEWHERE, "old four"), held(ELSEWHERE, "x")];
    let settled = outbox.settle(FIRST, 5, &answers).unwrap();
    assert_eq!((settled.stored, settled.others), (1, true));
    assert_eq!(waiting(&outbox), [(6, "old five".to_owned())]);
}

#[test]
fn an_old_file_that_is_in_use_or_broken_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let old = old_file(dir.path(), "host:1", OLD);
    let mut outbox = open(dir.path()).unwrap();
    let held = File::open(&old).unwrap();
    held.lock().unwrap();
    assert!(matches!(outbox.adopt(dir.path(), &hosts()), Err(OutboxError::InUse(at)) if at == old));
    drop(held);
    fs::write(&old, "nonsense\n").unwrap();
    let error = outbox.adopt(dir.path(), &hosts()).unwrap_err();
    assert!(matches!(error, OutboxError::BrokenLine { line: 1, path } if path == old));
    assert!(old.exists() && ids(&outbox).is_empty());
    // One that is too long comes along, and is named where it is now.
    let long = "x".repeat(MAX_TEXT + 1);
    fs::write(&old, OLD.replacen("old four", &long, 1)).unwrap();
    assert!(adopt(&mut outbox, dir.path()).is_empty());
    assert_eq!((ids(&outbox), outbox.unsendable().len()), (vec![5], 1));
}

#[test]
fn what_an_earlier_version_kept_under_any_spelling_of_any_name_of_the_host_is_taken_over() {
    for spelling in [
        "host.:1",
        "localhost:1",
        "127.0.0.1:1",
        "127.0.0.1.:1",
        "127.1:1",
        "2130706433:1",
        "[::ffff:127.0.0.1]:1",
        "[::1]:1",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let old = old_file(dir.path(), spelling, OLD);
        let mut outbox = open(dir.path()).unwrap();
        assert!(adopt(&mut outbox, dir.path()).is_empty());
        assert_eq!(ids(&outbox), [4, 5], "{spelling}");
        assert!(!old.exists());
    }
}

#[test]
fn what_belongs_to_no_known_host_is_left_alone_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let named = |stray: &Stray, why: &str| {
        let text = stray.to_string();
        for needle in ["2 messages", why, stray.path.to_str().unwrap()] {
            assert!(text.contains(needle), "{needle}: {text}");
        }
        text
    };
    let forgotten = old_file(dir.path(), "forgotten:1", OLD);
    old_file(dir.path(), "nothing-waits:1", "{\"acked\":3}\n");
    old_file(dir.path(), "other.:1", OLD);
    let mut outbox = open(dir.path()).unwrap();
    let strays = adopt(&mut outbox, dir.path());
    let [stray] = &strays[..] else {
        panic!("{strays:?}");
    };
    let text = named(stray, "earlier version");
    assert!(ids(&outbox).is_empty() && forgotten.exists());
    // The line that the text gives says whose they are.
    let line = text.split_once(": {").unwrap().1;
    fs::write(&forgotten, format!("{{{line}\n{OLD}")).unwrap();
    assert!(adopt(&mut outbox, dir.path()).is_empty());
    assert_eq!(ids(&outbox), [4, 5]);
    assert!(!forgotten.exists());
}

/// The operator makes a new host key as the page says, or the user makes a new key. Once, the outbox of the old one was
/// neither sent nor named.
#[test]
fn what_waits_for_a_key_that_is_gone_is_named_and_sent_once_the_user_says_so() {
    let old_host = Owner {
        host: Fingerprint([8; 32]),
        ..owner()
    };
    let old_key = Owner {
        key: Fingerprint([8; 32]),
        ..owner()
    };
    for (old, why) in [(old_host, "host key SHA256"), (old_key, "your key SHA256")] {
        let dir = tempfile::tempdir().unwrap();
        let mut before = Outbox::open(dir.path(), old).unwrap();
        before.keep(1, "one").unwrap();
        let path = before.path().to_owned();
        drop(before);
        let mut outbox = open(dir.path()).unwrap();
        let strays = adopt(&mut outbox, dir.path());
        assert_eq!(strays.len(), 1);
        let text = strays[0].to_string();
        let gone = Fingerprint([8; 32]).to_string();
        for needle in ["1 message ", why, &gone, "line 1", path.to_str().unwrap()] {
            assert!(text.contains(needle), "{needle}: {text}");
        }
        let [host, _, key] = outbox.owner_in_words();
        let ours = if why.starts_with("host") { host } else { key };
        let mended = fs::read_to_string(&path).unwrap().replace(&gone, &ours);
        fs::write(&path, mended).unwrap();
        assert!(adopt(&mut outbox, dir.path()).is_empty());
        assert_eq!(waiting(&outbox), [(1, "one".to_owned())]);
        assert!(!path.exists());
    }
}

#[test]
fn what_waits_for_another_known_host_or_another_user_is_no_business_of_this_session() {
    let dir = tempfile::tempdir().unwrap();
    let theirs = Owner {
        host: Fingerprint([2; 32]),
        ..owner()
    };
    let bobs = Owner {
        user: UserName::parse("bob").unwrap(),
        ..owner()
    };
    // Both are open, as another client has them.
    let mut others = [theirs, bobs].map(|owner| Outbox::open(dir.path(), owner).unwrap());
    for other in &mut others {
        other.keep(1, "one").unwrap();
    }
    fs::write(
        dir.path().join("alice-0123456789abcdef.jsonl"),
        "nonsense\n",
    )
    .unwrap();
    fs::write(dir.path().join("alice-notes.txt"), "nonsense\n").unwrap();
    let mut outbox = open(dir.path()).unwrap();
    let strays = adopt(&mut outbox, dir.path());
    assert!(
        matches!(
            &strays[..],
            [Stray {
                why: WhyNot::Unreadable(_),
                ..
            }]
        ),
        "{strays:?}"
    );
    assert!(strays[0].to_string().contains("line 1 of"));
}

/// Whoever follows the advice to delete the line of a message that is too long deletes no other message.
#[test]
fn a_message_that_is_too_long_has_a_line_of_its_own_when_it_was_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let long = "x".repeat(MAX_TEXT + 1);
    old_file(dir.path(), "host:1", &OLD.replacen("old four", &long, 1));
    let mut outbox = open(dir.path()).unwrap();
    adopt(&mut outbox, dir.path());
    let line = outbox.unsendable().next().unwrap().line;
    let path = outbox.path().to_owned();
    drop(outbox);
    let text = fs::read_to_string(&path).unwrap();
    let rest: Vec<_> = (text.lines().enumerate())
        .filter(|(at, _)| at + 1 != line)
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    fs::write(&path, rest.concat()).unwrap();
    let outbox = open(dir.path()).unwrap();
    assert_eq!((ids(&outbox), outbox.unsendable().len()), (vec![5], 0));
}
