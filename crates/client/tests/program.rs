//! The program itself: on a terminal, and driven by scripts.

mod support;

use std::{fs, process::Command};

use support::{
    HOST, PASSWORD, ROGUE, pin,
    program::{Host, client, code, connect_script, home, host, know, script, terminal},
};

#[test]
fn a_person_confirms_the_host_then_types_the_password_unseen_and_talks() {
    let (home, password) = (home(), str::from_utf8(PASSWORD).unwrap());
    let (address, said) = host(
        &HOST,
        &[Host::Greet, Host::Serve(0), Host::Greet, Host::Serve(1)],
    );

    let mut terminal_1 = terminal(home.path(), address, &[]);
    let before = terminal_1.exp_string(&pin(&HOST).to_string()).unwrap();
    assert!(!before.contains("Password"));
    assert!(!home.path().join("known_hosts").exists());
    terminal_1.send_line("yes").unwrap();
    terminal_1.exp_string("Password of alice@").unwrap();
    terminal_1.exp_string(": ").unwrap();
    terminal_1.send_line(password).unwrap();
    let echo = terminal_1.exp_string("Logged in").unwrap();
    assert!(!echo.contains(password), "echoed: {echo:?}");
    terminal_1.send_line("hello, wörld").unwrap();
    terminal_1.exp_string("Stored: 1.").unwrap();
    terminal_1.send_control('d').unwrap();
    terminal_1.exp_string("both ends agree").unwrap();
    terminal_1.exp_eof().unwrap();
    assert_eq!(code(&terminal_1), 0);
    assert_eq!(
        said.recv().unwrap()[0].0,
        0,
        "the first meeting tells the host nothing"
    );
    assert_eq!(said.recv().unwrap(), [(1, "hello, wörld".to_owned())]);

    // The second time nobody is asked about the host.
    let mut terminal_2 = terminal(home.path(), address, &[]);
    let before = terminal_2.exp_string("Password of alice@").unwrap();
    assert!(!before.contains("SHA256:"), "{before}");
    terminal_2.send_line(password).unwrap();
    terminal_2.exp_string("Logged in").unwrap();
    terminal_2.send_control('d').unwrap();
    terminal_2.exp_eof().unwrap();
    assert_eq!(code(&terminal_2), 0);
}

#[test]
fn whatever_is_not_a_clear_yes_is_a_no() {
    for (answer, expected) in [("y", 1), ("", 1), (&pin(&ROGUE).to_string()[..], 3)] {
        let home = home();
        let (address, said) = host(&HOST, &[Host::Greet]);
        let mut terminal = terminal(home.path(), address, &[]);
        terminal.exp_string("paste that one:").unwrap();
        terminal.send_line(answer).unwrap();
        let rest = terminal.exp_eof().unwrap();
        assert!(!rest.contains("Password"), "{rest}");
        assert_eq!(code(&terminal), expected, "{answer}: {rest}");
        assert_eq!(said.recv().unwrap()[0].0, 0);
        assert!(!home.path().join("known_hosts").exists());
    }
}

#[test]
fn a_changed_key_is_refused_on_a_terminal_and_no_option_helps() {
    let home = home();
    let (address, said) = host(&ROGUE, &[Host::Greet; 2]);
    know(home.path(), address, &HOST);
    let before = fs::read(home.path().join("known_hosts")).unwrap();

    let mut asked = terminal(home.path(), address, &[]);
    let shown = asked.exp_eof().unwrap();
    assert_eq!(code(&asked), 3);
    let (old, new) = (pin(&HOST).to_string(), pin(&ROGUE).to_string());
    for needle in ["HAS CHANGED", "line 2 of", "known_hosts", &old, &new] {
        assert!(shown.contains(needle), "{needle} is missing in {shown}");
    }
    assert!(!shown.contains("Password"), "{shown}");
    assert_eq!(said.recv().unwrap()[0].0, 0, "not a byte after the hello");

    let (code, _, errors) = connect_script(home.path(), address, &[], "hello\n");
    assert_eq!(code, 3, "{errors}");
    assert_eq!(said.recv().unwrap()[0].0, 0, "not a byte after the hello");

    // The attacker's own fingerprint, given by a user who was talked into it.
    let (code, _, errors) =
        connect_script(home.path(), address, &["--fingerprint", &new], "hello\n");
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("HAS CHANGED"), "{errors}");
    assert_eq!(fs::read(home.path().join("known_hosts")).unwrap(), before);
}

#[test]
fn a_script_sends_its_lines_and_is_told_nothing_but_success() {
    let home = home();
    let (address, said) = host(&HOST, &[Host::Greet, Host::Serve(0), Host::Serve(2)]);
    let right = pin(&HOST).to_string();
    let given = ["--fingerprint", &right];
    let result = connect_script(home.path(), address, &given, "one\nzwei\n");
    assert_eq!(result, (0, String::new(), String::new()));
    said.recv().unwrap();
    assert_eq!(
        said.recv().unwrap(),
        [(1, "one".to_owned()), (2, "zwei".to_owned())]
    );
    // It is remembered, and a line that does not fit is skipped and reported.
    let input = format!("three\n{}\nfour", "x".repeat(20_000));
    let (code, _, errors) = connect_script(home.path(), address, &[], &input);
    assert_eq!(code, 1);
    assert!(errors.contains("line 2 of the input"), "{errors}");
    assert!(
        errors.contains("20000 bytes, and a message has at most 16372"),
        "{errors}"
    );
    assert!(
        errors.contains("Error: 1 line of the input was not sent"),
        "{errors}"
    );
    assert_eq!(
        said.recv().unwrap(),
        [(3, "three".to_owned()), (4, "four".to_owned())]
    );
}

#[test]
fn a_script_is_never_asked_and_never_trusts_by_itself() {
    let home = home();
    let (address, said) = host(&HOST, &[Host::Greet]);
    let (code, _, errors) = connect_script(home.path(), address, &[], "hello\n");
    assert_eq!(code, 1);
    assert!(errors.contains("--fingerprint"), "{errors}");
    let wrong = pin(&ROGUE).to_string();
    let (code, _, errors) = connect_script(home.path(), address, &["--fingerprint", &wrong], "");
    assert_eq!(code, 3, "{errors}");
    assert_eq!(said.recv().unwrap()[0].0, 0);
    assert!(!home.path().join("known_hosts").exists());
    // Nor is the password to be had where there is no terminal.
    let right = pin(&HOST).to_string();
    let to = format!("alice@{address}");
    let command = client(home.path(), &["--fingerprint", &right, &to]);
    let (code, _, errors) = script(command, "");
    assert_eq!(code, 1);
    assert!(errors.contains("--password-file"), "{errors}");
}

#[test]
fn what_was_not_acknowledged_is_sent_again_under_the_same_ids() {
    let home = home();
    let acts = [Host::Vanish(3), Host::Serve(1)];
    let (address, said) = host(&HOST, &acts);
    know(home.path(), address, &HOST);
    let (code, _, errors) = connect_script(home.path(), address, &[], "one\ntwo\nthree\n");
    assert_eq!(code, 5, "{errors}");
    assert!(
        errors.contains("3 messages (1 to 3) are not acknowledged"),
        "{errors}"
    );
    said.recv().unwrap();
    // Message 1 had reached the store before the host vanished.
    let result = connect_script(home.path(), address, &[], "four\n");
    assert_eq!(result, (0, String::new(), String::new()));
    let expected = [(2, "two"), (3, "three"), (4, "four")].map(|(id, text)| (id, text.to_owned()));
    assert_eq!(said.recv().unwrap(), expected);
    // The password is in none of the files that the client wrote.
    for file in fs::read_dir(home.path().join("outbox")).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(PASSWORD.len()).any(|w| w == PASSWORD));
    }
}

#[test]
fn what_the_server_says_is_shown_without_its_control_characters() {
    let home = home();
    let (address, said) = host(&HOST, &[Host::Say]);
    know(home.path(), address, &HOST);
    let pw = home.path().join("pw");
    let to = format!("alice@{address}");
    let mut command = client(
        home.path(),
        &["-q", "--password-file", pw.to_str().unwrap(), &to],
    );
    // The input stays open: it is the server that ends the session.
    let (input, open) = std::io::pipe().unwrap();
    let output = command.stdin(input).output().unwrap();
    drop(open);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    assert_eq!(
        text(output.stdout),
        "\\u{1b}[2J \\u{202e}maintenance at noon\n"
    );
    let errors = text(output.stderr);
    assert!(errors.contains("it is being stopped"), "{errors}");
    assert_eq!(output.status.code(), Some(5));
    assert!(
        said.recv().is_ok(),
        "the host has its acknowledgement and its agreement"
    );
}

#[test]
fn exit_codes_tell_a_refusal_and_a_usage_error() {
    let home = home();
    let (address, _said) = host(&HOST, &[Host::Serve(0)]);
    know(home.path(), address, &HOST);
    fs::write(home.path().join("pw"), "wrong").unwrap();
    let (code, _, errors) = connect_script(home.path(), address, &[], "hello\n");
    assert_eq!(code, 4, "{errors}");
    assert!(errors.contains("user add"), "{errors}");
    for usage in [
        &["nobody"][..],
        &["--password", "x", "a@h"],
        &["--password-fd", "1", "a@h"],
    ] {
        assert_eq!(script(client(home.path(), usage), "").0, 2, "{usage:?}");
    }
}

#[test]
fn a_key_is_made_once_and_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let keygen = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchstring-client"));
        command
            .args(["keygen", "--name", "work", "--dir"])
            .arg(dir.path());
        script(command, "")
    };
    let (code, shown, errors) = keygen();
    assert_eq!(code, 0, "{errors}");
    let key = latchstring_keys::keyfile::load_private(&dir.path().join("work.pem")).unwrap();
    assert!(shown.contains(&pin(&key).to_string()), "{shown}");
    assert!(shown.contains("latchstring-server user add"), "{shown}");
    assert!(dir.path().join("work.pub.pem").exists());
    let before = fs::read(dir.path().join("work.pem")).unwrap();
    let (code, _, errors) = keygen();
    assert_eq!(code, 1);
    assert!(errors.contains("never overwritten"), "{errors}");
    assert_eq!(fs::read(dir.path().join("work.pem")).unwrap(), before);
}
