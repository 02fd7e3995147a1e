//! The program on a terminal: lines are edited by it, and not by the terminal.

mod support;

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use nix::sys::{
    signal::Signal,
    termios::{LocalFlags, SetArg, tcgetattr, tcsetattr},
};
use rexpect::session::{PtySession, spawn_command};
use support::{
    HOST,
    program::{ANSWER, Host, client, code, home, host, know},
};

/// Longer than what a terminal hands over as one line.
const LONG: usize = 10_000;

/// `connect` on a terminal, logged in.
fn logged_in(home: &Path, address: SocketAddr, term: &str) -> PtySession {
    know(home, address, &HOST);
    let (to, pw) = (format!("alice@{address}"), home.join("pw"));
    let mut command = client(home, &["--password-file", pw.to_str().unwrap(), &to]);
    command.env("TERM", term);
    let mut terminal = spawn_command(command, Some(20_000)).unwrap();
    terminal.exp_string("Logged in").unwrap();
    terminal.exp_string("> ").unwrap();
    terminal
}

/// Waits until the screen, which shows a prompt now, looks as it should.
fn see(terminal: &mut PtySession, good: impl Fn(&str) -> bool) {
    let mut screen = vt100::Parser::default();
    screen.process(b"> ");
    let until = Instant::now() + Duration::from_secs(20);
    while !good(&screen.screen().contents()) {
        assert!(Instant::now() < until, "{}", screen.screen().contents());
        match terminal.try_read() {
            Some(char) => screen.process(char.encode_utf8(&mut [0; 4]).as_bytes()),
            None => sleep(Duration::from_millis(5)),
        }
    }
}

/// Ctrl-D, and the agreed end.
fn end(mut terminal: PtySession) {
    terminal.send_control('d').unwrap();
    terminal.exp_string("both ends agree").unwrap();
    terminal.exp_eof().unwrap();
    assert_eq!(code(&terminal), 0);
}

#[test]
fn long_lines_arrive_whole_however_fast_they_come() {
    let home = home();
    let (address, said) = host(&HOST, &[Host::Serve(0)]);
    let mut terminal = logged_in(home.path(), address, "xterm");
    let lines: Vec<String> = ["a", "b", "ö"].map(|c| c.repeat(LONG / c.len())).into();
    // Typed ahead: the second and the third while the first is still being looked at.
    terminal.send(&(lines.join("\r") + "\r")).unwrap();
    terminal.flush().unwrap();
    terminal.exp_string("Stored: 3.").unwrap();
    end(terminal);
    let texts: Vec<String> = said
        .recv()
        .unwrap()
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert_eq!(texts, lines);
}

#[test]
fn a_line_that_is_too_long_is_refused_with_its_length() {
    let home = home();
    let (address, said) = host(&HOST, &[Host::Serve(0)]);
    let mut terminal = logged_in(home.path(), address, "xterm");
    terminal.send(&("x".repeat(16_373) + "\r")).unwrap();
    terminal.flush().unwrap();
    terminal.exp_string("Not sent: it has 16373 bytes").unwrap();
    terminal.send("fits\r").unwrap();
    terminal.flush().unwrap();
    terminal.exp_string("Stored: 1.").unwrap();
    terminal.send_control('d').unwrap();
    let rest = terminal.exp_eof().unwrap();
    assert!(rest.contains("1 line of the input was not sent"), "{rest}");
    assert_eq!(code(&terminal), 1);
    assert_eq!(said.recv().unwrap(), [(1, "fits".to_owned())]);
}

#[test]
fn lines_are_edited_pasted_and_brought_back() {
    let home = home();
    let (address, said) = host(&HOST, &[Host::Serve(0)]);
    let mut terminal = logged_in(home.path(), address, "xterm");
    let mut keys = |keys: &str, stored: &str| {
        terminal.send(keys).unwrap();
        terminal.flush().unwrap();
        terminal.exp_string(stored).unwrap();
    };
    // The beginning of the line, and a character in front.
    keys("nd\x01e\r", "Stored: 1.");
    // The arrow brings the line back.
    keys("\x1b[A!\r", "Stored: 2.");
    // A paste of two lines goes out when Return is pressed, as two messages.
    keys("\x1b[200~one\rtwo\x1b[201~\r", "Stored: 4.");
    // Ctrl-C drops the line, and an empty line is no message.
    keys("never sent\x03", "The line was dropped");
    keys("\r\rlast\r", "Stored: 5.");
    end(terminal);
    let texts: Vec<String> = said
        .recv()
        .unwrap()
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert_eq!(texts, ["end", "end!", "one", "two", "last"]);
    let files = fs::read_dir(home.path()).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(
        names,
        ["id.pem", "known_hosts", "outbox", "pw"],
        "no history on the disk"
    );
}

#[test]
fn a_paste_that_is_cut_off_says_what_did_not_go_out() {
    let home = home();
    let (address, _said) = host(&HOST, &[Host::Vanish(1)]);
    let mut terminal = logged_in(home.path(), address, "xterm");
    let lines = "a line\r".repeat(3000);
    terminal
        .send(&format!("\x1b[200~{lines}last\x1b[201~\r"))
        .unwrap();
    terminal.flush().unwrap();
    let rest = terminal.exp_eof().unwrap();
    let (before, _) = rest.split_once(" pasted lines.").expect("a count");
    let left: usize = before.rsplit(' ').next().unwrap().parse().unwrap();
    let (before, _) = rest.split_once(" messages (1 to ").expect("a count");
    let kept: usize = before.rsplit(' ').next().unwrap().parse().unwrap();
    assert_eq!(kept + left, 3001, "{kept} {left}");
    assert_eq!(code(&terminal), 5);
}

#[test]
fn what_the_host_says_does_not_disturb_the_line_that_is_being_typed() {
    let home = home();
    let (address, said) = host(&HOST, &[Host::Answer]);
    let mut terminal = logged_in(home.path(), address, "xterm");
    // The answer comes while half of the second line is there.
    terminal.send("first\rsecond").unwrap();
    terminal.flush().unwrap();
    see(&mut terminal, |screen| {
        let shown = [ANSWER, "Stored: 1."]
            .iter()
            .all(|said| screen.contains(said));
        shown && screen.trim_end().ends_with("\n> second")
    });
    terminal.send(" half\r").unwrap();
    terminal.flush().unwrap();
    terminal.exp_string("Stored: 2.").unwrap();
    end(terminal);
    assert_eq!(
        said.recv().unwrap(),
        [(1, "first".to_owned()), (2, "second half".to_owned())]
    );
}

#[test]
fn what_goes_to_a_file_is_not_drawn_on() {
    let home = home();
    let (address, said) = host(&HOST, &[Host::Answer]);
    know(home.path(), address, &HOST);
    let dir = home.path().display();
    let mut shell = Command::new("sh");
    let line = format!(
        "exec {} connect --dir {dir} --password-file {dir}/pw alice@{address} >{dir}/out 2>{dir}/errors",
        env!("CARGO_BIN_EXE_latchstring-client"),
    );
    shell.args(["-c", &line]).env("TERM", "xterm");
    let mut terminal = spawn_command(shell, Some(20_000)).unwrap();
    terminal.exp_string("> ").unwrap();
    let long = "x".repeat(LONG);
    terminal.send(&format!("{long}\r")).unwrap();
    terminal.flush().unwrap();
    let stored = || {
        fs::read_to_string(home.path().join("errors"))
            .unwrap()
            .contains("Stored: 1.")
    };
    while !stored() {
        sleep(Duration::from_millis(10));
    }
    terminal.send_control('d').unwrap();
    terminal.exp_eof().unwrap();
    assert_eq!(code(&terminal), 0);
    let out = fs::read_to_string(home.path().join("out")).unwrap();
    assert_eq!(out, format!("{ANSWER}\n"));
    let errors = fs::read_to_string(home.path().join("errors")).unwrap();
    assert!(
        !errors.contains('\x1b') && errors.contains("both ends agree"),
        "{errors}"
    );
    assert_eq!(said.recv().unwrap(), [(1, long)]);
}

#[test]
fn control_c_twice_ends_it_and_a_third_time_does_not_wait() {
    let home = home();
    let (address, _said) = host(&HOST, &[Host::Serve(0), Host::Ignore]);
    let mut terminal = logged_in(home.path(), address, "xterm");
    terminal.send_control('c').unwrap();
    terminal.exp_string("Ctrl-C again").unwrap();
    terminal.send_control('c').unwrap();
    terminal.exp_string("both ends agree").unwrap();
    terminal.exp_eof().unwrap();
    assert_eq!(code(&terminal), 0);

    let mut terminal = logged_in(home.path(), address, "xterm");
    terminal.send_line("never acknowledged").unwrap();
    terminal.send_control('c').unwrap();
    terminal.exp_string("Ctrl-C again").unwrap();
    terminal.send_control('c').unwrap();
    terminal
        .exp_string("until the server has stored 1 message;")
        .unwrap();
    terminal.send_control('c').unwrap();
    let rest = terminal.exp_eof().unwrap();
    assert!(
        rest.contains("ended by SIGINT; message 1 is not acknowledged"),
        "{rest}"
    );
    assert_eq!(code(&terminal), 5);
}

#[test]
fn the_terminal_is_as_it_was_whatever_ends_the_session() {
    let home = home();
    let (address, _said) = host(&HOST, &[Host::Say, Host::Vanish(0)]);
    know(home.path(), address, &HOST);
    for _ in 0..2 {
        let mut shell = Command::new("sh");
        let line = format!(
            "stty -g; {} connect --dir {dir} --password-file {dir}/pw alice@{address}; echo code $?; stty -g",
            env!("CARGO_BIN_EXE_latchstring-client"),
            dir = home.path().display()
        );
        shell.args(["-c", &line]).env("TERM", "xterm");
        let mut terminal = spawn_command(shell, Some(20_000)).unwrap();
        let before = terminal.read_line().unwrap();
        terminal.exp_string("Logged in").unwrap();
        let session = terminal.exp_string("code 5\r\n").unwrap();
        assert!(session.ends_with("\r\n"), "below the line that was typed");
        assert_eq!(terminal.read_line().unwrap(), before);
    }
}

#[test]
fn after_control_z_the_terminal_cuts_nothing_either() {
    let home = home();
    let (address, said) = host(&HOST, &[Host::Serve(0)]);
    let mut terminal = logged_in(home.path(), address, "xterm");
    // What a shell does before it brings a program back.
    let screen = terminal.process().get_file_handle().unwrap();
    let mut mode = tcgetattr(&screen).unwrap();
    assert!(!mode.local_flags.contains(LocalFlags::ICANON));
    mode.local_flags |= LocalFlags::ICANON | LocalFlags::ECHO;
    tcsetattr(&screen, SetArg::TCSANOW, &mode).unwrap();
    terminal.process_mut().signal(Signal::SIGCONT).unwrap();
    while tcgetattr(&screen)
        .unwrap()
        .local_flags
        .contains(LocalFlags::ICANON)
    {
        sleep(Duration::from_millis(5));
    }
    let long = "x".repeat(LONG);
    terminal.send(&format!("{long}\r")).unwrap();
    terminal.flush().unwrap();
    terminal.exp_string("Stored: 1.").unwrap();
    end(terminal);
    assert_eq!(said.recv().unwrap(), [(1, long)]);
}

#[test]
fn a_dumb_terminal_works_and_what_it_may_have_cut_is_not_sent() {
    let home = home();
    let (address, said) = host(&HOST, &[Host::Serve(0)]);
    let mut terminal = logged_in(home.path(), address, "dumb");
    terminal.send_line("plain").unwrap();
    terminal.exp_string("Stored: 1.").unwrap();
    terminal.send_line(&"x".repeat(LONG)).unwrap();
    terminal
        .exp_string("the terminal cuts lines as long as this one")
        .unwrap();
    terminal.send_line("after").unwrap();
    terminal.exp_string("Stored: 2.").unwrap();
    terminal.send_control('d').unwrap();
    terminal.exp_eof().unwrap();
    assert_eq!(code(&terminal), 1, "one line was not sent");
    let texts: Vec<String> = said
        .recv()
        .unwrap()
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert_eq!(texts, ["plain", "after"]);
}
