//! The program in scripts: what it takes from its descriptors, what it leaves, and what it says about that.

mod support;

use std::{
    fs::{self, File},
    io::{self, Read, Seek, Write},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    fcntl::{FcntlArg, fcntl},
    sys::{
        signal::{Signal, kill},
        stat::Mode,
    },
    unistd::{Pid, Uid, mkfifo},
};
use serde_json::Value;
use support::{
    HOST, pin,
    program::{Host, client, connect_script, home, host, know, script},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_latchstring-client");

fn numbered(lines: std::ops::Range<usize>) -> String {
    lines.map(|n| format!("line {n}\n")).collect()
}

fn waiting(home: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for file in fs::read_dir(home.join("outbox")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            if let Some(text) = line["message"]["text"].as_str() {
                texts.push(text.to_owned());
            }
        }
    }
    texts
}

/// `connect` with the password from the file, and its input from there.
fn connect(home: &Path, address: std::net::SocketAddr, more: &[&str], input: Stdio) -> Output {
    let (to, pw) = (format!("alice@{address}"), home.join("pw"));
    let mut command = client(home, &["--password-file", pw.to_str().unwrap(), &to]);
    command.args(more).stdin(input).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The number in front of `after`.
fn number_before(text: &str, after: &str) -> usize {
    let (before, _) = text
        .split_once(after)
        .unwrap_or_else(|| panic!("{after} is not in {text}"));
    before.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn after_a_cut_the_rest_of_the_input_is_where_it_was() {
    const ALL: usize = 1100;
    for from_a_pipe in [true, false] {
        let home = home();
        let (address, said) = host(&HOST, &[Host::Vanish(3), Host::Serve(3)]);
        know(home.path(), address, &HOST);
        let (mine, theirs) = if from_a_pipe {
            let (reader, mut writer) = io::pipe().unwrap();
            let (reader, lines) = (File::from(OwnedFd::from(reader)), numbered(0..ALL));
            thread::spawn(move || writer.write_all(lines.as_bytes()));
            (reader.try_clone().unwrap(), reader)
        } else {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(numbered(0..ALL).as_bytes()).unwrap();
            file.rewind().unwrap();
            (file.try_clone().unwrap(), file)
        };

        let cut = connect(home.path(), address, &["--quiet"], theirs.into());
        let errors = text(&cut.stderr);
        assert_eq!(cut.status.code(), Some(5), "{errors}");
        let taken = number_before(&errors, " lines of the input were taken");
        assert!(
            (3..=1024).contains(&taken),
            "no more than the outbox holds: {errors}"
        );
        assert!(
            errors.contains(&format!("{taken} of them stored or kept")),
            "{errors}"
        );
        assert!(
            errors.contains(&format!("go on with line {}", taken + 1)),
            "{errors}"
        );
        assert_eq!(waiting(home.path()).len(), taken);

        // Whoever reads next begins behind the last line that was taken.
        let mut rest = String::new();
        let mut after = mine;
        if !from_a_pipe {
            let position = after.stream_position().unwrap();
            assert_eq!(position, numbered(0..taken).len() as u64);
        }
        after.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, numbered(taken..ALL));

        said.recv().unwrap();
        let (code, _, errors) = connect_script(home.path(), address, &[], &rest);
        assert_eq!(code, 0, "{errors}");
        let stored = said
            .recv()
            .unwrap()
            .into_iter()
            .map(|(_, text)| text + "\n");
        assert_eq!(
            stored.collect::<String>(),
            numbered(3..ALL),
            "none lost, none doubled"
        );
    }
}

#[test]
fn a_key_that_cannot_be_written_leaves_nothing_and_says_why() {
    let home = tempfile::tempdir().unwrap();
    let line = "ulimit -f 1; exec \"$@\"";
    let keygen = [PROGRAM, "keygen", "--dir", home.path().to_str().unwrap()];
    let output = Command::new("sh")
        .args(["-c", line, "sh"])
        .args(keygen)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("cannot write"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

/// It died while the disk was written to, mostly: the line was in the outbox, and still in the file as well.
#[test]
fn a_killed_client_has_left_each_line_of_a_file_either_there_or_in_the_outbox() {
    for round in 1..=4 {
        let home = home();
        let (address, _said) = host(&HOST, &[Host::Ignore]);
        know(home.path(), address, &HOST);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(numbered(0..1000).as_bytes()).unwrap();
        file.rewind().unwrap();
        let (to, pw) = (format!("alice@{address}"), home.path().join("pw"));
        let mut command = client(
            home.path(),
            &["--quiet", "--password-file", pw.to_str().unwrap(), &to],
        );
        let mut child = command.stdin(file.try_clone().unwrap()).spawn().unwrap();
        while !has_sent(home.path()) {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(3 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut rest = String::new();
        file.read_to_string(&mut rest).unwrap();
        let kept: String = waiting(home.path())
            .iter()
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(
            kept + &rest == numbered(0..1000),
            "round {round}: {rest:.20}"
        );
    }
}

#[test]
fn a_login_that_fails_takes_nothing() {
    let home = home();
    let (address, _said) = host(&HOST, &[Host::Serve(0)]);
    know(home.path(), address, &HOST);
    fs::write(home.path().join("pw"), "wrong").unwrap();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"one\ntwo\n").unwrap();
    file.rewind().unwrap();
    let output = connect(
        home.path(),
        address,
        &["--json"],
        file.try_clone().unwrap().into(),
    );
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("no line of the input was taken"));
    assert_eq!(file.stream_position().unwrap(), 0);
    let end: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&end["event"], &end["exit_code"], &end["lines_taken"]),
        (&"end".into(), &4.into(), &0.into())
    );
    assert!(end["error"].as_str().unwrap().contains("refused"));
    assert!(end["waiting"].is_null(), "nobody looked");
}

#[test]
fn a_program_is_told_everything_in_json() {
    let home = home();
    let (address, _said) = host(&HOST, &[Host::Answer]);
    know(home.path(), address, &HOST);
    let long = "x".repeat(20_000);
    let input = format!("one\n{long}\nzwei, größer\n");
    let (to, pw) = (format!("alice@{address}"), home.path().join("pw"));
    let pw = pw.to_str().unwrap();
    let command = client(home.path(), &["--json", "-q", "--password-file", pw, &to]);
    let (code, shown, _) = script(command, &input);
    assert_eq!(code, 1, "a line was not sent");
    let reports: Vec<Value> = (shown.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |event: &str| {
        let named = reports.iter().filter(|report| report["event"] == event);
        named.cloned().collect::<Vec<_>>()
    };
    assert_eq!(of("logged_in")[0]["host"], address.to_string());
    let kept: Vec<_> = of("kept")
        .iter()
        .map(|k| (k["line"].clone(), k["id"].clone()))
        .collect();
    assert_eq!(kept, [(1.into(), 1.into()), (3.into(), 2.into())]);
    let not_sent = &of("not_sent")[0];
    assert_eq!(
        (&not_sent["line"], &not_sent["why"]),
        (&2.into(), &"too_long".into())
    );
    assert_eq!(of("message")[0]["text"], support::program::ANSWER);
    assert_eq!(of("stored").last().unwrap()["up_to"], 2);
    let end = reports.last().unwrap();
    assert_eq!(of("end").len(), 1);
    assert_eq!(end["event"], "end");
    for (name, value) in [
        ("exit_code", 1),
        ("lines_taken", 3),
        ("lines_kept", 2),
        ("lines_not_sent", 1),
        ("waiting", 0),
    ] {
        assert_eq!(end[name], value, "{name}");
    }
    assert_eq!(end["end_of_input"], true);
}

#[test]
fn a_signal_ends_it_with_an_account_of_the_input() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let home = home();
        let (address, _said) = host(&HOST, &[Host::Ignore]);
        know(home.path(), address, &HOST);
        let (to, pw) = (format!("alice@{address}"), home.path().join("pw"));
        let pw = pw.to_str().unwrap();
        let mut command = client(home.path(), &["--json", "--password-file", pw, &to]);
        let (input, mut open) = io::pipe().unwrap();
        open.write_all(b"one\ntwo\nhalf").unwrap();
        let piped = command
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let mut stdout = io::BufReader::new(child.stdout.take().unwrap());
        let mut shown = String::new();
        while !shown.contains("\"line\":2") {
            assert_ne!(
                io::BufRead::read_line(&mut stdout, &mut shown).unwrap(),
                0,
                "{shown}"
            );
        }
        thread::sleep(Duration::from_millis(50));
        kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        stdout.read_to_string(&mut shown).unwrap();
        let output = child.wait_with_output().unwrap();
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{errors}");
        assert!(errors.contains(&format!("ended by {signal}")), "{errors}");
        assert!(
            errors.contains("2 lines of the input were taken"),
            "{errors}"
        );
        assert!(errors.contains("4 bytes of line 3 are gone"), "{errors}");
        let end: Value = serde_json::from_str(shown.lines().last().unwrap()).unwrap();
        assert_eq!(
            (&end["lines_taken"], &end["waiting"], &end["bytes_lost"]),
            (&2.into(), &2.into(), &4.into())
        );
    }
}

#[test]
fn a_signal_ends_it_also_where_nobody_reads_what_it_says() {
    // Stuck before the signal, and only at the last word.
    for lines in [100, 1] {
        let home = home();
        let (address, _said) = host(&HOST, &[Host::Serve(0)]);
        know(home.path(), address, &HOST);
        // Room for the greeting and some of what is said about the messages.
        let (unread, mut errors) = io::pipe().unwrap();
        let size = fcntl(&errors, FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
        errors
            .write_all(&vec![b'x'; usize::try_from(size).unwrap() - 120])
            .unwrap();
        let (to, pw) = (format!("alice@{address}"), home.path().join("pw"));
        let mut command = client(home.path(), &["--password-file", pw.to_str().unwrap(), &to]);
        let (input, mut open) = io::pipe().unwrap();
        let mut child = command.stdin(input).stderr(errors).spawn().unwrap();
        for n in 0..lines {
            writeln!(open, "line {n}").unwrap();
            thread::sleep(Duration::from_millis(15));
        }
        while !has_sent(home.path()) {
            thread::sleep(Duration::from_millis(10));
        }
        thread::sleep(Duration::from_millis(200));
        assert!(child.try_wait().unwrap().is_none());
        kill(
            Pid::from_raw(child.id().try_into().unwrap()),
            Signal::SIGINT,
        )
        .unwrap();
        let began = Instant::now();
        assert_eq!(child.wait().unwrap().code(), Some(5));
        assert!(began.elapsed() < Duration::from_secs(9));
        drop(unread);
    }
}

/// Whether the outbox holds a message, or has held one.
fn has_sent(home: &Path) -> bool {
    let Ok(mut files) = fs::read_dir(home.join("outbox")) else {
        return false;
    };
    files.any(|file| {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        text.contains("{\"message\"") || text.contains("{\"acked\"")
    })
}

#[test]
fn a_server_without_room_is_tried_again_and_no_other() {
    let home = home();
    let (address, said) = host(&HOST, &[Host::TurnAway, Host::Serve(0)]);
    know(home.path(), address, &HOST);
    let output = connect(home.path(), address, &[], Stdio::null());
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    assert!(
        errors.contains("no room for this connection yet. Attempt 2 follows in"),
        "{errors}"
    );
    said.recv().unwrap();

    let (address, _said) = host(&HOST, &[Host::TurnAway; 2]);
    know(home.path(), address, &HOST);
    for wait in ["0", "1"] {
        let began = Instant::now();
        let output = connect(home.path(), address, &["--wait", wait, "-q"], Stdio::null());
        let errors = text(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(if wait == "0" { 6 } else { 7 }),
            "{errors}"
        );
        assert!(began.elapsed() < Duration::from_secs(9));
        // The second time nobody listens any more, which is no reason to wait.
        assert!(
            errors.contains("at each of 1 attempt in 0 s") || errors.contains("cannot reach"),
            "{errors}"
        );
    }
}

/// Runs the program with its standard output there.
fn print_to(arguments: &[&str], stdout: Stdio) -> (Option<i32>, String) {
    let mut command = Command::new(PROGRAM);
    let output = command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(stdout)
        .output()
        .unwrap();
    (output.status.code(), text(&output.stderr))
}

#[test]
fn an_output_that_nobody_takes_is_an_error_and_no_panic() {
    let home = home();
    let dir = home.path().to_str().unwrap();
    let pw = home.path().join("pw");
    let pw = pw.to_str().unwrap();
    for closed in [false, true] {
        // A host for each round: a client that cannot show a message may close before it says so.
        let (address, _said) = host(&HOST, &[Host::Say]);
        know(home.path(), address, &HOST);
        let to = format!("alice@{address}");
        let nobody = || -> Stdio {
            if closed {
                io::pipe().unwrap().1.into()
            } else {
                File::options()
                    .write(true)
                    .open("/dev/full")
                    .unwrap()
                    .into()
            }
        };
        for arguments in [
            &["--help"][..],
            &["--version"],
            &["connect", "--help"],
            &["completions", "bash"],
            &["keygen", "--dir", dir, "--name", "full"],
            &["connect", "--dir", dir, "--password-file", pw, &to],
        ] {
            if closed && arguments[0] == "keygen" {
                continue; // It is there already.
            }
            let (code, errors) = print_to(arguments, nobody());
            assert_eq!(code, Some(1), "{arguments:?}: {errors}");
            assert!(errors.contains("cannot"), "{arguments:?}: {errors}");
            assert!(!errors.contains("panicked"), "{errors}");
        }
    }
    // Nor does a standard error that takes nothing change the outcome.
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(PROGRAM);
    let status = command
        .args(["connect", "nobody"])
        .stderr(full)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(2));
}

/// Runs the program from a shell that opens the descriptor as `redirect` says, for alice at a host that takes everybody
/// with the right password.
fn with_descriptor(redirect: &str, arguments: &str) -> (Option<i32>, String) {
    let home = home();
    let (address, _said) = host(&HOST, &[Host::Greet, Host::Serve(0)]);
    know(home.path(), address, &HOST);
    let line = format!(
        "exec {PROGRAM} connect --quiet --dir {dir} {arguments} alice@{address} {redirect}",
        dir = home.path().display()
    );
    let mut command = Command::new("sh");
    command.args([
        "-c",
        &line.replace("{pw}", home.path().join("pw").to_str().unwrap()),
    ]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    (output.status.code(), text(&output.stderr))
}

#[test]
fn a_password_comes_from_the_descriptor_itself() {
    for good in ["3<{pw}", "3<{pw} 4<&3", "7<{pw}"] {
        let number = &good[..1];
        let (code, errors) = with_descriptor(good, &format!("--password-fd {number}"));
        assert_eq!(code, Some(0), "{good}: {errors}");
    }
    for (bad, why) in [
        ("3<&-", "file descriptor 3: it is not open"),
        ("4<{pw}", "file descriptor 3: it is not open"),
        ("3</", "file descriptor 3: it is a directory"),
        ("3>/dev/null", "Bad file descriptor"),
        ("3</dev/null", "1 to 128 bytes"),
    ] {
        let (code, errors) = with_descriptor(bad, "--password-fd 3");
        assert_eq!(code, Some(1), "{bad}: {errors}");
        assert!(errors.contains(why), "{bad}: {errors}");
    }
}

#[test]
fn the_password_and_the_messages_may_come_through_one_socket_that_does_not_block() {
    let home = home();
    let (address, said) = host(&HOST, &[Host::Greet, Host::Serve(0)]);
    know(home.path(), address, &HOST);
    let (mut far, near) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        for part in ["correct ", "horse\r\nfi", "rst\nsecond"] {
            thread::sleep(Duration::from_millis(30));
            far.write_all(part.as_bytes()).unwrap();
        }
    });
    let to = format!("alice@{address}");
    let mut command = client(home.path(), &["-q", "--password-fd", "0", &to]);
    let output = command.stdin(OwnedFd::from(near)).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    said.recv().unwrap();
    let said = said.recv().unwrap();
    assert_eq!(said, [(1, "first".to_owned()), (2, "second".to_owned())]);
}

#[test]
fn another_user_may_use_a_descriptor_of_a_file_that_it_may_not_open() {
    let runuser = Command::new("runuser").arg("--version").output();
    if !Uid::effective().is_root() || runuser.is_err() {
        return;
    }
    let home = home();
    let (address, _said) = host(&HOST, &[Host::Greet, Host::Serve(0)]);
    know(home.path(), address, &HOST);
    let secret = tempfile::tempdir().unwrap();
    fs::copy(home.path().join("pw"), secret.path().join("pw")).unwrap();
    let line = format!(
        "chown -R nobody {dir} && cp {PROGRAM} {dir}/client && chmod 755 {dir}/client && runuser -u nobody -- \
         {dir}/client connect --quiet --dir {dir} --password-fd 3 alice@{address} 3<{secret}/pw",
        dir = home.path().display(),
        secret = secret.path().display()
    );
    let output = Command::new("sh")
        .args(["-c", &line])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn a_pipe_that_nobody_writes_to_or_a_device_in_the_place_of_a_file_does_not_hang() {
    for name in ["id.pem", "pw", "known_hosts"] {
        for what in ["pipe", "device", "directory"] {
            let home = home();
            let address = "127.0.0.1:9".parse().unwrap();
            know(home.path(), address, &HOST);
            let path = home.path().join(name);
            fs::remove_file(&path).unwrap();
            match what {
                "pipe" => mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap(),
                "device" => std::os::unix::fs::symlink("/dev/zero", &path).unwrap(),
                _ => fs::create_dir(&path).unwrap(),
            }
            let began = Instant::now();
            // Only the password is read late, once a host has proven its key.
            let known = pin(&HOST).to_string();
            let (address, _said) = match name {
                "pw" => host(&HOST, &[Host::Greet; 2]),
                _ => (address, std::sync::mpsc::channel().1),
            };
            let more = ["--fingerprint", &known];
            let (code, _, errors) = connect_script(home.path(), address, &more, "");
            assert!(began.elapsed() < Duration::from_secs(8), "{name} {what}");
            assert_eq!(code, 1, "{name} {what}: {errors}");
            assert!(errors.contains(what), "{name} {what}: {errors}");
        }
    }
}

#[test]
fn what_is_missing_or_in_the_wrong_place_is_named_with_what_to_do() {
    let home = home();
    let address = "127.0.0.1:9".parse().unwrap();
    know(home.path(), address, &HOST);
    fs::rename(home.path().join("id.pem"), home.path().join("other.pem")).unwrap();
    let (code, _, errors) = connect_script(home.path(), address, &[], "");
    assert_eq!(code, 1);
    assert!(
        errors.contains("there is no key at") && errors.contains("keygen"),
        "{errors}"
    );
    // Not in whichever directory the program was started from.
    let mut command = Command::new(PROGRAM);
    command
        .env("HOME", "relative")
        .args(["connect", "alice@127.0.0.1:9"]);
    let (code, _, errors) = script(command, "");
    assert_eq!(code, 1);
    assert!(errors.contains("set HOME, or use --dir"), "{errors}");
}

#[test]
fn others_must_not_be_able_to_change_what_is_trusted() {
    use std::os::unix::fs::PermissionsExt;
    let home = home();
    let address = "127.0.0.1:9".parse().unwrap();
    know(home.path(), address, &HOST);
    for (path, mode) in [
        (home.path().join("known_hosts"), 0o666),
        (home.path().to_owned(), 0o777),
    ] {
        let before = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let (code, _, errors) = connect_script(home.path(), address, &[], "");
        assert_eq!(code, 1);
        assert!(errors.contains("run: chmod go-w"), "{errors}");
        fs::set_permissions(&path, before).unwrap();
    }
}
