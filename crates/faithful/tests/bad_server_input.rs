//! Whatever a client, a file or the command line does to the server: a clear line, and the server goes on serving.

mod support;

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpListener},
    process::Command,
};

use latchstring_faithful::protocol::{
    handshake::ExpectReplies,
    keys::SessionSecrets,
    message::REPLIES_LEN,
    record::{Opener, Sealer},
};
use support::{Client, Server, enrolled, name};

/// Sends these bytes instead of a login; the server closes.
fn refused(server: &Server, login: &[u8]) -> String {
    let mut stream = server.connect();
    // The server may have closed before all is written.
    let _ = stream.write_all(login);
    let _ = stream.shutdown(Shutdown::Write);
    assert_eq!(stream.read(&mut [0; 64]).unwrap_or(0), 0);
    let line = server.line();
    server.expect_ready();
    line.strip_prefix("[*] Login refused: ")
        .expect(&line)
        .into()
}

#[test]
fn logins_that_are_none() {
    let (dir, keys) = enrolled(&["alice", "bob"]);
    let server = Server::start(dir.path());
    let largest = ["alice", "bob"].map(|user| keys.public_key(&name(user)).unwrap().modulus());
    let largest = largest.iter().max().unwrap();
    let cases: [(&[u8], &str); 8] = [
        (&[], "the client closed the connection before it sent one"),
        (&[7; 129], "longer than 128 bytes"),
        (&[7; 1024], "longer than 128 bytes"),
        (&[7; 100_000], "longer than 128 bytes"),
        (
            &[0x5a; 128],
            "none of the 2 private keys decrypts the login",
        ),
        (&[0], "none of the 2 private keys decrypts the login"),
        (largest, "above the moduli of all 2 private keys"),
        (&[0xff; 128], "above the moduli of all 2 private keys"),
    ];
    for (login, why) in cases {
        let line = refused(&server, login);
        assert!(line.contains(why), "{line}");
        server.serves(&keys, "bob");
    }
}

#[test]
fn a_list_with_names_without_keys_and_with_broken_keys() {
    let (dir, keys) = enrolled(&["cut", "folder", "alice"]);
    let file = |path: &str| dir.path().join(path);
    let pem = fs::read_to_string(file("client.keys/cut")).unwrap();
    fs::write(file("client.keys/cut"), &pem[..300]).unwrap();
    fs::remove_file(file("client.keys/folder")).unwrap();
    fs::create_dir(file("client.keys/folder")).unwrap();
    fs::write(file("client.keys/small"), include_str!("data/rsa-512.pem")).unwrap();
    fs::write(file("client.keys/binary"), [0xff; 100]).unwrap();
    let list = "nobody\ncut\nfolder\nsmall\nbinary\n../alice\n\nalice\n";
    fs::write(file("server.keys/clients"), list).unwrap();

    let server = Server::start(dir.path());
    let mut client = Client::log_in(&server, &keys, "alice");
    for (who, why) in [
        ("client.keys/nobody", "does not exist"),
        ("client.keys/cut", "not an RSA key of this protocol"),
        ("client.keys/folder", "it is not a file"),
        ("client.keys/small", "512 bits"),
        ("client.keys/binary", "cannot read"),
        ("../alice", "it would leave the key directory"),
    ] {
        let line = server.expect("[*] Skipped in the list of clients: ");
        assert!(line.contains(who) && line.contains(why), "{line}");
    }
    client.say(b"change()");
    server.expect("Encrypted Message: b");
    server.expect("Client: change()");
    server.expect_ready();

    fs::write(file("server.keys/clients"), "nobody\n").unwrap();
    let mut stream = server.connect();
    stream.write_all(&[7; 100]).unwrap();
    server.expect("[*] Skipped in the list of clients: ");
    let line = server.expect("[*] Login refused: ");
    assert!(line.contains("no user has a key here"), "{line}");
}

#[test]
fn a_directory_that_goes_away_and_comes_back() {
    let (dir, keys) = enrolled(&["alice"]);
    let server = Server::start(dir.path());
    let (list, aside) = (
        dir.path().join("server.keys/clients"),
        dir.path().join("aside"),
    );
    let elsewhere = dir.path().with_extension("moved");

    fs::rename(dir.path(), &elsewhere).unwrap();
    let line = refused(&server, &[7; 128]);
    fs::rename(&elsewhere, dir.path()).unwrap();
    assert!(
        line.contains("No such file or directory") && line.contains("--dir"),
        "{line}"
    );
    server.serves(&keys, "alice");

    fs::rename(&list, &aside).unwrap();
    assert!(refused(&server, &[7; 128]).contains("no user has a key here"));
    fs::create_dir(&list).unwrap();
    let line = refused(&server, &[7; 128]);
    assert!(
        line.contains("cannot read") && line.contains("server.keys/clients"),
        "{line}"
    );
    fs::remove_dir(&list).unwrap();
    fs::rename(&aside, &list).unwrap();
    server.serves(&keys, "alice");
}

#[test]
fn a_peer_that_vanishes_at_each_step() {
    let (dir, keys) = enrolled(&["alice"]);
    let server = Server::start(dir.path());
    let key = keys.public_key(&name("alice")).unwrap();
    // After the login; after the first, the second and the third reply; each politely and with bytes left unread, which
    // makes TCP reset the connection.
    for (reads, unread) in [
        (0, true),
        (26, false),
        (26, true),
        (58, false),
        (58, true),
        (66, false),
    ] {
        let (_, login) = ExpectReplies::start(&name("alice"), &key).unwrap();
        let mut stream = server.connect();
        stream.write_all(&login).unwrap();
        stream.read_exact(&mut vec![0; reads]).unwrap();
        if unread {
            stream.peek(&mut [0]).unwrap();
        }
        drop(stream);
        server.expect("[*] The client left ");
        server.expect_ready();
        server.serves(&keys, "alice");
    }
    // In the middle of a session.
    let mut client = Client::log_in(&server, &keys, "alice");
    client.say(b"hello");
    server.expect("Encrypted Message: b");
    server.expect("Decrypted Message: hello");
    drop(client);
    assert_eq!(
        server.line(),
        "[*] The client left without quit() or change()."
    );
    server.expect_ready();
    server.serves(&keys, "alice");
}

#[test]
fn messages_of_1024_bytes_and_of_more_and_what_is_not_utf_8() {
    let (dir, keys) = enrolled(&["alice"]);
    let server = Server::start(dir.path());
    let mut client = Client::log_in(&server, &keys, "alice");

    client.say(&[b'x'; 1024]);
    server.expect("Encrypted Message: b");
    assert_eq!(
        server.line(),
        format!("Decrypted Message: {}", "x".repeat(1024))
    );
    server.expect("[*] That message filled a whole read (1024 bytes).");

    // One write of 1,500 bytes: the rest is a message of its own, deciphered from the start of the keystream again.
    let opener = Opener::new(&client.secrets);
    let long = [
        opener.open(&[b'y'; 1024]).to_vec(),
        opener.open(&[b'z'; 476]).to_vec(),
    ]
    .concat();
    client.stream.write_all(&long).unwrap();
    server.expect("Encrypted Message: b");
    assert_eq!(
        server.line(),
        format!("Decrypted Message: {}", "y".repeat(1024))
    );
    server.expect("[*] That message filled a whole read (1024 bytes).");
    server.expect("Encrypted Message: b");
    assert_eq!(
        server.line(),
        format!("Decrypted Message: {}", "z".repeat(476))
    );

    client.say(b"caf\xe9 \xff");
    server.expect("Encrypted Message: b");
    assert_eq!(server.line(), "Decrypted Message: caf\u{fffd} \u{fffd}");

    client.say(b"change()");
    server.expect("Encrypted Message: b");
    server.expect("Client: change()");
    server.expect_ready();
    server.serves(&keys, "alice");
}

#[test]
fn two_messages_that_coalesce_are_one_with_a_garbled_end() {
    let (dir, keys) = enrolled(&["alice"]);
    let server = Server::start(dir.path());
    let mut client = Client::log_in(&server, &keys, "alice");
    let sealer = Sealer::new(&client.secrets);
    let both = [
        sealer.seal(b"hello").unwrap(),
        sealer.seal(b"quit()").unwrap(),
    ]
    .concat();
    client.stream.write_all(&both).unwrap();
    server.expect("Encrypted Message: b");
    let line = server.expect("Decrypted Message: hello");
    assert!(!line.ends_with("quit()"), "{line}");
}

#[test]
fn a_second_client_waits_in_the_queue() {
    let (dir, keys) = enrolled(&["alice"]);
    let server = Server::start(dir.path());
    let mut first = Client::log_in(&server, &keys, "alice");
    let mut second = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let (_, login) =
        ExpectReplies::start(&name("alice"), &keys.public_key(&name("alice")).unwrap()).unwrap();
    second.write_all(&login).unwrap();
    first.say(b"change()");
    let mut replies = [0; REPLIES_LEN];
    second.read_exact(&mut replies).unwrap();
    // A new session has a new key.
    let secrets = SessionSecrets::new(
        replies[26..58].try_into().unwrap(),
        replies[58..].try_into().unwrap(),
    );
    assert!(secrets.key != first.secrets.key && secrets.iv != first.secrets.iv);
}

#[test]
fn quit_ends_the_server_for_everybody() {
    let (dir, keys) = enrolled(&["alice"]);
    let mut server = Server::start(dir.path());
    let mut client = Client::log_in(&server, &keys, "alice");
    client.say(b"quit()");
    server.expect("Encrypted Message: b");
    server.expect("Client: quit()");
    server.expect("[*] Closing connection between ");
    assert_eq!(server.exit_code(), Some(0));
}

/// Runs the server with options that it must refuse, and returns the one line that it says.
fn refuses(program: &str, options: &[&str]) -> String {
    let output = Command::new(program).args(options).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error.lines().count(), 1, "{error}");
    error.strip_prefix("Error: ").expect(&error).to_owned()
}

#[test]
fn both_programs_refuse_every_address_that_is_not_loopback() {
    let programs = [
        env!("CARGO_BIN_EXE_faithful-server"),
        env!("CARGO_BIN_EXE_faithful-client"),
    ];
    for program in programs {
        for host in [
            "192.0.2.1",
            "0.0.0.0",
            "::",
            "example.org",
            "::ffff:127.0.0.1",
        ] {
            let line = refuses(program, &["--host", host, "--port", "0"]);
            assert!(
                line.contains(host) && line.contains("is not a loopback address"),
                "{line}"
            );
        }
    }
}

#[test]
fn directories_that_cannot_be_used_and_a_port_that_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let programs = [
        env!("CARGO_BIN_EXE_faithful-server"),
        env!("CARGO_BIN_EXE_faithful-client"),
    ];
    for program in programs {
        for bad in [dir.path().join("missing"), file.clone()] {
            let bad = bad.to_str().unwrap();
            let line = refuses(program, &["--port", "0", "--dir", bad]);
            assert!(
                line.starts_with(bad) && line.contains("give --dir a directory"),
                "{line}"
            );
        }
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let line = refuses(programs[0], &["--port", &port]);
    assert!(
        line.starts_with(&format!("cannot listen at 127.0.0.1:{port}")),
        "{line}"
    );
    assert!(line.contains("choose another --port"), "{line}");
}
