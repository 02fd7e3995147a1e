//! The workbench as a person uses it, over a pseudo-terminal: the screen is read, keys are typed, files are looked at.

#[path = "support/terminal.rs"]
mod terminal;

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
};

use nix::sys::signal::Signal;

use latchstring_tests::{binary, workspace};
use terminal::Terminal;

/// The first two end in what no language model can guess, and only they are that long.
const TEXTS: [&str; 6] = [
    "please meet me at the station, the code is xq7zvk",
    "i have lost the paper with my new password wj4pbn",
    "the train leaves at nine in the morning",
    "do not tell anybody about the money",
    "we will talk about it when you are here",
    "can you send me the address of the hotel",
];

const ENTER: &str = "\r";
const ESCAPE: &str = "\u{1b}";
const DOWN: &str = "\u{1b}[B";
const END: &str = "\u{1b}[F";
const LEFT: &str = "\u{1b}[D";
const CONTROL_C: &str = "\u{3}";

fn intercepted(folder: &Path) -> String {
    encrypted(folder, &TEXTS.map(str::to_owned))
}

/// Texts under one keystream, one a line in hexadecimal.
fn encrypted(folder: &Path, texts: &[String]) -> String {
    let key = |at: usize| (at * at * 31 + at * 167 + 0x5c) as u8 ^ (at >> 3) as u8;
    let line = |text: &String| {
        let bytes = text.bytes().enumerate();
        bytes
            .map(|(at, byte)| format!("{:02x}", byte ^ key(at)))
            .collect()
    };
    let lines: Vec<String> = texts.iter().map(line).collect();
    let file = folder.join("intercepted.hex");
    fs::write(&file, lines.join("\n")).unwrap();
    file.to_str().unwrap().to_owned()
}

/// In the folder of the file that is opened, or in the top folder for one of the repository.
fn workbench(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary("latchstring"));
    let file = arguments
        .iter()
        .map(Path::new)
        .find(|path| path.is_absolute() && path.is_file());
    command
        .args(["solve", "workbench"])
        .args(arguments)
        .current_dir(file.and_then(Path::parent).unwrap_or(workspace()))
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR");
    command
}

fn open(arguments: &[&str]) -> Terminal {
    let mut terminal = Terminal::start(workbench(arguments), 30, 100);
    terminal.see("[solved in");
    terminal
}

/// The text of a message as it is on the screen, counted from 1.
fn message(terminal: &Terminal, number: usize) -> String {
    let lines = terminal.lines();
    lines[1 + number].chars().skip(7).collect()
}

#[test]
fn a_crib_is_dragged_and_pinned_and_another_message_changes() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = open(&["--language", "english", &intercepted(folder.path())]);
    terminal.see("the train leaves at nine in the morning");
    assert_ne!(message(&terminal, 2), TEXTS[1], "nobody can guess this");
    terminal.keys("c");
    terminal.see("type a word");
    terminal.keys("the code is xq7zvk");
    terminal.see("> ");
    terminal.see("message 1, byte 31:  2|ew password wj4pbn|");
    assert_eq!(message(&terminal, 2), TEXTS[1], "the preview");
    terminal.keys(ENTER);
    terminal.see("pinned \"the code is xq7zvk\" on message 1, byte 31");
    terminal.see("[solved in");
    assert_eq!(message(&terminal, 2), TEXTS[1]);
    println!("{}", terminal.lines().join("\n"));
    terminal.keys("qn");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_contradiction_is_refused_and_what_is_saved_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = intercepted(folder.path());
    let mut terminal = open(&[&file]);
    terminal.keys("?");
    terminal.see("drag a crib: type a word, see where it fits");
    terminal.keys(ESCAPE);
    terminal.wait("messages", |terminal| !terminal.shows("drag a crib"));

    terminal.keys("i");
    terminal.see("text: ");
    terminal.keys("please");
    terminal.keys(ENTER);
    terminal.see("pinned \"please\" on message 1, byte 0");
    terminal.keys(DOWN);
    terminal.see("message 2 of 6, byte 0 of 49");
    terminal.keys("i");
    terminal.see("text: ");
    terminal.keys("the");
    terminal.keys(ENTER);
    terminal.see("refused: keystream byte 0 is known as");
    terminal.keys(ESCAPE);
    terminal.see("message 2 of 6, byte 0 of 49");
    terminal.see("1 pin, not saved");

    terminal.keys("nthe password");
    terminal.keys(ENTER);
    terminal.see("note: the password");
    terminal.keys("u");
    terminal.see("undone");
    assert!(!terminal.shows("note: the password"));
    terminal.keys("r");
    terminal.see("note: the password");

    terminal.keys("q");
    terminal.see("changes that are not saved");
    terminal.keys("y");
    assert_eq!(terminal.end(), 0);
    let work = fs::read_to_string(format!("{file}.workbench.toml")).unwrap();
    println!("{work}");
    assert!(work.contains("text = \"please\"") && work.contains("text = \"the password\""));

    let mut again = open(&[&file]);
    again.see("loaded 1 pin and 1 note");
    again.see("1 pin");
    again.see("    2* ");
    let pinned = again.screen().cell(2, 7).unwrap();
    assert!(pinned.bold() && pinned.underline(), "{:?}", pinned);
    again.keys(CONTROL_C);
    assert_eq!(again.end(), 0);
    assert!(
        !again.screen().alternate_screen(),
        "the terminal is given back"
    );
}

#[test]
fn pins_are_listed_taken_away_and_exported_plaintexts_are_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let file = intercepted(folder.path());
    let mut terminal = open(&["--language", "english", &file]);
    // The solver is not trusted with the capitals of first letters, nor with the codes; a person knows both.
    for text in ["please", "xq7zvk"] {
        terminal.keys(if text == "xq7zvk" { END } else { "" });
        for _ in 1..text.len() * usize::from(text == "xq7zvk") {
            terminal.keys(LEFT);
        }
        terminal.keys("i");
        terminal.see("text: ");
        terminal.keys(text);
        terminal.keys(ENTER);
        terminal.see(&format!("pinned \"{text}\""));
    }
    terminal.keys("l");
    terminal.see("2 pins");
    terminal.see("  message 1, byte 43: \"xq7zvk\"");
    terminal.keys("x");
    terminal.see("no longer pinned: \"please\"");
    terminal.see("1 pin");
    terminal.keys(ESCAPE);
    terminal.see("of 49");
    terminal.keys("u");
    terminal.see("undone");
    terminal.see("2 pins");

    terminal.see("[solved in");
    terminal.keys("e");
    terminal.see("write the plaintexts to: ");
    terminal.keys(ENTER);
    terminal.see("plaintexts written to");
    let exported = fs::read_to_string(format!("{file}.plaintexts.txt")).unwrap();
    assert_eq!(exported.lines().collect::<Vec<_>>(), TEXTS);
    terminal.keys("s");
    terminal.see("saved to");
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);

    // The work file does not go with other ciphertexts.
    let work = format!("{file}.workbench.toml");
    let before = fs::read(&work).unwrap();
    fs::write(&file, "0a0b0c\n0d0e0f\n").unwrap();
    let mut other = Terminal::start(workbench(&[&file]), 30, 100);
    assert_eq!(other.end(), 1);
    assert!(
        other.shows("belongs to other ciphertexts"),
        "{:?}",
        other.lines()
    );
    assert_eq!(fs::read(&work).unwrap(), before);
}

#[test]
fn a_recorded_session_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("chat.toml");
    let capture = [
        "captures/faithful-chat.pcap",
        "--work",
        work.to_str().unwrap(),
    ];
    let mut terminal = open(&capture);
    let typed = fs::read_to_string(workspace().join("captures/faithful-chat.txt")).unwrap();
    // Of the shorter ones all is covered several times.
    for text in typed.lines().filter(|text| (1..32).contains(&text.len())) {
        let rest = &text[1..];
        terminal.see(rest);
    }
    println!("{}", terminal.lines().join("\n"));
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);

    let second = [
        &["captures/faithful-two-sessions.pcap", "--session", "2"][..],
        &capture[1..],
    ]
    .concat();
    let mut terminal = open(&second);
    terminal.see("ello alice this is bob");
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_growing_capture_brings_new_messages_and_the_pins_stay() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(workspace().join("captures/faithful-chat.pcap")).unwrap();
    let file = folder.path().join("growing.pcap");
    // In the middle of a packet.
    let (first, rest) = whole.split_at(whole.len() * 3 / 4);
    fs::write(&file, first).unwrap();
    let mut terminal = open(&["--follow", file.to_str().unwrap()]);
    let count = |terminal: &Terminal| {
        let title = terminal.lines()[0].clone();
        let words: Vec<&str> = title.split(' ').collect();
        let at = words.iter().position(|word| *word == "messages,").unwrap();
        words[at - 1].parse::<usize>().unwrap()
    };
    let before = count(&terminal);
    assert!(before > 2);
    terminal.keys("i");
    terminal.see("text: ");
    terminal.keys("hello my name is alice");
    terminal.keys(ENTER);
    terminal.see("pinned \"hello my name is alice\"");
    let grow = fs::OpenOptions::new().append(true).open(&file);
    grow.unwrap().write_all(rest).unwrap();
    terminal.see("new: ");
    terminal.wait("more messages", |terminal| count(terminal) > before);
    terminal.see("    8  quit()");
    println!("{}", terminal.lines().join("\n"));
    terminal.see("1 pin, not saved");
    assert!(terminal.screen().cell(2, 7).unwrap().underline());
    terminal.keys("qn");
    assert_eq!(terminal.end(), 0);
}

/// The bytes of a faithful session as they are on the wire, a message a segment.
fn speak_faithfully(port: u16, listener: &TcpListener, messages: &[String]) {
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client.set_nodelay(true).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let mut say = |bytes: &[u8]| {
        client.write_all(bytes).unwrap();
        // What the other side has is a segment of its own.
        server.read_exact(&mut vec![0; bytes.len()]).unwrap();
    };
    say(&[7; 128]);
    for message in messages {
        say(message.as_bytes());
    }
    server.write_all(b"Authentication Successful!").unwrap();
    server.write_all(&[9; 40]).unwrap();
    client.read_exact(&mut [0; 66]).unwrap();
}

#[test]
fn a_live_session_is_recorded_and_read() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let live = workbench(&[
        "--live",
        "lo",
        "--port",
        &port.to_string(),
        "--language",
        "english",
    ]);
    let mut terminal = Terminal::start(live, 30, 100);
    terminal.wait("answer", |terminal| {
        ["[waiting]", "libpcap", "setcap"]
            .iter()
            .any(|text| terminal.shows(text))
    });
    if !terminal.shows("[waiting]") {
        eprintln!("SKIPPED: {}", terminal.lines().join(" "));
        return;
    }
    terminal.see("no message yet");
    // Encrypted with one byte: what matters here is that they arrive.
    let messages = TEXTS.map(|text| text.bytes().map(|byte| char::from(byte ^ 3)).collect());
    speak_faithfully(port, &listener, &messages);
    terminal.see("6 messages, ");
    terminal.see("the train leaves at nine in the morning");
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn what_cannot_be_opened_is_named_and_the_terminal_is_left_alone() {
    let without = workbench(&["captures/faithful-chat.pcap"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let error = String::from_utf8(without.stderr).unwrap();
    assert_eq!(without.status.code(), Some(1));
    assert!(error.contains("the workbench needs a terminal"), "{error}");
    assert!(without.stdout.is_empty());

    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.hex");
    fs::write(&bad, "0a0b\n0a0g\n").unwrap();
    let mut terminal = Terminal::start(workbench(&[bad.to_str().unwrap()]), 30, 200);
    assert_eq!(terminal.end(), 1);
    assert!(terminal.shows("line 2 of") && terminal.shows("bad.hex"));
    let mut terminal = Terminal::start(workbench(&["nowhere.hex"]), 30, 200);
    assert_eq!(terminal.end(), 1);
    assert!(terminal.shows("nowhere.hex"));
}

#[test]
fn it_follows_the_size_of_the_terminal_and_leaves_it_clean_when_told_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = intercepted(folder.path());
    let mut terminal = open(&[&file]);
    terminal.resize(8, 40);
    terminal.see("too small");
    terminal.resize(16, 70);
    terminal.see("e train leaves at nine");
    terminal.keys("nx");
    terminal.see("note on message 1: x");
    terminal.keys(ENTER);
    terminal.see("not saved");
    assert!(terminal.screen().alternate_screen());
    terminal.signal(Signal::SIGTERM);
    assert_eq!(terminal.end(), 1);
    assert!(!terminal.screen().alternate_screen() && !terminal.screen().hide_cursor());
    assert!(
        terminal.shows("ended by a signal"),
        "{:?}",
        terminal.lines()
    );

    let rescued = format!("{file}.workbench.toml.rescued");
    let mut again = open(&["--work", &rescued, &file]);
    again.see("note: x");
    again.keys("q");
    assert_eq!(again.end(), 0);
}

#[test]
fn without_colours_the_shades_remain() {
    let folder = tempfile::tempdir().unwrap();
    let file = intercepted(folder.path());
    let mut plain = workbench(&[&file]);
    plain.env("NO_COLOR", "1");
    for (command, coloured) in [(plain, false), (workbench(&[&file]), true)] {
        let mut terminal = Terminal::start(command, 30, 100);
        terminal.see("[solved in");
        terminal.keys("iplease");
        terminal.see("text: please");
        terminal.keys(ENTER);
        terminal.see("pinned \"please\"");
        let cells = (0..30).flat_map(|row| (0..100).map(move |column| (row, column)));
        let painted = cells.filter(|&(row, column)| {
            terminal.screen().cell(row, column).unwrap().fgcolor() != vt100::Color::Default
        });
        assert_eq!(painted.count() > 0, coloured);
        let (pinned, follows) = (terminal.screen().cell(2, 8), terminal.screen().cell(3, 8));
        assert!(pinned.unwrap().bold() && pinned.unwrap().underline());
        assert!(follows.unwrap().bold() && !follows.unwrap().underline());
        terminal.keys("qn");
        assert_eq!(terminal.end(), 0);
    }
}

/// Twenty messages of about a hundred bytes, of texts that no model was trained on.
#[test]
fn twenty_messages_are_solved_again_at_once_after_a_pin() {
    let texts = fs::read_to_string(workspace().join("crates/cryptanalysis/tests/held-out.txt"));
    let texts = texts.unwrap();
    let lines: Vec<&str> = texts
        .lines()
        .filter(|line| line.is_ascii())
        .take(60)
        .collect();
    let messages = lines.chunks_exact(3).map(|lines| lines.join(" "));
    let messages: Vec<String> = messages
        .map(|text| text.chars().take(100).collect())
        .collect();
    assert_eq!(messages.len(), 20);
    let folder = tempfile::tempdir().unwrap();
    let file = encrypted(folder.path(), &messages);
    let mut terminal = open(&["--language", "english", &file]);
    terminal.keys("i");
    terminal.see("text: ");
    terminal.keys(&messages[0][..5]);
    terminal.keys(ENTER);
    terminal.see("pinned \"");
    terminal.see("[solved in");
    println!("{}", terminal.lines().join("\n"));
    let status = terminal
        .lines()
        .into_iter()
        .find(|line| line.contains("[solved in"));
    let took = status.unwrap().split(' ').nth(2).map(str::parse::<u32>);
    let took = took.unwrap().unwrap();
    // A build for debugging is slower, and so is a machine that tests other things at the same time.
    let most = if cfg!(debug_assertions) { 1_500 } else { 150 };
    assert!(took <= most, "{took} ms");
    terminal.keys("qn");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn nothing_is_written_beside_a_capture_of_somebody_else() {
    let folder = tempfile::tempdir().unwrap();
    let (theirs, mine) = (folder.path().join("theirs"), folder.path().join("mine"));
    fs::create_dir(&theirs).unwrap();
    fs::create_dir(&mine).unwrap();
    let file = intercepted(&theirs);
    let mut command = workbench(&[&file]);
    command.current_dir(&mine);
    let mut terminal = Terminal::start(command, 30, 80);
    terminal.see("[solved in");
    terminal.keys("nx");
    terminal.keys(ENTER);
    terminal.see("note: x");
    terminal.keys("s");
    terminal.see("saved to intercepted.hex.workbench.toml");
    terminal.keys("e");
    terminal.keys(ENTER);
    terminal.see("plaintexts written to intercepted.hex.plaintexts.txt");
    terminal.keys("q");
    assert_eq!(terminal.end(), 0);
    let names = |folder: &Path| fs::read_dir(folder).unwrap().count();
    assert_eq!((names(&theirs), names(&mine)), (1, 2));
}

#[test]
fn by_hand_nothing_is_read_but_what_is_pinned() {
    let folder = tempfile::tempdir().unwrap();
    let file = intercepted(folder.path());
    let mut terminal = Terminal::start(workbench(&["--by-hand", &file]), 24, 80);
    terminal.see("[by hand]");
    terminal.see("6 messages, by hand, 0 pins");
    terminal.see("? all keys  q quit");
    let dots = |terminal: &Terminal| message(terminal, 3).trim_end().chars().all(|c| c == '·');
    assert!(dots(&terminal), "{:?}", terminal.lines());
    terminal.keys("cplease");
    terminal.see("text: please");
    terminal.keys(ENTER);
    terminal.see("pinned \"please\" on message 1, byte 0");
    terminal.see("the tr·");
    assert!(!terminal.shows("the train"), "{:?}", terminal.lines());
    terminal.keys("?");
    terminal.see("drag a crib: type a word, see where it fits");
    terminal.keys(ESCAPE);
    terminal.wait("messages", |terminal| !terminal.shows("drag a crib"));
    terminal.keys("qn");
    assert_eq!(terminal.end(), 0);

    let refused = workbench(&["--by-hand", "--mode", "deep", &file])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
}
