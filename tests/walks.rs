//! The labs from a fresh clone, with the handouts alone: the commands of each handout, in their order, in a shell, and a
//! beginner who reads what they print.

#[path = "handouts/clone.rs"]
mod clone;
#[path = "walks/rust.rs"]
mod rust;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use clone::{Clone, all_labs, answer, at, clone_setup, printed};
use latchstring_classroom::labs;
use latchstring_net::port::ReservedPort;
use latchstring_tests::{interrupt, workspace};

impl Clone {
    /// Puts the files of a lab's solution over those of the student.
    fn solve(&self, id: &str) {
        let lab = labs::find(labs::built_in().unwrap(), id).unwrap();
        let language = lab.language(None).unwrap();
        lab.lay_out("solution", language, &self.folder(id)).unwrap();
    }

    fn folder(&self, id: &str) -> PathBuf {
        self.top.join("lab-work").join(id)
    }
}

/// The pieces that `show.py` prints: who sent it, and its bytes.
fn pieces(shown: &str) -> Vec<(String, Vec<u8>)> {
    let mut pieces: Vec<(String, Vec<u8>)> = Vec::new();
    for line in shown.lines() {
        if let Some((_, who)) = line.split_once(". ").filter(|_| !line.starts_with(' ')) {
            pieces.push((who.split(' ').next().unwrap().to_owned(), Vec::new()));
        } else if let Some((_, row)) = line.trim_start().split_once("  ") {
            let digits = row.get(..47).unwrap_or(row);
            let bytes = digits.split_whitespace();
            let bytes = bytes.map(|byte| u8::from_str_radix(byte, 16).unwrap());
            pieces.last_mut().unwrap().1.extend(bytes);
        }
    }
    pieces
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A target in a second terminal, and what it says.
struct Served {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    seen: String,
}

impl Served {
    fn start(clone: &Clone, command: &str, port: u16) -> Self {
        let command = format!("{}; exec {command} --port {port}", clone_setup());
        let mut child = Command::new("bash")
            .args(["-c", &command])
            .current_dir(&clone.top)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut served = Self {
            child,
            lines,
            seen: String::new(),
        };
        served.until("Ready to chat");
        served
    }

    fn until(&mut self, words: &str) {
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).unwrap();
            assert!(read > 0, "the target never said {words:?}: {}", self.seen);
            self.seen += &line;
            if line.contains(words) {
                return;
            }
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Ctrl-C ends it, as it says. The shell has become the target.
        interrupt(self.child.id());
        let _ = self.child.wait();
    }
}

#[test]
fn lab_00_is_walked_with_its_handout_alone() {
    let id = "00-first-contact";
    let clone = Clone::fresh();
    let mut steps = Clone::handout(id);
    let check = at(&steps, "latchstring lab check");
    let show = at(&steps, "python3 show.py faithful.pcap");

    // Everything up to the first look at the old protocol; the demo in memory, which needs no seconds.
    let demo = at(&steps, "latchstring demo");
    steps[demo] += " --over memory > /dev/null";
    let shown = printed(&clone.shell(&steps[..=show]));
    let faithful = pieces(
        shown
            .split("1. client")
            .nth(1)
            .map(|rest| format!("1. client{rest}"))
            .as_deref()
            .unwrap(),
    );
    let folder = clone.folder(id);
    for (question, letter) in [("faithful-in-clear", "A)"), ("hardened-in-clear", "b")] {
        answer(&folder, question, letter);
    }
    let (login, key, iv, second) = (
        &faithful[0].1,
        &faithful[2].1,
        &faithful[3].1,
        &faithful[5].1,
    );
    answer(&folder, "login-length", &login.len().to_string());
    answer(&folder, "session-key", &hex(key));
    answer(&folder, "iv", &hex(iv));

    // Decrypt the second message, with the three arguments in the places of their names.
    let decrypt = at(&steps, "python3 aes.py");
    steps[decrypt] = steps[decrypt]
        .replace("KEY", &hex(key))
        .replace("IV", &hex(iv))
        .replace("MESSAGE", &hex(second));
    let cd = at(&steps, "cd ");
    let setup = at(&steps, "export");
    let here = |steps: &[String], wanted: usize| {
        [
            &steps[setup..=setup],
            &steps[cd..=cd],
            &steps[wanted..=wanted],
        ]
        .concat()
    };
    let message = printed(&clone.shell(&here(&steps, decrypt)));
    answer(&folder, "second-message", message.trim());

    // The new protocol: walk along the client's bytes.
    let look = at(&steps, "python3 show.py hardened.pcap");
    let hardened = pieces(&printed(&clone.shell(&here(&steps, look))));
    let client = hardened.iter().filter(|(who, _)| who == "client");
    let stream: Vec<u8> = client.flat_map(|(_, bytes)| bytes.clone()).collect();
    let mut lengths = Vec::new();
    let mut rest = &stream[74..];
    while rest.len() >= 4 {
        let whole = 4 + u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        lengths.push(whole);
        rest = &rest[whole..];
    }
    answer(&folder, "readable-word", "latch/2");
    answer(&folder, "client-records", &lengths.len().to_string());
    answer(&folder, "message-record", &lengths[1].to_string());

    let report = printed(&clone.shell(&here(&steps, check)));
    assert!(report.contains("13 of 13 points"), "{report}");
    assert!(
        report.contains("latchstring lab start 01"),
        "what next: {report}"
    );
}

#[test]
fn lab_01_is_walked_with_its_handout_alone() {
    let id = "01-say-the-name";
    let clone = Clone::fresh();
    let mut steps = Clone::handout(id);
    let (setup, start) = (at(&steps, "export"), at(&steps, "latchstring lab start"));
    printed(&clone.shell(&steps[setup..=start]));
    let folder = clone.folder(id);
    answer(&folder, "who-gets-in", "b");

    let reserved = ReservedPort::take().unwrap();
    let port = reserved.number();
    let serve = at(&steps, "latchstring lab serve");
    let mut target = Served::start(&clone, &steps[serve], port);
    let (cd, knock) = (at(&steps, "cd "), at(&steps, "python3 attack.py"));
    let names = printed(&clone.shell(&[&steps[setup..=setup], &steps[cd..knock]].concat()));
    let name = names
        .lines()
        .find_map(|name| name.strip_suffix(".pub"))
        .unwrap();
    steps[knock] = steps[knock]
        .replace("22222", &port.to_string())
        .replace("NAME", name);
    let knock = [
        &steps[setup..=setup],
        &steps[cd..=cd],
        &steps[knock..=knock],
    ]
    .concat();

    // Step 2: as it is, the program is not let in.
    assert!(!clone.shell(&knock).status.success());
    target.until("Login refused");
    // Step 3: with make_login alone the server says so.
    let solution = fs::read_to_string(
        workspace()
            .join("labs")
            .join(id)
            .join("solution/python/attack.py"),
    )
    .unwrap();
    let body = |text: &str, function: &str| -> String {
        let begin = text.find(&format!("def {function}(")).unwrap();
        let end = text[begin..].find("\n\n\n").unwrap();
        text[begin..begin + end].to_owned()
    };
    let write = |function: &str| {
        let path = folder.join("attack.py");
        let program = fs::read_to_string(&path).unwrap();
        let done = program.replace(&body(&program, function), &body(&solution, function));
        assert_ne!(program, done);
        fs::write(path, done).unwrap();
    };
    write("make_login");
    printed(&clone.shell(&knock));
    target.until(&format!("Logged in: {name}"));
    // Step 4: and then the words.
    write("say_words");
    printed(&clone.shell(&knock));
    target.until("Decrypted Message: open the gate");
    drop(target);

    // The peer that is mended after the steps; tests/mended.rs walks its section.
    let mended = workspace()
        .join("labs")
        .join(id)
        .join("solution/python/mend/login.py");
    fs::copy(mended, folder.join("mend/login.py")).unwrap();
    let check = at(&steps, "latchstring lab check");
    let done = [
        &steps[setup..=setup],
        &steps[cd..=cd],
        &steps[check..=check],
    ]
    .concat();
    let report = printed(&clone.shell(&done));
    assert!(report.contains("13 of 13 points"), "{report}");
}

#[test]
fn lab_04_is_walked_with_its_handout_alone() {
    let id = "04-two-time-pad";
    let clone = Clone::fresh();
    let steps = Clone::handout(id);
    let (setup, start) = (at(&steps, "export"), at(&steps, "latchstring lab start"));
    let (cd, list) = (at(&steps, "cd "), at(&steps, "python3 drag.py list"));
    let listed = printed(&clone.shell(&steps[setup..=list]));
    assert!(listed.contains("5:   8 bytes"), "{listed}");
    assert!(start < cd);
    let folder = clone.folder(id);
    answer(&folder, "keystreams", "c.");
    let solution = workspace().join("labs").join(id).join("solution");
    for (from, to) in [
        ("python/drag.py", "drag.py"),
        ("python/mend/frames.py", "mend/frames.py"),
    ] {
        fs::copy(solution.join(from), folder.join(to)).unwrap();
    }

    let here = |command: &str| {
        let lines = [
            &steps[setup..=setup],
            &steps[cd..=cd],
            &[command.to_owned()],
        ]
        .concat();
        printed(&clone.shell(&lines))
    };
    // Steps 2 and 4: the commands as they are printed.
    let dragged = here(&steps[at(&steps, "python3 drag.py drag")]);
    assert!(dragged.contains("1+5 at 0: hello "), "{dragged}");
    let opened = here(&steps[at(&steps, "python3 drag.py open")]);
    assert!(opened.contains("1: hello "), "{opened}");
    // Step 3: the phrasebook says how the longest message goes on.
    let book = fs::read_to_string(folder.join("phrasebook.txt")).unwrap();
    let words = |heading: &str| -> Vec<String> {
        let line = book.lines().find(|line| line.starts_with(heading)).unwrap();
        line.split_whitespace().skip(1).map(str::to_owned).collect()
    };
    let begins = opened.lines().next().unwrap()[3..]
        .trim_end_matches('_')
        .to_owned();
    let length: usize = listed.lines().find(|line| line.starts_with("1:")).unwrap()[2..]
        .split_whitespace()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let texts = words("FRIEND").into_iter().flat_map(|friend| {
        let names = words("NAME").into_iter();
        names.map(move |name| {
            format!("hello {friend}, this is {name}, and i write from the office of the harbour master tonight")
        })
    });
    let fits = texts.filter(|text| text.len() == length && text.starts_with(&begins));
    let read = fits
        .map(|text| here(&format!("python3 drag.py open chat.pcap 1 \"{text}\"")))
        .find(|opened| {
            opened.contains("3: the word for the guard at the gate is ")
                && opened.contains(", and come alone")
                && opened.contains("2: please bring the ")
        })
        .expect("one of the greetings of the phrasebook opens all the others");
    for number in ["2", "3", "4"] {
        let line = read
            .lines()
            .find(|line| line.starts_with(&format!("{number}: ")))
            .unwrap();
        answer(&folder, &format!("message-{number}"), &line[3..]);
    }
    let report = here(&steps[at(&steps, "latchstring lab check")]);
    assert!(report.contains("18 of 18 points"), "{report}");
}

#[test]
fn in_lab_08_a_user_visits_the_program_as_the_handout_says() {
    let id = "08-in-the-middle";
    let clone = Clone::fresh();
    let steps = Clone::handout(id);
    let (setup, start) = (at(&steps, "export"), at(&steps, "latchstring lab start"));
    printed(&clone.shell(&steps[setup..=start]));
    clone.solve(id);
    let reserved = [ReservedPort::take().unwrap(), ReservedPort::take().unwrap()];
    let [own, bank] = reserved.each_ref().map(ReservedPort::number);
    let mut served = Served::start(&clone, &steps[at(&steps, "latchstring lab serve")], bank);
    let visited = |program: &str| {
        let program = steps[at(&steps, program)]
            .replace("22223", &own.to_string())
            .replace("22222", &bank.to_string());
        assert!(program.ends_with('&'), "{program}");
        let visit = &steps[at(&steps, "latchstring lab visit")];
        let cd = &steps[at(&steps, "cd ")];
        let visit = format!("{visit} --port {own}");
        printed(&clone.shell(&[steps[setup].clone(), cd.clone(), program, visit]))
    };
    let harvested = visited("python3 rogue.py harvest");
    let typed = harvested.lines().find_map(|line| line.strip_prefix("[>] "));
    let typed = typed.expect("the user has typed something");
    assert!(
        harvested.lines().any(|line| line == typed) && harvested.contains("noticed nothing"),
        "{harvested}"
    );
    assert!(visited("python3 rogue.py relay").contains("noticed nothing"));
    served.until("Logged in");
    served.until("Decrypted Message: raise the limit");
}

/// Commands of the steps that wait for a person, or for a target in a second terminal.
fn waits(command: &str) -> bool {
    let begins = [
        "latchstring lab serve",
        "latchstring lab visit",
        "latchstring lab predict",
        "python3 operate.py deploy",
    ];
    let waits = begins.iter().any(|begins| command.starts_with(begins));
    waits
        || command.contains("pip install")
        || command.contains("127.0.0.1")
        || command.ends_with('&')
}

/// Whether a command has a word in capitals that a student replaces, such as `KEY`.
fn has_placeholder(command: &str) -> bool {
    let words = command.split([' ', '"']).skip(1);
    { words }.any(|word| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// The labs with a walk of their own above: their commands build on each other's output.
const WALKED: [&str; 2] = ["00-first-contact", "04-two-time-pad"];

#[test]
fn the_steps_of_every_other_handout_run_as_they_are_printed_once_the_lab_is_solved() {
    for id in all_labs()
        .iter()
        .filter(|id| !WALKED.contains(&id.as_str()))
    {
        let clone = Clone::fresh();
        let steps = Clone::handout(id);
        let start = at(&steps, "latchstring lab start");
        printed(&clone.shell(&steps[..=start]));
        clone.solve(id);
        let folder = steps[at(&steps, "cd ")].clone();
        let solved = [
            "export PATH=\"$PWD/target/release:$PATH\"",
            &folder,
            "python3 solve.py",
        ];
        printed(&clone.shell(&solved.map(str::to_owned)));
        let run = steps.iter().enumerate();
        let run = run.filter(|(i, step)| *i != start && !waits(step) && !has_placeholder(step));
        let run: Vec<String> = run.map(|(_, step)| step.clone()).collect();
        let report = printed(&clone.shell(&run));
        assert!(
            report.contains("pass") && !report.contains("FAIL"),
            "{id}: {report}"
        );
    }
}
