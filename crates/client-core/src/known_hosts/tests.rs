use std::{os::unix::fs::PermissionsExt, sync::Barrier};

use super::*;

const HOST: &str = "example.org:22223";

fn fingerprint(byte: u8) -> Fingerprint {
    Fingerprint([byte; 32])
}

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("known_hosts");
    fs::write(&path, text).unwrap();
    (dir, path)
}

#[test]
fn a_given_fingerprint_does_not_override_a_known_one() {
    let (_dir, path) = file(&format!("# mine\n\n{HOST} {}\n", fingerprint(1)));
    let hosts = KnownHosts::load(&path).unwrap();
    // The attacker's key answers, and the user was talked into giving its fingerprint.
    let refusal = hosts.pin(HOST, Some(fingerprint(2))).unwrap_err();
    assert_eq!(refusal.known.line, 3);
    let text = refusal.to_string();
    for needle in [
        "HAS CHANGED",
        "line 3",
        "known_hosts",
        &fingerprint(1).to_string(),
        &fingerprint(2).to_string(),
    ] {
        assert!(text.contains(needle), "{needle} is missing in:\n{text}");
    }
    let lines: Vec<&str> = text.lines().collect();
    let wide = |line: &str| (line.len(), line.starts_with('@') && line.ends_with('@'));
    let bar = (lines[2].len(), true);
    assert_eq!([lines[1], lines[2], lines[3]].map(wide), [bar; 3], "{text}");
    assert_eq!(
        hosts.pin(HOST, Some(fingerprint(1))),
        Ok(Some(fingerprint(1)))
    );
    assert_eq!(hosts.pin(HOST, None), Ok(Some(fingerprint(1))));
}

#[test]
fn an_unknown_host_has_the_given_key_or_is_asked_about() {
    let (_dir, path) = file("");
    let hosts = KnownHosts::load(&path).unwrap();
    assert_eq!(
        hosts.pin(HOST, Some(fingerprint(2))),
        Ok(Some(fingerprint(2)))
    );
    assert_eq!(hosts.pin(HOST, None), Ok(None));
    assert!(hosts.refusal(HOST, fingerprint(1)).is_none());
}

#[test]
fn a_known_host_with_another_key_is_refused() {
    let (_dir, path) = file(&format!("{HOST} {}\n", fingerprint(1)));
    let hosts = KnownHosts::load(&path).unwrap();
    let refusal = hosts.refusal(HOST, fingerprint(2)).unwrap();
    assert_eq!((refusal.other, refusal.given), (fingerprint(2), false));
    // Another port is another host.
    assert!(hosts.refusal("example.org:22", fingerprint(1)).is_none());
}

#[test]
fn adding_keeps_comments_and_is_read_back() {
    let (_dir, path) = file("# a comment, and no newline at the end");
    let mut hosts = KnownHosts::load(&path).unwrap();
    hosts.add(HOST, fingerprint(7)).unwrap();
    hosts.add("[::1]:22223", fingerprint(8)).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("# a comment, and no newline at the end\n"));
    let again = KnownHosts::load(&path).unwrap();
    let known = again.find(HOST).unwrap();
    assert_eq!((known.fingerprint, known.line), (fingerprint(7), 2));
    assert_eq!(again.find("[::1]:22223"), hosts.find("[::1]:22223"));
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_write_that_fails_leaves_the_old_file_as_it_was() {
    let (dir, path) = file(&format!("{HOST} {}\n", fingerprint(1)));
    let before = fs::read(&path).unwrap();
    // The rename fails: a directory stands where the file should go.
    let taken = dir.path().join("taken");
    fs::create_dir_all(taken.join("x")).unwrap();
    assert!(replace(&taken, "other:1").is_err());
    assert_eq!(fs::read(&path).unwrap(), before);
    let left_behind = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(left_behind, 2, "the temporary file is gone");
}

#[test]
fn the_new_text_is_written_beside_the_file_itself() {
    let (dir, path) = file("");
    // Elsewhere it may be another file system, over whose border nothing is renamed.
    let beside = temporary_beside(&path).unwrap();
    assert_eq!(beside.path().parent(), Some(dir.path()));
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let mut hosts = KnownHosts::load(&link).unwrap();
    hosts.add(HOST, fingerprint(1)).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(KnownHosts::load(&path).unwrap().find(HOST).is_some());
    // Only a link that is the file itself is followed: messages name the file as its owner does.
    let folder = elsewhere.path().join("folder");
    std::os::unix::fs::symlink(dir.path(), &folder).unwrap();
    let known = folder.join("known_hosts");
    assert_eq!(KnownHosts::load(&known).unwrap().path(), known);
}

#[test]
fn a_lock_that_is_held_for_too_long_is_an_error() {
    let (_dir, path) = file("");
    let held = lock(&path, Duration::ZERO).unwrap();
    let error = lock(&path, Duration::from_millis(20)).unwrap_err();
    assert!(error.to_string().contains("has held it for"), "{error}");
    drop(held);
    lock(&path, Duration::ZERO).unwrap();
}

#[test]
fn twelve_first_connections_at_once_keep_twelve_lines() {
    let (_dir, path) = file("# mine\n");
    let together = Barrier::new(12);
    thread::scope(|scope| {
        for n in 0..12 {
            let (path, together) = (&path, &together);
            scope.spawn(move || {
                let mut hosts = KnownHosts::load(path).unwrap();
                together.wait();
                hosts.add(&format!("host-{n}:1"), fingerprint(n)).unwrap();
            });
        }
    });
    let hosts = KnownHosts::load(&path).unwrap();
    for n in 0..12 {
        let known = hosts.find(&format!("host-{n}:1")).unwrap();
        assert_eq!(known.fingerprint, fingerprint(n));
    }
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 13);
}

#[test]
fn two_first_connections_to_one_host_agree_on_its_key_or_one_is_refused() {
    let (_dir, path) = file("");
    let mut first = KnownHosts::load(&path).unwrap();
    let mut second = KnownHosts::load(&path).unwrap();
    let mut third = KnownHosts::load(&path).unwrap();
    first.add(HOST, fingerprint(1)).unwrap();
    second.add(HOST, fingerprint(1)).unwrap();
    let error = third.add(HOST, fingerprint(2)).unwrap_err();
    assert!(matches!(error, KnownHostsError::Changed(_)), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
}

#[test]
fn a_broken_line_is_named() {
    let pin = fingerprint(1);
    let good = format!("{HOST} {pin}");
    for bad in [
        "example.org".to_owned(),
        "h:1 SHA256:short".to_owned(),
        "h:1 MD5:x".to_owned(),
        "a b c".to_owned(),
        format!("{good} # a comment"),
        format!("h:1 {pin}="),
        format!("h:1 {}", pin.to_string().to_lowercase()),
        format!("h:1 {pin}\rh:2 {pin}"),
        good.clone(),
        // A comment that some editors show as two lines, with a pin in the second one.
        format!("# a comment\rh:1 {pin}"),
        format!("# a comment\u{2028}h:1 {pin}"),
        format!("# a comment\u{b}h:1 {pin}"),
        // What nobody is ever called.
        format!("LOCALHOST:1 {pin}"),
        format!("localhost.:1 {pin}"),
        format!("[localhost]:1 {pin}"),
        format!("localhost {pin}"),
        format!("localhost:01 {pin}"),
        format!("localhost:0 {pin}"),
        format!("[127.0.0.1]:1 {pin}"),
        format!("[::ffff:127.0.0.1]:1 {pin}"),
        format!("127.1:1 {pin}"),
        format!("::1:1 {pin}"),
        format!("[0:0::1]:1 {pin}"),
        format!("[::1%lo]:1 {pin}"),
        format!("alice@localhost:1 {pin}"),
        format!("\u{feff}localhost:1 {pin}"),
        format!("local\u{200b}host:1 {pin}"),
        format!("{pin} localhost:1"),
    ] {
        let (_dir, path) = file(&format!("{good}\n{bad}"));
        let error = KnownHosts::load(&path).unwrap_err().to_string();
        assert!(error.contains("line 2 of"), "{bad}: {error}");
    }
}

#[test]
fn windows_line_ends_and_tabs_do_no_harm() {
    let (_dir, path) = file(&format!("# mine\r\n\r\n {HOST}\t{}  \r\n", fingerprint(1)));
    let hosts = KnownHosts::load(&path).unwrap();
    assert_eq!(hosts.find(HOST).unwrap().fingerprint, fingerprint(1));
}

#[test]
fn a_file_that_cannot_be_read_is_not_an_empty_one() {
    let (dir, path) = file("");
    let unreadable = |what: &str| {
        let error = KnownHosts::load(&path).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
        fs::remove_file(&path)
            .or_else(|_| fs::remove_dir(&path))
            .unwrap();
    };
    fs::write(&path, b"# gr\xf6\xdfer\n").unwrap();
    unreadable("UTF-8");
    fs::create_dir(&path).unwrap();
    unreadable("directory");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    unreadable("pipe");
    std::os::unix::fs::symlink(dir.path().join("nothing"), &path).unwrap();
    unreadable("No such file");
    std::os::unix::fs::symlink(&path, &path).unwrap();
    unreadable("links");
    fs::write(&path, "#".repeat(MAX_FILE as usize)).unwrap();
    assert!(KnownHosts::load(&path).is_ok(), "it may be so long");
    fs::write(&path, "#".repeat(MAX_FILE as usize + 1)).unwrap();
    unreadable("more than");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    unreadable("chmod go-w");
    // Adding a line reads the file again, and must not begin an empty one either.
    let mut hosts = KnownHosts::load(&path).unwrap();
    fs::write(&path, b"\xff").unwrap();
    assert!(hosts.add(HOST, fingerprint(1)).is_err());
    assert_eq!(fs::read(&path).unwrap(), b"\xff");
}

#[test]
fn a_host_is_removed_with_its_line_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("known_hosts");
    let line = |host: &str, n: u8| format!("{host} {}\n", fingerprint(n));
    let [one, two, three] = [line("a:1", 1), line("b:2", 2), line("c:3", 3)];
    fs::write(&path, format!("# mine\n{one}\n  {two}# between\n{three}")).unwrap();
    let mut hosts = KnownHosts::load(&path).unwrap();
    assert_eq!(hosts.remove("x:9").unwrap(), None);
    let removed = hosts.remove("b:2").unwrap().unwrap();
    assert_eq!((removed.fingerprint, removed.line), (fingerprint(2), 4));
    let left = fs::read_to_string(&path).unwrap();
    assert_eq!(left, format!("# mine\n{one}\n# between\n{three}"));
    let names: Vec<_> = hosts
        .entries()
        .map(|(host, known)| (host, known.line))
        .collect();
    assert_eq!(names, [("a:1", 2), ("c:3", 5)]);
    // Another client has removed it meanwhile.
    let mut late = KnownHosts::load(&path).unwrap();
    hosts.remove("a:1").unwrap();
    assert_eq!(late.remove("a:1").unwrap(), None);
    // Without a file, no file and no lock is made.
    let nowhere = dir.path().join("none");
    assert_eq!(
        KnownHosts::load(&nowhere).unwrap().remove("a:1").unwrap(),
        None
    );
    assert!(!dir.path().join("none.lock").exists());
}
