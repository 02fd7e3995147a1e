//! Programs that are not ours: Python peers written from the protocol page alone, and OpenSSL.
//!
//! The Python is `$LATCHSTRING_PEERS_PYTHON`, or that of `target/peers-venv`, or `python3`. A package that is missing is
//! a failure and not a reason to pass.

mod support;

use std::{
    env,
    path::Path,
    process::{Command, Output},
};

use latchstring_faithful::keys::KeyDir;
use support::{Server, client_screen, enrolled, name, workspace};

/// A command that runs this peer with the packages it needs.
fn python(peer: &str) -> Command {
    let venv = workspace().join("target/peers-venv/bin/python");
    let python = match env::var_os("LATCHSTRING_PEERS_PYTHON") {
        Some(python) => python,
        None if venv.exists() => venv.into(),
        None => "python3".into(),
    };
    let check = Command::new(&python)
        .args(["-c", "import Crypto.Cipher.AES"])
        .output();
    assert!(
        check.is_ok_and(|output| output.status.success()),
        "{python:?} lacks what the peers need. Install it with\n  python3 -m venv target/peers-venv && \
         target/peers-venv/bin/pip install -r tests/peers/requirements.txt\n\
         or name another Python in LATCHSTRING_PEERS_PYTHON."
    );
    let mut command = Command::new(python);
    command.arg(workspace().join("tests/peers").join(peer));
    command
}

fn text(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn python_client(dir: &Path, words: &[&str]) -> String {
    let mut command = python("faithful_client.py");
    text(command.arg("--dir").arg(dir).args(words).output().unwrap())
}

/// One user with keys of ours, one with keys of the other side.
fn two_origins() -> (tempfile::TempDir, KeyDir) {
    let (dir, keys) = enrolled(&["ours"]);
    python_client(dir.path(), &["--generate", "theirs"]);
    (dir, keys)
}

#[test]
fn their_client_with_our_server() {
    let (dir, keys) = two_origins();
    let mut server = Server::start(dir.path());
    let port = server.port.to_string();
    for (user, end) in [
        ("ours", "change()"),
        ("theirs", "change()"),
        ("theirs", "quit()"),
    ] {
        let said = ["it's Zo\u{eb} \\ \u{20ac}", "hello", end];
        let screen = python_client(dir.path(), &[&["--port", &port, user], &said[..]].concat());
        let mut screen = screen.lines();
        assert_eq!(screen.next(), Some("Authentication Successful!"));
        server.expect("[*] Connected socket between ('127.0.0.1', ");
        for text in said {
            // Both print the ciphertext as a Python bytes literal, so the lines are equal.
            assert_eq!(Some(server.line().as_str()), screen.next());
            let role = if text == end {
                "Client"
            } else {
                "Decrypted Message"
            };
            assert_eq!(server.line(), format!("{role}: {text}"));
        }
        server.expect("[*] Closing connection between ");
        if end == "change()" {
            server.expect("[*] Ready to chat with a new client!");
            server.serves(&keys, user);
        }
    }
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn our_client_with_their_server() {
    let (dir, _keys) = two_origins();
    let mut command = python("faithful_server.py");
    command.args(["--port", "0", "--dir"]).arg(dir.path());
    let mut server = Server::start_command(command);
    let input = "1\nours\nit's Zo\u{eb}\nchange()\n1\ntheirs\nhello\nquit()\n";
    let screen = client_screen(dir.path(), server.port, input.as_bytes());
    let mut ours = screen
        .lines()
        .filter_map(|line| line.strip_prefix("Client: "));
    for (text, end) in [("it's Zo\u{eb}", "change()"), ("hello", "quit()")] {
        server.expect("[*] Connected socket between ");
        assert_eq!(Some(server.line().as_str()), ours.next());
        assert_eq!(server.line(), format!("Decrypted Message: {text}"));
        assert_eq!(Some(server.line().as_str()), ours.next());
        assert_eq!(server.line(), format!("Client: {end}"));
        server.expect("[*] Closing connection between ");
        if end == "change()" {
            server.expect("[*] Ready to chat with a new client!");
        }
    }
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn our_client_with_their_server_that_refuses() {
    let (dir, _keys) = two_origins();
    let (elsewhere, _) = enrolled(&["nobody"]);
    let mut command = python("faithful_server.py");
    command.args(["--port", "0", "--dir"]).arg(dir.path());
    let server = Server::start_command(command);
    let screen = client_screen(elsewhere.path(), server.port, b"1\nnobody\n");
    assert!(
        screen.contains("Error: the server closed the connection"),
        "{screen}"
    );
}

#[test]
fn openssl_reads_our_keys_and_theirs() {
    let (dir, keys) = two_origins();
    let openssl = |args: &[&str], path: &str| {
        let path = dir.path().join("client.keys").join(path);
        let output = Command::new("openssl").args(args).arg(path).output();
        text(output.expect("this test runs openssl: install it (apt install openssl)"))
    };
    for user in ["ours", "theirs"] {
        let public = format!("{user}.pub");
        let checked = openssl(&["rsa", "-check", "-noout", "-in"], user);
        assert!(checked.contains("RSA key ok"), "{checked}");
        openssl(&["pkey", "-check", "-noout", "-in"], user);
        let details = openssl(&["rsa", "-noout", "-text", "-in"], user);
        assert!(details.contains("(1024 bit"), "{details}");
        assert!(details.contains("publicExponent: 65537"), "{details}");
        let from_private = openssl(&["rsa", "-pubout", "-in"], user);
        assert_eq!(from_private, openssl(&["pkey", "-pubin", "-in"], &public));
        assert_eq!(
            from_private.trim_end(),
            keys.public_key(&name(user)).unwrap().to_pem().unwrap()
        );
    }
}
