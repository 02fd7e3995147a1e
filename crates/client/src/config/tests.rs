use std::{fs, os::unix::fs::PermissionsExt};

use super::*;

const FILE: &str = "\
# Where alice works.
Host work w
    HostName latch.example.org
    Port=22224
    user alice
    IdentityFile ~/keys/work.pem
    PasswordFile \"/home/al ice/pw\"   # with a space
    Fingerprint SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA

Host lab-*
    User = bob

Host *
    User carol
    Wait 5
    Reconnect 300
";

fn config(text: &str) -> Result<Config, Usage> {
    let path = Path::new("/etc/config");
    Ok(Config {
        path: Some(path.to_owned()),
        blocks: parse::blocks(text, path, Some(Path::new("/home/alice")))?,
    })
}

fn resolved(config: &Config, typed: &str) -> String {
    match config.resolve(typed) {
        Ok((address, _)) => address.to_string(),
        Err(why) => panic!("{typed}: {why}"),
    }
}

#[test]
fn an_alias_stands_for_a_host_and_what_is_typed_wins() {
    let config = config(FILE).unwrap();
    for (typed, expected) in [
        ("work", "alice@latch.example.org:22224"),
        ("W", "alice@latch.example.org:22224"),
        ("dora@work", "dora@latch.example.org:22224"),
        ("work:9", "alice@latch.example.org:9"),
        ("lab-7", "bob@lab-7:22223"),
        ("lab-7.example.org", "bob@lab-7.example.org:22223"),
        ("example.org", "carol@example.org:22223"),
        ("x@[::1]:7", "x@[::1]:7"),
        ("[::1]", "carol@[::1]:22223"),
    ] {
        assert_eq!(resolved(&config, typed), expected, "{typed}");
    }
    let (_, settings) = config.resolve("work").unwrap();
    assert_eq!(
        settings.identity_file,
        Some("/home/alice/keys/work.pem".into())
    );
    assert_eq!(settings.password_file, Some("/home/al ice/pw".into()));
    assert!(settings.fingerprint.is_some());
    assert_eq!((settings.wait, settings.reconnect), (Some(5), Some(300)));
    assert_eq!(config.names(), ["work", "w"]);
}

#[test]
fn the_first_value_counts() {
    let text = "Wait 1\nHost a\nWait 2\nPort 4\nHost *\nPort 5\n";
    let config = config(text).unwrap();
    let (place, settings) = config.place("a").unwrap();
    assert_eq!(settings.wait, Some(1), "before every Host is for all");
    assert_eq!(place.to_string(), "a:4");
    assert_eq!(config.place("b").unwrap().0.to_string(), "b:5");
}

#[test]
fn a_wrong_line_is_named_with_what_to_do() {
    for (text, line, why) in [
        ("Host a\nHostNam b", 2, "did you mean HostName?"),
        ("Hots a", 1, "did you mean Host?"),
        ("ProxyJump x", 1, "the keywords are Host, HostName"),
        ("Host", 1, "no name after it"),
        ("Host a\n\n# c\nPort x", 4, "1 to 65535"),
        ("Port 0", 1, "1 to 65535"),
        ("Port 1 2", 1, "has 2 values"),
        ("User", 1, "has 0 values"),
        ("User Alice", 1, "User \"Alice\""),
        ("IdentityFile keys/x", 1, "begin it with / or ~/"),
        ("Fingerprint SHA256:abc", 1, "43 characters"),
        ("HostName h:7", 1, "in a line Port"),
        ("HostName ::1", 1, "without brackets"),
        ("Host a\nPort 1\nPort 2", 3, "a second time"),
        ("PasswordFile \"/x", 1, "not closed"),
        ("Wait -1", 1, "0 to 86400"),
        ("Host !a", 1, "negated"),
    ] {
        let error = config(text).unwrap_err().to_string();
        let begin = format!("line {line} of /etc/config: ");
        assert!(
            error.starts_with(&begin) && error.contains(why),
            "{text}: {error}"
        );
    }
}

#[test]
fn without_a_user_the_error_says_where_one_could_stand() {
    let none = Config::default()
        .resolve("example.org")
        .unwrap_err()
        .to_string();
    assert!(none.contains("names no user; write USER@HOST"), "{none}");
    let config = config("Host work\nUser alice\n").unwrap();
    let slip = config.resolve("wrok").unwrap_err().to_string();
    assert!(slip.contains("did you mean work?"), "{slip}");
    for (typed, why) in [
        ("Alice@work", "user name"),
        ("a@::1", "without brackets"),
        ("a@h@i", "no valid host"),
        ("a@h:0", "no valid port"),
        ("a@", "no valid host"),
        ("a@[::1", "lacks a ]"),
    ] {
        let error = config.resolve(typed).unwrap_err().to_string();
        assert!(error.contains(why), "{typed}: {error}");
    }
}

#[test]
fn a_file_that_others_can_change_or_that_is_missing_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config");
    let missing = Config::load(Some(&path)).unwrap_err().to_string();
    assert!(missing.contains("no such file"), "{missing}");
    fs::write(&path, FILE).unwrap();
    for (mode, good) in [(0o600, true), (0o644, true), (0o664, false), (0o646, false)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let read = Config::load(Some(&path));
        match good {
            true => assert_eq!(read.unwrap().path(), Some(path.as_path())),
            false => {
                let error = read.unwrap_err().to_string();
                assert!(error.contains("run: chmod go-w"), "{error}");
            }
        }
    }
    fs::write(&path, b"Host \xff").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let error = Config::load(Some(&path)).unwrap_err().to_string();
    assert!(error.contains("not UTF-8"), "{error}");
    fs::write(&path, vec![b'#'; 300_000]).unwrap();
    let error = Config::load(Some(&path)).unwrap_err().to_string();
    assert!(error.contains("more than"), "{error}");
    let error = Config::load(Some(dir.path())).unwrap_err().to_string();
    assert!(error.contains("is a directory"), "{error}");
}
