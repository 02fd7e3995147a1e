//! `send`: one message, its receipt, and an exit code for each end.

mod support;

use std::{fs, net::SocketAddr, path::Path};

use latchstring_keys::RsaKey;
use serde_json::Value;
use support::{
    HOST, ROGUE, pin,
    program::{Host, home, host, know, program, script},
};

/// `send` with the password from its file: the exit code, and what it printed on its two outputs.
fn send(home: &Path, address: SocketAddr, more: &[&str], input: &str) -> (i32, String, String) {
    let (to, pw) = (format!("alice@{address}"), home.join("pw"));
    let always = ["--password-file", pw.to_str().unwrap(), &to];
    script(
        program(home, &["send"], &[&always[..], more].concat()),
        input,
    )
}

fn object(line: &str) -> Value {
    assert_eq!(line.lines().count(), 1, "{line}");
    serde_json::from_str(line).unwrap()
}

#[test]
fn a_message_is_acknowledged_and_its_receipt_is_printed() {
    let home = home();
    let (address, said) = host(&HOST, &[Host::Serve(0), Host::Serve(1), Host::Serve(2)]);
    know(home.path(), address, &HOST);
    let (code, shown, errors) = send(home.path(), address, &["hello, wörld"], "");
    assert_eq!((code, &errors[..]), (0, ""));
    let begin = format!("Stored as message 1 at {address}: 13 bytes, SHA-256 ");
    assert!(shown.starts_with(&begin), "{shown}");
    assert_eq!(said.recv().unwrap(), [(1, "hello, wörld".to_owned())]);

    // The standard input is one message, without the newline at its end.
    let (code, shown, errors) = send(home.path(), address, &["-q"], "two\nlines\n");
    assert_eq!((code, &shown[..], &errors[..]), (0, "", ""));
    assert_eq!(said.recv().unwrap(), [(2, "two\nlines".to_owned())]);

    let (code, shown, _) = send(home.path(), address, &["--json", "hello\n"], "");
    assert_eq!(code, 0);
    let said_in_json = object(&shown);
    let receipt = &said_in_json["receipt"];
    assert_eq!(said_in_json["exit_code"], 0);
    assert_eq!(said_in_json["kept"], false);
    assert_eq!(receipt["format"], "latchstring-message-receipt/1");
    assert_eq!((&receipt["id"], &receipt["length"]), (&3.into(), &6.into()));
    // As `printf 'hello\n' | sha256sum` prints it.
    let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    assert_eq!(receipt["sha256"], sha256);
    assert_eq!(receipt["host"], address.to_string());
    assert_eq!(receipt["host_key"], pin(&HOST).to_string());
    assert_eq!(receipt["user"], "alice");
    assert!(receipt["acknowledged"].as_str().unwrap().ends_with('Z'));
    assert_eq!(said.recv().unwrap(), [(3, "hello\n".to_owned())]);
}

#[test]
fn after_a_cut_it_logs_in_again_and_the_message_arrives_once() {
    // The host had stored it before it vanished, or it had not.
    for (acts, stored_later) in [
        ([Host::Vanish(1), Host::Serve(1)], false),
        ([Host::Vanish(1), Host::Serve(0)], true),
        ([Host::Vanish(0), Host::Serve(0)], true),
    ] {
        let home = home();
        let (address, said) = host(&HOST, &acts);
        know(home.path(), address, &HOST);
        let (code, shown, errors) = send(home.path(), address, &["--json", "once"], "");
        assert_eq!(code, 0, "{errors}");
        assert!(
            errors.contains("The connection broke off. Attempt 2 follows in"),
            "{errors}"
        );
        assert_eq!(object(&shown)["receipt"]["id"], 1);
        said.recv().unwrap();
        let again: &[(u64, String)] = match stored_later {
            true => &[(1, "once".to_owned())],
            false => &[],
        };
        assert_eq!(said.recv().unwrap(), again);
    }
}

#[test]
fn without_time_to_log_in_again_the_message_waits_and_the_next_send_delivers_it() {
    let home = home();
    let (address, said) = host(&HOST, &[Host::Vanish(1), Host::Serve(0)]);
    know(home.path(), address, &HOST);
    let once = ["--reconnect", "0", "--json", "first"];
    let (code, shown, errors) = send(home.path(), address, &once, "");
    assert_eq!(code, 5, "{errors}");
    assert!(errors.contains("waits in the outbox"), "{errors}");
    let outcome = object(&shown);
    assert_eq!(
        (&outcome["exit_code"], &outcome["kept"]),
        (&5.into(), &true.into())
    );
    assert!(outcome["receipt"].is_null());
    said.recv().unwrap();
    let (code, _, errors) = send(home.path(), address, &["second"], "");
    assert_eq!(code, 0, "{errors}");
    assert!(errors.contains("Message 1 is sent again."), "{errors}");
    let both = [(1, "first".to_owned()), (2, "second".to_owned())];
    assert_eq!(said.recv().unwrap(), both);
}

/// The acts of a host with this key, a password if it is another one, options, the exit code, and whether it is kept.
type Case<'a> = (
    &'a [Host],
    &'static RsaKey,
    &'a str,
    &'a [&'a str],
    i32,
    bool,
);

#[test]
fn each_end_has_its_code_and_only_a_message_in_the_outbox_is_called_kept() {
    let ignored = [Host::Vanish(1)];
    let cases: [Case<'_>; 6] = [
        (&[Host::Serve(0)], &HOST, "wrong", &[], 4, false),
        (&[Host::Serve(0)], &ROGUE, "", &[], 3, false),
        (&[Host::TurnAway], &HOST, "", &["--wait", "0"], 6, false),
        (&[], &HOST, "", &[], 7, false),
        (&ignored, &HOST, "", &["--reconnect", "0"], 5, true),
        // Kept, and nobody listens any more.
        (&ignored, &HOST, "", &["--reconnect", "1"], 5, true),
    ];
    for (acts, key, password, more, expected, kept) in cases {
        let home = home();
        let (address, _said) = match acts {
            [] => ("127.0.0.1:9".parse().unwrap(), std::sync::mpsc::channel().1),
            acts => host(key, acts),
        };
        know(home.path(), address, &HOST);
        if !password.is_empty() {
            fs::write(home.path().join("pw"), password).unwrap();
        }
        let more = [&["--json", "x"][..], more].concat();
        let (code, shown, errors) = send(home.path(), address, &more, "");
        assert_eq!(code, expected, "{errors}");
        let outcome = object(&shown);
        assert_eq!(outcome["exit_code"], expected);
        assert_eq!(outcome["kept"], kept, "{errors}");
        assert!(
            outcome["error"]
                .as_str()
                .is_some_and(|text| errors.contains(text))
        );
    }
}

#[test]
fn what_is_no_message_is_wrong_usage_and_calls_no_server() {
    let home = home();
    let address = "127.0.0.1:9".parse().unwrap();
    know(home.path(), address, &HOST);
    let long = "x".repeat(16_373);
    for (more, input, why) in [
        (&[][..], "", "has 0 bytes"),
        (&["-q"], &long[..], "has 16373 bytes"),
        (&["--file", "f", "text"], "", "cannot be used with"),
        (&["--name", "n", "text"], "", "cannot be used with"),
        (&["--name", "n"], "", "--file"),
        (&["two", "words"], "", "unexpected argument"),
    ] {
        let (code, _, errors) = send(home.path(), address, more, input);
        assert_eq!(code, 2, "{more:?}: {errors}");
        assert!(errors.contains(why), "{more:?}: {errors}");
    }
    let to = format!("alice@{address}");
    let command = program(home.path(), &["send"], &["--password-fd", "0", &to]);
    let (code, _, errors) = script(command, "secret\nmessage");
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("--password-fd 3"), "{errors}");
}

#[test]
fn a_file_goes_the_way_of_send_file() {
    let home = home();
    let (address, said) = host(&HOST, &[Host::Serve(0)]);
    know(home.path(), address, &HOST);
    let path = home.path().join("hand-in.zip");
    fs::write(&path, "hello, world\n").unwrap();
    let file = ["--json", "--file", path.to_str().unwrap()];
    let (code, shown, errors) = send(home.path(), address, &file, "");
    assert_eq!(code, 0, "{errors}");
    let outcome = object(&shown);
    assert_eq!(outcome["receipt"]["format"], "latchstring-receipt/1");
    let saved = outcome["receipt_file"].as_str().unwrap();
    let saved: Value = serde_json::from_str(&fs::read_to_string(saved).unwrap()).unwrap();
    assert_eq!(saved, outcome["receipt"]);
    let said = said.recv().unwrap();
    assert!(said[0].1.starts_with("latchstring-file/1 "), "{said:?}");
}

#[test]
fn what_the_server_says_meanwhile_cannot_steer_the_terminal() {
    let home = home();
    let (address, _said) = host(&HOST, &[Host::Answer]);
    know(home.path(), address, &HOST);
    let (code, shown, errors) = send(home.path(), address, &["--json", "x"], "");
    assert_eq!(code, 0, "{errors}");
    assert!(errors.contains(support::program::ANSWER), "{errors}");
    assert_eq!(object(&shown)["exit_code"], 0);
}
