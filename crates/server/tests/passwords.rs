//! The files of passwords, as an operator uses them: peppers and the list of breached passwords.

mod support;

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    process::Output,
};

use latchstring_net::protocol::hardened::message::Fingerprint;
use nix::sys::signal::Signal;
use support::{Home, Serving, failure, program, success};

/// The line of the public list for `password`.
const BREACHED: &str = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:10434004\r\n";

/// Adds a line to the section `[passwords]`.
fn configure(home: &Home, line: &str) {
    let path = home.path("server/server.toml");
    let text = fs::read_to_string(&path).unwrap();
    let text: Vec<_> = text
        .lines()
        .filter(|old| !old.starts_with(line.split(' ').next().unwrap()))
        .flat_map(|old| match old {
            "[passwords]" => vec![old, line],
            old => vec![old],
        })
        .collect();
    fs::write(path, text.join("\n")).unwrap();
}

/// The name of a new pepper.
fn pepper(home: &Home, file: &str) -> String {
    let said = success(&home.run(&["pepper", "new", file]));
    let id = said.split_whitespace().nth(3).unwrap().to_owned();
    assert_eq!(said, format!("Made the pepper {id} in {file}.\n"));
    assert_eq!(success(&home.run(&["pepper", "show", file])).trim(), id);
    let mode = fs::metadata(home.path(file)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    id
}

fn shown(home: &Home) -> serde_json::Value {
    let shown = success(&home.run(&["user", "show", "alice", "--json"]));
    serde_json::from_str(&shown).unwrap()
}

/// The findings of `check`, and whether there is an error among them.
fn check(home: &Home) -> (String, bool) {
    let Output { stdout, status, .. } = home.run(&["check"]);
    (String::from_utf8(stdout).unwrap(), !status.success())
}

async fn logs_in(home: &Home, serving: &Serving) {
    let mut chat = home.login().open(serving.connect().await).await;
    chat.say_and_hear_back("hello").await;
    chat.close().await;
}

async fn log_of(serving: Serving) -> String {
    serving.signal(Signal::SIGTERM);
    let (code, log) = serving.ended().await;
    assert_eq!(code, Some(0), "{log}");
    log
}

#[tokio::test]
async fn a_pepper_is_added_changed_and_missed() {
    let home = Home::new();
    home.add_alice();
    let old = pepper(&home, "old");
    assert!(failure(&home.run(&["pepper", "new", "old"])).contains("old"));
    assert_eq!(shown(&home)["password"]["pepper"], serde_json::Value::Null);

    let serving = home.serve().await;
    configure(&home, "pepper_file = \"../old\"");
    success(&home.run(&["reload"]));
    // The server reads it in its own time.
    for _ in 0..100 {
        logs_in(&home, &serving).await;
        if shown(&home)["password"]["pepper"] == old.as_str() {
            break;
        }
    }
    assert_eq!(shown(&home)["password"]["pepper"], old.as_str());
    let log = log_of(serving).await;
    assert!(log.contains("password hash renewed"), "{log}");
    assert!(log.contains("pepper_file none -> "), "{log}");
    let (found, bad) = check(&home);
    assert!(!bad && found.contains(&format!("({old})")), "{found}");
    let backup = success(&home.run(&["backup", "copy"]));
    assert!(backup.contains("is not in the backup"), "{backup}");
    let secret = fs::read(home.path("old")).unwrap();
    for file in fs::read_dir(home.path("copy")).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        let holds = bytes.windows(secret.len()).any(|part| part == secret);
        assert!(!holds, "the pepper is in the backup");
    }
    let restored = program(&["restore", "copy", "--dir", "elsewhere"])
        .current_dir(home.keep.path())
        .output();
    let restored = success(&restored.unwrap());
    assert!(restored.contains("is not in the backup"), "{restored}");

    let new = pepper(&home, "new");
    configure(&home, "pepper_file = \"../new\"");
    let (found, bad) = check(&home);
    let says = found.contains("alice cannot log in") && found.contains(&old);
    assert!(bad && says, "{found}");
    let serving = home.serve().await;
    let mut stream = serving.connect().await;
    let (proven, _) = support::Login::hello(&mut stream).await;
    let auth = home.login().auth(proven).1;
    tokio::io::AsyncWriteExt::write_all(&mut stream, &auth)
        .await
        .unwrap();
    assert!(support::rest(&mut stream).await.is_empty());
    let log = log_of(serving).await;
    assert!(
        log.contains("a login could not be checked") && log.contains(&old),
        "{log}"
    );
    assert!(!log.contains("wrong password"), "{log}");

    configure(&home, "pepper_file = [\"../new\", \"../old\"]");
    let serving = home.serve().await;
    logs_in(&home, &serving).await;
    let _ = log_of(serving).await;
    assert_eq!(shown(&home)["password"]["pepper"], new.as_str());
    success(&home.run(&["user", "passwd", "alice", "--password-file", "password"]));
    assert_eq!(shown(&home)["password"]["pepper"], new.as_str());
}

#[test]
fn a_pepper_that_is_not_safe_is_named_before_anybody_logs_in() {
    let home = Home::new();
    pepper(&home, "pepper");
    pepper(&home, "server/beside");
    configure(&home, "pepper_file = \"beside\"");
    let (found, bad) = check(&home);
    assert!(
        !bad && found.contains("warning") && found.contains("thief"),
        "{found}"
    );

    configure(&home, "pepper_file = \"../pepper\"");
    fs::set_permissions(home.path("pepper"), Permissions::from_mode(0o644)).unwrap();
    for refused in [
        &["serve"][..],
        &["user", "add", "alice", "--key", "alice.pub.pem"],
    ] {
        let why = failure(&home.run(refused));
        assert!(why.contains("chmod 600"), "{why}");
    }
    let (found, bad) = check(&home);
    assert!(bad && found.contains("chmod 600"), "{found}");
    fs::remove_file(home.path("pepper")).unwrap();
    let why = failure(&home.run(&["serve"]));
    assert!(why.contains("put the file back"), "{why}");
}

#[test]
fn a_breached_password_is_refused_and_a_file_that_is_no_list_too() {
    let home = Home::new();
    home.write("list", BREACHED, 0o644);
    home.write("breached", "password", 0o600);
    let add = [
        "user",
        "add",
        "alice",
        "--key",
        "alice.pub.pem",
        "--password-file",
    ];
    configure(&home, "breached = \"../list\"");
    let why = failure(&home.run(&[&add[..], &["breached"]].concat()));
    assert!(why.contains("four random words"), "{why}");
    success(&home.run(&[&add[..], &["password"]].concat()));
    let passwd = ["user", "passwd", "alice", "--password-file", "breached"];
    assert!(failure(&home.run(&passwd)).contains("breached passwords"));
    let (found, bad) = check(&home);
    assert!(!bad && found.contains("breached list"), "{found}");

    home.write("list", "123456\npassword\n", 0o644);
    for command in [&["serve"][..], &["reload"], &passwd] {
        let why = failure(&home.run(command));
        assert!(why.contains("is no list of breached passwords"), "{why}");
    }
    let (found, bad) = check(&home);
    assert!(bad && found.contains("is no list"), "{found}");
    // Without the setting the same password is taken.
    configure(&home, "breached =");
    let path = home.path("server/server.toml");
    let text = fs::read_to_string(&path)
        .unwrap()
        .replace("breached =\n", "");
    fs::write(path, text).unwrap();
    success(&home.run(&passwd));
}

#[test]
fn the_fingerprint_is_shown_as_text_and_as_a_picture() {
    let home = Home::new();
    let text = success(&home.run(&["fingerprint"]));
    assert_eq!(
        text.trim().parse::<Fingerprint>().unwrap(),
        home.fingerprint
    );
    let both = success(&home.run(&["fingerprint", "--picture"]));
    let (first, picture) = both.split_once('\n').unwrap();
    assert_eq!(first, text.trim());
    let drawn = latchstring_net::picture::picture(&home.fingerprint, "host key");
    assert_eq!(picture.trim_end(), drawn);
}
