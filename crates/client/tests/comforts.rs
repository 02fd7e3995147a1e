//! Names for hosts, known hosts, the status, and key files under a passphrase: as a person and a script use them.

mod support;

use std::{
    fs::{self, Permissions},
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use latchstring_keys::keyfile::{Private, load_private, open_private};
use latchstring_net::{entropy::OsEntropy, keyfile::load_public, picture::picture};
use serde_json::Value;
use support::{
    ALICE, HOST, PASSWORD, ROGUE, pin,
    program::{Host, code, home, host, know, program, put, script},
};

const PHRASE: &str = "open sesame";

/// The user's own configuration file, with alice at `address` as `work`.
fn configure(home: &Path, address: SocketAddr, more: &str) {
    let (ip, port, pw) = (address.ip(), address.port(), home.join("pw"));
    let text = format!(
        "# mine\nHost work\n  HostName {ip}\n  Port {port}\n  User alice\n  PasswordFile {}\n{more}",
        pw.display()
    );
    put(home, ".config/latchstring/config", &text);
}

/// Puts alice's key under a passphrase.
fn lock(home: &Path) {
    let path = home.join("id.pem");
    let phrase = Some(PHRASE.as_bytes());
    latchstring_keys::keyfile::change_passphrase(&ALICE, &path, phrase, &OsEntropy).unwrap();
}

#[test]
fn a_name_of_the_configuration_is_enough_for_every_command() {
    let home = home();
    let acts = [Host::Greet, Host::Serve(0), Host::Serve(1), Host::Serve(2)];
    let (address, said) = host(&HOST, &acts);
    let trusted = format!("  Fingerprint {}\n", pin(&HOST));
    configure(home.path(), address, &trusted);
    for (command, more, input) in [
        (&["send"][..], &["work", "one"][..], ""),
        (&["connect"], &["-q", "work"], "two\n"),
        (&["send-file"], &["work", "FILE"], ""),
    ] {
        let file = put(home.path(), "f.txt", "content");
        let more: Vec<&str> = more
            .iter()
            .map(|one| {
                if *one == "FILE" {
                    file.to_str().unwrap()
                } else {
                    one
                }
            })
            .collect();
        let (code, _, errors) = script(program(home.path(), command, &more), input);
        assert_eq!(code, 0, "{command:?}: {errors}");
        // The first time it meets the host before it logs in.
        while said.recv().unwrap()[0].0 == 0 {}
    }
    // The pin has the address, and not the name: another name of the configuration finds the same one.
    let known = fs::read_to_string(home.path().join("known_hosts")).unwrap();
    assert!(
        known.contains(&address.to_string()) && !known.contains("work"),
        "{known}"
    );
    let (code, _, errors) = script(
        program(home.path(), &["known-hosts", "remove"], &["work"]),
        "",
    );
    assert_eq!(code, 0, "{errors}");
}

#[test]
fn an_option_wins_over_the_configuration_and_a_wrong_line_is_wrong_usage() {
    let home = home();
    let (address, _said) = host(&HOST, &[Host::Serve(0)]);
    know(home.path(), address, &HOST);
    let wrong = put(home.path(), "wrong", "not the password");
    configure(home.path(), address, "");
    let more = ["--password-file", wrong.to_str().unwrap(), "work", "x"];
    let (code, _, errors) = script(program(home.path(), &["send"], &more), "");
    assert_eq!(code, 4, "{errors}");

    configure(home.path(), address, "  Prot 7\n");
    let (code, _, errors) = script(program(home.path(), &["send"], &["work", "x"]), "");
    assert_eq!(code, 2, "{errors}");
    for needle in ["line 7 of", "latchstring/config", "did you mean Port?"] {
        assert!(errors.contains(needle), "{needle} is missing in {errors}");
    }
    // Another file that was named with -F is read instead.
    let other = put(home.path(), "other", "Host elsewhere\n");
    let more = ["-F", other.to_str().unwrap(), "work", "x"];
    let (code, _, errors) = script(program(home.path(), &["send"], &more), "");
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("names no user"), "{errors}");
    fs::set_permissions(&other, Permissions::from_mode(0o666)).unwrap();
    let (code, _, errors) = script(program(home.path(), &["send"], &more), "");
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("run: chmod go-w"), "{errors}");
}

#[test]
fn known_hosts_are_listed_added_and_removed() {
    let home = tempfile::tempdir().unwrap();
    let run = |command: &str, more: &[&str]| {
        script(program(home.path(), &["known-hosts", command], more), "")
    };
    let (one, two) = (pin(&HOST).to_string(), pin(&ROGUE).to_string());
    assert_eq!(run("list", &[]), (0, String::new(), String::new()));
    let added = format!("Added example.org:22223 {one}\n");
    assert_eq!(
        run("add", &["Example.ORG", &one]),
        (0, added, String::new())
    );
    assert!(
        run("add", &["example.org", &one])
            .1
            .starts_with("Known already:")
    );
    // The other key is refused, loudly, and changes nothing.
    let (code, _, errors) = run("add", &["example.org", &two]);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("HAS CHANGED"), "{errors}");
    let (_, shown, _) = run("add", &["[::1]:7", &two, "--json"]);
    let object: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        (&object["found"], &object["line"]),
        (&"added".into(), &2.into())
    );
    let list = format!("example.org:22223 {one}\n[::1]:7 {two}\n");
    assert_eq!(run("list", &[]).1, list);
    assert_eq!(run("list", &["--json"]).1.lines().count(), 2);
    let drawn = [(&HOST, "example.org:22223"), (&ROGUE, "[::1]:7")].map(|(key, host)| {
        let pin = pin(key);
        format!("{host} {pin}\n{}\n", picture(&pin, "host key"))
    });
    assert_eq!(run("list", &["--picture"]).1, drawn.concat());
    assert_eq!(run("list", &["--picture", "--json"]).0, 2);
    let (code, _, errors) = run("remove", &["exampel.org"]);
    assert_eq!(code, 1);
    assert!(
        errors.contains("did you mean example.org:22223?"),
        "{errors}"
    );
    assert_eq!(run("remove", &["example.org"]).0, 0);
    assert_eq!(run("list", &[]).1, format!("[::1]:7 {two}\n"));
    assert_eq!(run("add", &["example.org", "SHA256:x"]).0, 2);
}

#[test]
fn the_status_shows_the_key_the_hosts_and_what_waits_and_touches_nothing() {
    let empty = tempfile::tempdir().unwrap();
    let nowhere = empty.path().join("none");
    let (code, shown, errors) = script(program(&nowhere, &["status"], &[]), "");
    assert_eq!(code, 0, "{errors}");
    assert!(
        shown.contains("make one with: latchstring-client keygen"),
        "{shown}"
    );
    assert!(
        shown.contains("no message waits") && !nowhere.exists(),
        "{shown}"
    );

    let home = home();
    let (address, _said) = host(&HOST, &[Host::Vanish(2)]);
    know(home.path(), address, &HOST);
    configure(home.path(), address, "");
    let connect = program(home.path(), &["connect"], &["-q", "work"]);
    assert_eq!(script(connect, "one\ntwo\n").0, 5);
    let (code, shown, errors) = script(program(home.path(), &["status"], &[]), "");
    assert_eq!(code, 0, "{errors}");
    for needle in [
        format!("(without a passphrase) {}", pin(&ALICE)),
        format!("work is alice@{address}"),
        format!("  {address} {}", pin(&HOST)),
        format!("  2 messages of alice for {address}"),
    ] {
        assert!(shown.contains(&needle), "{needle} is missing in {shown}");
    }
    let (_, shown, _) = script(program(home.path(), &["status"], &["--json"]), "");
    let status: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(status["key"]["fingerprint"], pin(&ALICE).to_string());
    assert_eq!(status["key"]["has_passphrase"], false);
    assert_eq!(status["outbox"][0]["messages"], 2);
    assert_eq!(status["outbox"][0]["hosts"][0], address.to_string());
    assert_eq!(status["aliases"][0]["name"], "work");
    lock(home.path());
    let (_, shown, _) = script(program(home.path(), &["status"], &[]), "");
    assert!(shown.contains("id.pem (with a passphrase)"), "{shown}");
}

#[test]
fn a_script_opens_a_key_with_the_file_of_its_passphrase_alone() {
    let home = home();
    let (address, said) = host(&HOST, &[Host::Serve(0)]);
    know(home.path(), address, &HOST);
    lock(home.path());
    let phrase = put(home.path(), "phrase", "open sesame\n");
    let wrong = put(home.path(), "wrong", "close sesame\n");
    let (to, pw) = (format!("alice@{address}"), home.path().join("pw"));
    let send = |more: &[&str]| {
        let always = ["--password-file", pw.to_str().unwrap(), &to, "x"];
        script(
            program(home.path(), &["send"], &[&always[..], more].concat()),
            "",
        )
    };
    let (code, _, errors) = send(&[]);
    assert_eq!(code, 1);
    assert!(errors.contains("use --passphrase-file"), "{errors}");
    let (code, _, errors) = send(&["--passphrase-file", wrong.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(errors.contains("the passphrase is wrong"), "{errors}");
    let (code, _, errors) = send(&["--passphrase-file", phrase.to_str().unwrap()]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(said.recv().unwrap().len(), 1);
}

#[test]
fn a_person_has_three_tries_for_the_passphrase() {
    for (typed, opens) in [(["a", "", PHRASE], true), (["a", "b", "c"], false)] {
        let home = home();
        let (address, _said) = host(&HOST, &[Host::Greet, Host::Serve(0)]);
        know(home.path(), address, &HOST);
        lock(home.path());
        let to = format!("alice@{address}");
        let connect = program(home.path(), &["connect"], &[&to]);
        let mut terminal = rexpect::session::spawn_command(connect, Some(30_000)).unwrap();
        for phrase in typed {
            terminal.exp_string("Passphrase of ").unwrap();
            terminal.exp_string(": ").unwrap();
            terminal.send_line(phrase).unwrap();
        }
        if opens {
            let echo = terminal.exp_string("Password of ").unwrap();
            assert!(!echo.contains(PHRASE), "echoed: {echo:?}");
            terminal.exp_string(": ").unwrap();
            terminal
                .send_line(str::from_utf8(PASSWORD).unwrap())
                .unwrap();
            terminal.exp_string("Logged in").unwrap();
            terminal.send_control('d').unwrap();
            terminal.exp_eof().unwrap();
            assert_eq!(code(&terminal), 0);
        } else {
            let rest = terminal.exp_eof().unwrap();
            assert!(
                rest.contains("passphrase is wrong") && !rest.contains("Password of"),
                "{rest}"
            );
            assert_eq!(code(&terminal), 1);
        }
    }
}

#[test]
fn keygen_asks_for_a_passphrase_and_an_empty_one_is_none() {
    for (answers, expected) in [
        (&["long enough", "long enough"][..], Some(true)),
        (&[""], Some(false)),
        (&["long enough", "another one"], None),
        (&["short", "short"], None),
    ] {
        let home = tempfile::tempdir().unwrap();
        let keygen = program(home.path(), &["keygen"], &[]);
        let mut terminal = rexpect::session::spawn_command(keygen, Some(60_000)).unwrap();
        for (question, answer) in ["(empty for none): ", "The same again: "]
            .iter()
            .zip(answers)
        {
            terminal.exp_string(question).unwrap();
            terminal.send_line(answer).unwrap();
        }
        let rest = terminal.exp_eof().unwrap();
        let path = home.path().join("id.pem");
        match expected {
            None => {
                assert_eq!(code(&terminal), 1, "{rest}");
                assert!(!path.exists(), "{rest}");
            }
            Some(locked) => {
                assert_eq!(code(&terminal), 0, "{rest}");
                let private = open_private(&path).unwrap();
                assert_eq!(matches!(private, Private::Locked(_)), locked);
            }
        }
    }
}

#[test]
fn a_passphrase_is_changed_and_the_key_stays_the_same() {
    let home = home();
    lock(home.path());
    let old = put(home.path(), "old", PHRASE);
    let new = put(home.path(), "new", "another phrase");
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    let change = |more: &[&str]| {
        let always = ["--change-passphrase"];
        script(
            program(home.path(), &["keygen"], &[&always[..], more].concat()),
            "",
        )
    };
    let (code, _, errors) = change(&["--old-passphrase-file", new, "--passphrase-file", new]);
    assert_eq!(code, 1, "{errors}");
    assert!(errors.contains("the passphrase is wrong"), "{errors}");
    let (code, shown, errors) = change(&["--old-passphrase-file", old, "--passphrase-file", new]);
    assert_eq!(code, 0, "{errors}");
    assert!(shown.contains("has the new passphrase"), "{shown}");
    let path = home.path().join("id.pem");
    let Private::Locked(locked) = open_private(&path).unwrap() else {
        panic!("it has no passphrase");
    };
    assert!(locked.unlock(PHRASE.as_bytes()).is_err());
    let key = locked.unlock(b"another phrase").unwrap();
    assert_eq!(pin(&key), pin(&ALICE));
    // A script that gives no new one takes it away.
    let (code, shown, errors) = change(&["--old-passphrase-file", new]);
    assert_eq!(code, 0, "{errors}");
    assert!(shown.contains("has no passphrase any more"), "{shown}");
    assert_eq!(pin(&load_private(&path).unwrap()), pin(&ALICE));
}

#[test]
fn a_script_makes_a_key_under_a_passphrase_and_the_public_half_is_open() {
    let home = tempfile::tempdir().unwrap();
    let phrase = put(home.path(), "phrase", PHRASE);
    let more = [
        "--passphrase-file",
        phrase.to_str().unwrap(),
        "--name",
        "work",
    ];
    let (code, _, errors) = script(program(home.path(), &["keygen"], &more), "");
    assert_eq!(code, 0, "{errors}");
    let path = home.path().join("work.pem");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let Private::Locked(locked) = open_private(&path).unwrap() else {
        panic!("it has no passphrase");
    };
    let key = locked.unlock(PHRASE.as_bytes()).unwrap();
    let public = load_public(&home.path().join("work.pub.pem")).unwrap();
    assert_eq!(
        latchstring_net::protocol::hardened::message::Fingerprint::of(&public),
        pin(&key)
    );
}
