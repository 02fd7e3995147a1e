//! Messages that wait when both ends are killed, with the real programs: a host with two names, and two computers with one
//! key. Every line is in the server's store once, at the end.

#[path = "support/pair.rs"]
mod pair;

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Child, Output},
    thread,
    time::Duration,
};

use pair::{Home, OurServer, code, server_command, succeeds};

/// What the server says until the login is done: hello, proof, welcome.
const WELCOME: usize = 66 + 1060 + 100;

/// Somebody between client and server who passes everything on but the acknowledgements; the port.
fn deaf_to_acknowledgements(server: &OurServer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let to = format!("127.0.0.1:{}", server.host.port);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(&to) else {
                return;
            };
            let (mut up, mut down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let mut sink = server;
            thread::spawn(move || {
                let _ = std::io::copy(&mut up, &mut sink);
                let _ = sink.shutdown(Shutdown::Both);
            });
            thread::spawn(move || {
                let mut client = client;
                let _ = std::io::copy(&mut (&mut down).take(WELCOME as u64), &mut client);
                let _ = std::io::copy(&mut down, &mut std::io::sink());
                let _ = client.shutdown(Shutdown::Both);
            });
        }
    });
    port
}

fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if happened() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("never: {what}");
}

/// All that the client keeps of a home.
fn outbox(home: &Home) -> String {
    let files = fs::read_dir(home.path("outbox")).into_iter().flatten();
    let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    texts.collect()
}

fn type_in(client: &mut Child, lines: &str) {
    client
        .stdin
        .as_mut()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
}

/// Sends lines to `alice@NAME` and closes.
fn connect(home: &Home, server: &OurServer, name: &str, lines: &str) -> Output {
    let port = &server.host.port;
    let mut client = home.start_at(name, port, &server.host, "id.pem", "pw");
    let _ = client.stdin.take().unwrap().write_all(lines.as_bytes());
    client.wait_with_output().unwrap()
}

/// Sends these lines and kills both ends: after the server has stored them and before the client hears of it, or before
/// the server has read them.
fn kill_both_ends(home: &Home, server: &mut OurServer, lines: &str, stored: bool) {
    let last = lines.lines().last().unwrap();
    let port = match stored {
        true => deaf_to_acknowledgements(server),
        false => server.host.port.clone(),
    };
    let mut client = home.start_at("127.0.0.1", &port, &server.host, "id.pem", "pw");
    if stored {
        type_in(&mut client, lines);
        wait_until("stored", || server.stored().contains(last));
    } else {
        let before = server.stored();
        type_in(&mut client, "hello\n");
        wait_until("stored", || server.stored() != before);
        server.signal("STOP");
        type_in(&mut client, lines);
        wait_until("kept", || outbox(home).contains(last));
    }
    client.kill().unwrap();
    client.wait().unwrap();
    server.signal("KILL");
    server.restart();
    assert!(outbox(home).contains(last), "it waits");
}

fn texts(server: &OurServer) -> Vec<String> {
    let stored = server.stored();
    let texts = stored
        .lines()
        .map(|line| line.split_once('\t').unwrap().1.to_owned());
    texts.collect()
}

/// The outbox was filed by host and port, and ids belong to the host's key: what waited under one name was dropped
/// because of what was said under the other.
#[test]
fn what_waits_for_a_host_goes_out_under_each_of_its_names() {
    for stored in [true, false] {
        let home = Home::new();
        let mut server = OurServer::new(&home);
        kill_both_ends(&home, &mut server, "one\ntwo\n", stored);
        let (_, said) = succeeds(connect(&home, &server, "localhost", "three\n"));
        assert!(!said.contains("Warning"), "nobody else has sent: {said}");
        succeeds(connect(&home, &server, "127.0.0.1", "four\n"));
        let mut expected = vec!["one", "two", "three", "four"];
        if !stored {
            expected.insert(0, "hello");
        }
        assert_eq!(texts(&server), expected);
        assert!(
            !outbox(&home).contains("\"message\""),
            "nothing waits: {}",
            outbox(&home)
        );
    }
}

/// Two computers with one key give their lines the same ids, and may even say the same.
#[test]
fn two_computers_with_one_key_lose_and_double_nothing() {
    for stored in [true, false] {
        let (one, two) = (Home::new(), Home::new());
        fs::copy(one.path("id.pem"), two.path("id.pem")).unwrap();
        let mut server = OurServer::new(&one);
        kill_both_ends(&one, &mut server, "yes\nfrom the first\n", stored);
        succeeds(connect(
            &two,
            &server,
            "127.0.0.1",
            "yes\nfrom the second\n",
        ));
        let (_, said) = succeeds(connect(&one, &server, "127.0.0.1", "last\n"));
        assert!(said.contains("not sent from here"), "{said}");
        assert_eq!(said.contains("new numbers"), !stored, "{said}");
        assert_eq!(said.contains("held 2 messages already"), stored, "{said}");
        let firsts = ["yes", "from the first"];
        let seconds = ["yes", "from the second"];
        let expected = match stored {
            true => [&firsts[..], &seconds, &["last"]].concat(),
            false => [&["hello"], &seconds[..], &firsts, &["last"]].concat(),
        };
        assert_eq!(texts(&server), expected);
    }
}

/// A line of the outbox that no server takes was resent and refused for ever, and held all others up.
#[test]
fn a_line_that_is_too_long_to_send_holds_nothing_up() {
    let home = Home::new();
    let mut server = OurServer::new(&home);
    kill_both_ends(&home, &mut server, "before\nlong\nbehind\n", false);
    let file = fs::read_dir(home.path("outbox"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let text = fs::read_to_string(&file).unwrap();
    let long = "x".repeat(20_000);
    fs::write(&file, text.replacen("\"long\"", &format!("\"{long}\""), 1)).unwrap();
    for lines in ["more\n", "and more\n"] {
        let output = connect(&home, &server, "127.0.0.1", lines);
        let said = String::from_utf8(output.stderr.clone()).unwrap();
        assert_eq!(code(&output), 1, "{said}");
        for needle in [
            "Warning: line ",
            file.to_str().unwrap(),
            "20000 bytes",
            "delete the line",
        ] {
            assert!(said.contains(needle), "{needle} is missing in {said}");
        }
    }
    assert_eq!(
        texts(&server),
        ["hello", "before", "behind", "more", "and more"]
    );
    // Deleted, as the warning says, it is forgotten.
    let text = fs::read_to_string(&file).unwrap();
    let rest = text.lines().filter(|line| !line.contains(&long));
    let rest: String = rest.map(|line| format!("{line}\n")).collect();
    fs::write(&file, rest).unwrap();
    succeeds(connect(&home, &server, "127.0.0.1", "done\n"));
    assert_eq!(texts(&server).last().unwrap(), "done");
}

/// What an earlier version kept under the host's name and port: another of its names, and as it was typed then.
#[test]
fn the_outbox_of_an_earlier_version_is_sent_too() {
    let home = Home::new();
    let server = OurServer::new(&home);
    succeeds(connect(&home, &server, "localhost", ""));
    succeeds(connect(&home, &server, "127.0.0.1", "one\n"));
    // H(HOST:PORT ‖ 00 ‖ kid), as that version named it.
    let fingerprint = |key: &str| {
        use latchstring_keys::keyfile::load_private;
        use latchstring_net::protocol::hardened::{primitives::hash, signature::Signer};
        hash(&[load_private(&home.path(key)).unwrap().public_key()])
    };
    let host = format!("localhost.:{}", server.host.port);
    let name = latchstring_net::protocol::hardened::primitives::hash(&[
        host.as_bytes(),
        b"\0",
        &fingerprint("id.pem"),
    ]);
    let old = home
        .path("outbox")
        .join(format!("alice-{}.jsonl", hex::encode(&name[..8])));
    let line =
        |id: u64, text: &str| format!("{{\"message\":{{\"id\":{id},\"text\":\"{text}\"}}}}\n");
    let text = [line(1, "one"), line(2, "two"), line(3, "three")].concat();
    home.write("outbox/old", &text);
    fs::rename(home.path("outbox/old"), &old).unwrap();
    let (_, said) = succeeds(connect(&home, &server, "127.0.0.1", "four\n"));
    assert!(said.contains("held 1 message already"), "{said}");
    assert_eq!(texts(&server), ["one", "two", "three", "four"]);
    assert!(!old.exists());
}

/// The operator has made a new host key, as the page says. What waited for the old one was neither sent nor named.
#[test]
fn what_waits_for_a_host_key_that_was_replaced_is_named() {
    let home = Home::new();
    let mut server = OurServer::new(&home);
    kill_both_ends(&home, &mut server, "waits\n", false);
    let old = server.host.fingerprint.clone();
    let fresh = home.path("fresh");
    succeeds(server_command(&fresh, &["init"]).output().unwrap());
    for name in ["host_key.pem", "host_key.pub.pem"] {
        fs::rename(fresh.join(name), server.dir.join(name)).unwrap();
    }
    server.signal("KILL");
    server.restart();
    assert_ne!(server.host.fingerprint, old);
    fs::remove_file(home.path("known_hosts")).unwrap();
    let (_, said) = succeeds(connect(&home, &server, "127.0.0.1", "new\n"));
    for needle in ["Warning: ", "message in ", &old, "write SHA256:", "line 1"] {
        assert!(said.contains(needle), "{needle} is missing in {said}");
    }
    // Done as the warning says, it is sent.
    let entry = fs::read_dir(home.path("outbox")).unwrap().flatten();
    let file = entry
        .map(|entry| entry.path())
        .find(|path| fs::read_to_string(path).unwrap().contains(&old));
    let file = file.unwrap();
    let text = fs::read_to_string(&file)
        .unwrap()
        .replace(&old, &server.host.fingerprint);
    fs::write(&file, text).unwrap();
    let (_, said) = succeeds(connect(&home, &server, "127.0.0.1", ""));
    assert!(!said.contains("Warning: 1"), "{said}");
    assert_eq!(texts(&server), ["hello", "new", "waits"]);
    assert!(!file.exists());
}
