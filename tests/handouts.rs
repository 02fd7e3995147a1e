//! The labs from a fresh clone, with the handouts alone: the commands of each handout, in their order, in a shell, and a
//! beginner who reads what they print. And the `lab` commands with the wrong turns that people take.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use latchstring_tests::{binary, interrupt, workspace};
use tempfile::TempDir;

/// What a fresh clone looks like once `cargo build --release` has run: programs, and nothing of a student. Its name has a
/// space in it, as the name of a student's folder may have.
struct Clone {
    top: PathBuf,
    _folder: TempDir,
}

impl Clone {
    fn fresh() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("my clone");
        let programs = top.join("target/release");
        fs::create_dir_all(&programs).unwrap();
        for program in [
            "latchstring",
            "latchstring-attack",
            "latchstring-server",
            "latchstring-client",
        ] {
            symlink(binary(program), programs.join(program)).unwrap();
        }
        Self {
            top,
            _folder: folder,
        }
    }

    /// A handout as it is in the repository.
    fn handout(id: &str) -> Vec<String> {
        let path = workspace().join("labs").join(id).join("README.md");
        commands(&fs::read_to_string(path).unwrap())
    }

    /// Runs lines in one shell, from the top folder, and gives what they print.
    fn shell(&self, lines: &[String]) -> Output {
        Command::new("bash")
            .args(["-e", "-c", &lines.join("\n")])
            .current_dir(&self.top)
            .env_remove("COLUMNS")
            .env("NO_COLOR", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Puts the files of a lab's solution over those of the student.
    fn solve(&self, id: &str) {
        let solution = workspace().join("labs").join(id).join("solution");
        for part in [solution.clone(), solution.join("python")] {
            for entry in fs::read_dir(part).into_iter().flatten().flatten() {
                if entry.path().is_file() {
                    fs::copy(entry.path(), self.folder(id).join(entry.file_name())).unwrap();
                }
            }
        }
    }

    fn folder(&self, id: &str) -> PathBuf {
        self.top.join("lab-work").join(id)
    }
}

/// The commands of a handout, in their order: what is indented as code up to the end of the steps.
fn commands(handout: &str) -> Vec<String> {
    let steps = handout
        .split("\n## Steps\n")
        .nth(1)
        .expect("a handout has steps");
    let steps = steps.split("\n## ").next().unwrap();
    let programs = ["export", "latchstring", "cd", "python3", "ls"];
    let commands = steps.lines().filter_map(|line| {
        let command = line.trim_start();
        let indented = line.len() - command.len() >= 4;
        let first = command.split(' ').next().unwrap_or_default();
        (indented && programs.contains(&first)).then(|| command.to_owned())
    });
    commands.collect()
}

fn printed(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// Writes an answer into the sheet of a student.
fn answer(folder: &Path, question: &str, answer: &str) {
    let path = folder.join("answers.toml");
    let sheet = fs::read_to_string(&path).unwrap();
    let empty = format!("{question} = \"\"");
    assert!(sheet.contains(&empty), "{question} is not asked in {sheet}");
    fs::write(
        path,
        sheet.replace(&empty, &format!("{question} = {answer:?}")),
    )
    .unwrap();
}

/// The index of the first command that begins so.
fn at(commands: &[String], begins: &str) -> usize {
    let found = commands
        .iter()
        .position(|command| command.starts_with(begins));
    found.unwrap_or_else(|| panic!("no command begins with {begins}: {commands:#?}"))
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

/// The line with which each terminal begins, the same in every handout and in the README.
fn clone_setup() -> String {
    let commands = Clone::handout("01-say-the-name");
    commands[at(&commands, "export")].clone()
}

/// A port that nobody listens at now.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
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

    let port = free_port();
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

    let check = at(&steps, "latchstring lab check");
    let done = [
        &steps[setup..=setup],
        &steps[cd..=cd],
        &steps[check..=check],
    ]
    .concat();
    let report = printed(&clone.shell(&done));
    assert!(report.contains("8 of 8 points"), "{report}");
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
    let solution = workspace().join("labs").join(id).join("solution/python");
    fs::copy(solution.join("drag.py"), folder.join("drag.py")).unwrap();

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
    assert!(report.contains("12 of 12 points"), "{report}");
}

#[test]
fn in_lab_08_a_user_visits_the_program_as_the_handout_says() {
    let id = "08-in-the-middle";
    let clone = Clone::fresh();
    let steps = Clone::handout(id);
    let (setup, start) = (at(&steps, "export"), at(&steps, "latchstring lab start"));
    printed(&clone.shell(&steps[setup..=start]));
    clone.solve(id);
    let [own, bank] = [free_port(), free_port()];
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

/// The ids of all labs.
fn all_labs() -> Vec<String> {
    let folders = fs::read_dir(workspace().join("labs")).unwrap();
    let mut ids: Vec<String> = folders
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("lab.toml").is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    ids.sort();
    ids
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
    waits || command.contains("127.0.0.1") || command.ends_with('&')
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

#[test]
fn the_readme_and_every_handout_begin_with_the_same_line() {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let setup = clone_setup();
    assert!(readme.contains(&setup), "README.md does not say {setup}");
    for entry in fs::read_dir(workspace().join("labs")).unwrap() {
        let handout = fs::read_to_string(entry.unwrap().path().join("README.md")).unwrap();
        assert!(handout.contains(&setup), "{handout}");
        assert!(!handout.contains("alias "), "one way is enough");
    }
}

/// Commands of the README's first steps that other tests run: the whole matrix and a search take minutes in a build for
/// debugging, and the workbench wants a terminal.
const ELSEWHERE: [&str; 4] = [
    "cargo build",
    "latchstring matrix",
    "latchstring solve workbench",
    "latchstring solve seed",
];

#[test]
fn the_first_steps_of_the_readme_run_as_they_are_printed() {
    let clone = Clone::fresh();
    symlink(workspace().join("captures"), clone.top.join("captures")).unwrap();
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let steps = readme.split("\n## First steps\n").nth(1).unwrap();
    let steps = steps.split("\n## ").next().unwrap();
    let blocks = steps.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(|block| block.lines().skip(1));
    let run: Vec<String> = lines
        .filter(|line| !ELSEWHERE.iter().any(|begins| line.starts_with(begins)))
        .map(|line| line.replace("~/.local", "home/.local"))
        .collect();
    assert!(run.len() >= 7, "{run:#?}");
    let printed = printed(&clone.shell(&run));
    assert!(printed.contains("lab-work/01-say-the-name"), "{printed}");
    assert!(
        clone
            .top
            .join("home/.local/share/man/man1/latchstring.1")
            .is_file()
    );
}

// ------------------------------------------------------------------------------------------------------ wrong turns

/// Runs `latchstring lab` in a folder; what it printed, what it complained of, and its exit code.
fn lab(folder: &Path, arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(binary("latchstring"))
        .arg("lab")
        .args(arguments)
        .current_dir(folder)
        .env_remove("COLUMNS")
        .env_remove("LATCHSTRING_LABS")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code(),
    )
}

#[test]
fn a_lab_is_found_from_everywhere_and_never_nests() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    let (out, err, code) = lab(top, &["start", "1"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("lab-work/01-say-the-name"), "{out}");
    let one = top.join("lab-work/01-say-the-name");
    assert_eq!(
        lab(&one.join("public"), &["start", "two-time-pad"]).2,
        Some(0)
    );
    assert!(top.join("lab-work/04-two-time-pad/answers.toml").exists());
    for at in [
        top.to_owned(),
        one.clone(),
        one.join("public"),
        top.join("lab-work"),
    ] {
        assert!(!at.join("lab-work/01-say-the-name/lab-work").exists());
        let (out, err, code) = lab(&at, &["hint", "04"]);
        assert_eq!(code, Some(0), "{}: {err}", at.display());
        assert!(out.starts_with("Hint "), "{out}");
    }
    let (out, _, _) = lab(&one, &["hint"]);
    assert!(
        out.starts_with("Hint 1 of 4"),
        "the lab of this folder: {out}"
    );
    let (_, err, code) = lab(&one, &["start", "01"]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("is started already") && err.contains("lab reset 01"),
        "{err}"
    );
    let (_, err, _) = lab(top, &["start", "say-my-name"]);
    assert!(err.contains("did you mean 01-say-the-name?"), "{err}");
}

#[test]
fn the_list_says_what_is_started_and_done_and_why_numbers_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    let (out, _, _) = lab(top, &["list"]);
    assert_eq!(
        out.matches("not started").count(),
        all_labs().len(),
        "{out}"
    );
    let last = all_labs().last().unwrap()[..2].parse::<usize>().unwrap();
    let gaps = all_labs().len() <= last;
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words.contains("not written yet"), gaps, "{out}");
    assert!(out.contains("Next: latchstring lab start 00"), "{out}");
    lab(top, &["start", "00"]);
    answer(
        &top.join("lab-work/00-first-contact"),
        "faithful-in-clear",
        "a",
    );
    lab(top, &["check", "00"]);
    let (out, _, _) = lab(top, &["list"]);
    assert!(out.contains("started, 1 of 13"), "{out}");
    assert!(out.contains("Go on in lab-work/00-first-contact"), "{out}");
    let (json, _, _) = lab(top, &["list", "--json"]);
    let labs: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&labs[0]["points"], &labs[0]["done"]),
        (&1.into(), &false.into())
    );
    assert_eq!(labs[1]["started"], false);
}

#[test]
fn a_damaged_state_repairs_itself_and_a_lost_one_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    lab(top, &["start", "01"]);
    let work = top.join("lab-work/01-say-the-name");
    lab(&work, &["hint"]);
    let files = [".latchstring.json", ".latchstring.json.copy"].map(|name| work.join(name));
    fs::write(&files[0], "{ damaged").unwrap();
    assert!(lab(&work, &["hint"]).0.starts_with("Hint 2 of 4"));
    fs::remove_file(&files[0]).unwrap();
    assert!(lab(&work, &["hint"]).0.starts_with("Hint 3 of 4"));

    for file in &files {
        fs::write(file, "").unwrap();
    }
    for file in &files {
        let (_, err, code) = lab(&work, &["check"]);
        assert_eq!(code, Some(1));
        assert!(
            err.contains("latchstring lab reset 01-say-the-name"),
            "{err}"
        );
        assert!(lab(top, &["list"]).0.contains("state lost"));
        fs::remove_file(file).unwrap();
    }
    let (out, err, code) = lab(&work, &["reset", "--yes"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("backup-1"), "{out}");
    assert!(work.join("backup-1/answers.toml").exists());
    assert!(lab(&work, &["hint"]).0.starts_with("Hint 1 of 4"));
}

#[test]
fn the_program_needs_nothing_of_the_machine_that_built_it_and_names_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let program = folder.path().join("latchstring");
    fs::copy(binary("latchstring"), &program).unwrap();
    let built = workspace().display().to_string();
    let run = |arguments: &[&str]| {
        let output = Command::new(&program)
            .args(arguments)
            .current_dir(&elsewhere)
            .env_remove("LATCHSTRING_LABS")
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains(&built), "{arguments:?}: {text}");
        (text, output.status.code())
    };
    assert_eq!(run(&["lab", "list"]).1, Some(0));
    assert_eq!(run(&["lab", "start", "04"]).1, Some(0));
    for _ in 0..4 {
        run(&["lab", "hint", "04"]);
    }
    let (text, _) = run(&["lab", "hint", "04"]);
    assert!(text.contains("lab hint 04 --solution"), "{text}");
    assert_eq!(run(&["lab", "hint", "04", "--solution"]).1, Some(0));
    assert!(
        elsewhere
            .join("lab-work/04-two-time-pad/solution/drag.py")
            .exists()
    );
    let (text, code) = run(&["lab", "check", "04"]);
    assert_eq!(code, Some(1), "{text}");
}

#[test]
fn a_check_says_what_it_is_doing_and_never_falls_silent() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    lab(top, &["start", "01"]);
    let work = top.join("lab-work/01-say-the-name");
    answer(&work, "who-gets-in", "a");
    let sheet = fs::read_to_string(work.join("answers.toml")).unwrap();
    fs::write(work.join("slow.py"), "import time\ntime.sleep(2.8)\n").unwrap();
    fs::write(
        work.join("answers.toml"),
        format!("run = [\"python3\", \"slow.py\"]\n{sheet}"),
    )
    .unwrap();
    let (out, err, code) = lab(&work, &["check"]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("running python3 slow.py on target 1 of 2, for at most 20"),
        "{err}"
    );
    assert!(err.contains("(1 s)") && err.contains("(2 s)"), "{err}");
    assert!(err.lines().all(|line| line.chars().count() <= 80), "{err}");
    assert!(!out.contains("still"), "the report is for itself: {out}");
    assert!(out.contains("nobody connected"), "{out}");
}

#[test]
fn a_check_that_is_ended_from_outside_leaves_no_program_behind() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    lab(top, &["start", "01"]);
    let work = top.join("lab-work/01-say-the-name");
    answer(&work, "who-gets-in", "a");
    let endless = format!("endless-{}.py", std::process::id());
    fs::write(work.join(&endless), "while True: pass\n").unwrap();
    let sheet = fs::read_to_string(work.join("answers.toml")).unwrap();
    let run = format!("run = [\"python3\", \"{endless}\"]\n{sheet}");
    fs::write(work.join("answers.toml"), run).unwrap();
    for signal in ["-TERM", "-HUP", "-INT"] {
        let mut check = Command::new(binary("latchstring"))
            .args(["lab", "check"])
            .current_dir(&work)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pid = soon(|| process_of(&["python3", &endless]));
        let to = check.id().to_string();
        let sent = Command::new("kill").args([signal, &to]).status().unwrap();
        assert!(sent.success());
        assert_eq!(check.wait().unwrap().code(), Some(1), "{signal}");
        soon(|| gone(&pid).then_some(()));
    }
}

/// Waits for something that comes soon, also on a busy machine.
fn soon<T>(what: impl Fn() -> Option<T>) -> T {
    for _ in 0..1000 {
        if let Some(there) = what() {
            return there;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("it has not come for 20 seconds");
}

/// The number of the process that has these words in its command line.
fn process_of(words: &[&str]) -> Option<String> {
    let words = words.join("\0");
    let mut processes = fs::read_dir("/proc").unwrap().flatten();
    let process = processes.find(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        line.windows(words.len())
            .any(|part| part == words.as_bytes())
    });
    process.map(|process| process.file_name().to_string_lossy().into_owned())
}

/// Whether a process has ended, even if nobody has asked how.
fn gone(pid: &str) -> bool {
    let ps = Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
    let state = String::from_utf8(ps.unwrap().stdout).unwrap();
    state.trim().is_empty() || state.starts_with('Z')
}
