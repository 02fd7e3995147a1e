//! The client's screen, character by character, and what it says when a server misbehaves.

mod support;

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use latchstring_faithful::protocol::{
    keys::SessionSecrets,
    message::{SUCCESS, encode_replies},
};
use support::{Server, client_screen, enrolled};

const MENU: &str = "\n1.Login into server.\n2.Generate ssh keys.\n\nOption 1 or 2: ";

#[test]
fn a_whole_visit() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path());
    let input = b"2\nalice\n1\nalice\nhello\nchange()\n1\nalice\nquit()\nnever read\n";
    let screen = client_screen(dir.path(), server.port, input);

    // The server's screen has the ciphertexts; the two screens must agree on them.
    let mut records = Vec::new();
    for (said, end) in [
        ("Decrypted Message: hello", false),
        ("Client: change()", true),
        ("Client: quit()", true),
    ] {
        if records.len() != 1 {
            server.expect("[*] Connected socket between ('127.0.0.1', ");
        }
        records.push(server.expect("Encrypted Message: b"));
        assert_eq!(server.line(), said);
        if end {
            server.expect("[*] Closing connection between ('127.0.0.1', ");
        }
        if said == "Client: change()" {
            server.expect("[*] Ready to chat with a new client!");
        }
    }
    assert_eq!(server.exit_code(), Some(0));

    let [hello, change, quit] = records.try_into().unwrap();
    let expected = format!(
        "{MENU}Username: SSH Key Successfully Generated\n\
         {MENU}Username: Authentication Successful!\n\
         Client: {hello}\nClient: {change}\n\
         {MENU}Username: Authentication Successful!\nClient: {quit}\n"
    );
    assert_eq!(screen, expected);
}

#[test]
fn the_end_of_the_input_ends_it_cleanly_at_every_question() {
    let (dir, _keys) = enrolled(&["alice"]);
    let server = Server::start(dir.path());
    for input in ["", "1\n", "2\n", "1\nalice\n", "1\nalice\nhello\n"] {
        let screen = client_screen(dir.path(), server.port, input.as_bytes());
        assert!(
            screen.starts_with(MENU) && screen.ends_with(": \n"),
            "{screen:?}"
        );
    }
    // A last line without a newline counts: the ciphertext is shown. Python writes a literal that holds a ' with ".
    let screen = client_screen(dir.path(), server.port, b"1\nalice\nquit()");
    assert!(
        screen.ends_with("'\n") || screen.ends_with("\"\n"),
        "{screen:?}"
    );
}

#[test]
fn unknown_names_and_options_bring_the_menu_again() {
    let (dir, _keys) = enrolled(&["alice"]);
    for (input, error) in [
        ("3\n", "there is no option \"3\": type 1 or 2"),
        ("1\nnobody\n", "generate keys for nobody first (option 2)"),
        ("1\nalice\n", "start faithful-server there"),
        ("1\n../alice\n", "it would leave the key directory"),
        ("2\n../alice\n", "it would leave the key directory"),
        ("2\n/tmp/alice\n", "it would leave the key directory"),
        ("2\na\rb\n", "it holds a control character"),
        ("2\n\n", "it is empty"),
    ] {
        // Nobody listens at port 1.
        let screen = client_screen(dir.path(), 1, input.as_bytes());
        let line = screen
            .lines()
            .find(|line| line.contains("Error: "))
            .expect(&screen);
        assert!(line.contains(error), "{line}");
        assert!(screen.ends_with(&format!("\n{MENU}\n")), "{screen:?}");
    }
    let list = fs::read_to_string(dir.path().join("server.keys/clients")).unwrap();
    assert_eq!(list, "alice\n");
    assert_eq!(
        fs::read_dir(dir.path().join("client.keys"))
            .unwrap()
            .count(),
        2
    );
}

#[test]
fn messages_that_do_not_exist_are_refused_and_the_session_goes_on() {
    let (dir, _keys) = enrolled(&["alice"]);
    let server = Server::start(dir.path());
    let most = "x".repeat(1024);
    let mut input = format!("1\nalice\n\n{most}x\n{most}\n").into_bytes();
    input.extend(b"caf\xe9\nZo\xc3\xab\nchange()\n");
    let screen = client_screen(dir.path(), server.port, &input);
    for error in [
        "an empty message",
        "longer than 1024 bytes",
        "that is not UTF-8",
    ] {
        assert!(screen.contains(error), "{screen}");
    }
    server.expect("[*] Connected");
    server.expect("Encrypted Message: b");
    assert_eq!(server.line(), format!("Decrypted Message: {most}"));
    server.expect("[*] That message filled");
    server.expect("Encrypted Message: b");
    assert_eq!(server.line(), "Decrypted Message: Zo\u{eb}");
    server.expect("Encrypted Message: b");
    assert_eq!(server.line(), "Client: change()");
}

#[test]
fn a_user_that_the_server_does_not_know_is_told_so() {
    let (server_dir, _) = enrolled(&["alice"]);
    let (client_dir, _) = enrolled(&["bob", "alice"]);
    let server = Server::start(server_dir.path());
    let screen = client_screen(client_dir.path(), server.port, b"1\nbob\n");
    assert!(
        screen.contains("Error: the server closed the connection: it has no user bob"),
        "{screen}"
    );
}

#[test]
fn a_server_that_misbehaves_at_each_step() {
    let (dir, _keys) = enrolled(&["alice"]);
    let good = encode_replies(&SessionSecrets::new([1; 32], [2; 8])).concat();
    let mut wrong = good.clone();
    wrong[0] ^= 1;
    for (sends, error) in [
        (&good[..0], "it has no user alice"),
        (&good[..1], "is gone before it sent all"),
        (&good[..26], "is gone before it sent all"),
        (&good[..58], "is gone before it sent all"),
        (&wrong, "greeting is not valid"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sends = sends.to_vec();
        let server = thread::spawn(move || {
            let mut client = listener.accept().unwrap().0;
            assert!(client.read(&mut [0; 1024]).unwrap() > 0);
            client.write_all(&sends).unwrap();
        });
        let screen = client_screen(dir.path(), port, b"1\nalice\n");
        assert!(
            screen.contains("Error: ") && screen.contains(error),
            "{screen}"
        );
        assert!(screen.ends_with(&format!("\n{MENU}\n")), "{screen:?}");
        server.join().unwrap();
    }
}

#[test]
fn a_server_that_leaves_in_a_session_is_noticed_before_the_next_message() {
    let (dir, _keys) = enrolled(&["alice"]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let mut client = listener.accept().unwrap().0;
        assert!(client.read(&mut [0; 1024]).unwrap() > 0);
        // One write, and then the end: the client takes the replies however they arrive.
        let replies = encode_replies(&SessionSecrets::new([1; 32], [2; 8]));
        client.write_all(&replies.concat()).unwrap();
    });
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_faithful-client"))
        .args(["--port", &port.to_string(), "--dir"])
        .arg(dir.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"1\nalice\n").unwrap();
    server.join().unwrap();
    input.write_all(b"hello\n").unwrap();
    drop(input);
    let screen = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert!(
        screen.contains(std::str::from_utf8(&SUCCESS).unwrap()),
        "{screen}"
    );
    assert!(
        screen.contains("Error: the server is gone and did not get this message"),
        "{screen}"
    );
    assert!(!screen.contains("Encrypted"), "{screen}");
}
