//! Why a run did not come out as a check asks for, and what to do about it: a program that never started needs other
//! advice than one that answered wrong.

use std::{borrow::Cow, path::Path};

use latchstring_attacker::{net::terminal::visible, protocol::faithful::message::SENT_NOTHING};

use nix::sys::signal::Signal;

use super::{
    program::{End, KEPT, Ran},
    target::Visit,
};
use crate::truth::counted;

/// How much of a program's last words is shown.
const LAST_LINES: usize = 6;
/// How much of one line or text of a program is shown, in characters.
const LONGEST: usize = 200;
/// How a command is written.
const FORM: &str = "such as run = [\"python3\", \"attack.py\"] in answers.toml";
/// What the server of the faithful protocol sends after a login, in bytes.
const REPLIES: &str = "26, 32 and 8 bytes";

/// What was wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What was found.
    pub found: String,
    /// What to do; the advice of the lab itself where there is none.
    pub next: Option<String>,
    /// Whether all there is to tell is that the program's time was up.
    pub late: bool,
}

impl Trouble {
    fn new(found: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            found: found.into(),
            next: Some(next.into()),
            late: false,
        }
    }

    /// A program that ran well and was wrong: the lab says how to go on.
    pub fn wrong(found: impl Into<String>) -> Self {
        Self {
            found: found.into(),
            next: None,
            late: false,
        }
    }
}

/// A program as it was run: by which command, and in which folder.
pub struct Started<'a> {
    /// The command, without the arguments that it is given.
    pub command: &'a [String],
    /// Where.
    pub folder: &'a Path,
}

impl Started<'_> {
    /// The file that is run: the program itself, or what an interpreter is given.
    fn file(&self) -> &str {
        let mut words = self.command.iter().map(String::as_str);
        let program = words.next().unwrap_or("the program");
        let file = |word: &&str| {
            !word.starts_with('-') && word.contains('.') && !word.contains([' ', '=', '('])
        };
        words.find(file).unwrap_or(program)
    }

    fn line(&self) -> String {
        self.command.join(" ")
    }

    /// What kept the program itself from doing its work, if anything did.
    pub fn trouble(&self, ran: &Ran) -> Option<Trouble> {
        let program = self.command.first().map_or("", String::as_str);
        match &ran.end {
            End::Missing => Some(self.missing(program)),
            End::NotExecutable if self.folder.join(program).is_dir() => Some(Trouble::new(
                format!("{program} is a folder, so nothing was run"),
                format!("name the program itself: {FORM}"),
            )),
            End::NotExecutable => Some(Trouble::new(
                format!("{program} may not be executed, so nothing was run"),
                format!("make it executable: chmod +x {program}"),
            )),
            End::NotStarted(why) => Some(Trouble::new(
                format!("`{}` could not be started: {why}", self.line()),
                format!("name the interpreter too: {FORM}"),
            )),
            _ if self.script_is_missing() => {
                let file = self.file();
                Some(Trouble::new(
                    format!("{file} is not in your folder, so nothing was run"),
                    format!(
                        "write {file}, or name your file as `run` in answers.toml; `latchstring lab reset` brings back the one that you began with"
                    ),
                ))
            }
            End::OutOfTime(limit) => Some(Trouble {
                late: true,
                ..Trouble::new(
                    format!(
                        "the program was stopped after {}",
                        counted(limit.as_secs() as usize, "second")
                    ),
                    "look for a loop that never ends, and for a read of more bytes than the other side sends",
                )
            }),
            End::Signal(number) => Some(Trouble::new(
                format!("the program was ended by signal {number}{}", named(*number)),
                format!(
                    "run it yourself, and look for the place: {} ...",
                    self.line()
                ),
            )),
            End::Status(_) => self.python(&ran.stderr),
            End::Well | End::Decided => None,
        }
    }

    /// What to do about a program that the system does not find.
    fn missing(&self, program: &str) -> Trouble {
        if program.contains('/') {
            return Trouble::new(
                format!("{program} is not in your folder, so nothing was run"),
                format!("write {program}, or give another command as `run` in answers.toml"),
            );
        }
        let found = format!("{program} is not installed, or not in the PATH, so nothing was run");
        // What a folder holds is not a command by itself, and neither is a whole line.
        if program.contains(' ') || self.folder.join(program).exists() {
            return Trouble::new(
                found,
                format!("in `run` each word stands in quotes of its own: {FORM}"),
            );
        }
        let package = match program.starts_with("python") {
            true => "python3",
            false => program,
        };
        Trouble::new(
            found,
            format!(
                "install {program} (Debian and Ubuntu: sudo apt install {package}), or give another command as `run` in answers.toml"
            ),
        )
    }

    /// Whether an interpreter was given a file that does not exist.
    fn script_is_missing(&self) -> bool {
        let file = self.file();
        self.command.len() > 1
            && Some(file) != self.command.first().map(String::as_str)
            && !self.folder.join(file).exists()
    }

    /// What Python says when it gives up.
    fn python(&self, stderr: &str) -> Option<Trouble> {
        let last = raised(stderr)?;
        let (error, _) = last.split_once(':').unwrap_or((last, ""));
        let place = self.place(stderr);
        let at = place.as_ref().map_or_else(String::new, |(file, line)| {
            format!(" in {file}, line {line}")
        });
        let mend = place.as_ref().map_or_else(
            || {
                format!(
                    "run it yourself, and look for the place: {} ...",
                    self.line()
                )
            },
            |(file, line)| {
                format!("mend line {line} of {file}; the lines before it may be the cause")
            },
        );
        let last = start_of(last);
        Some(match error {
            "SyntaxError" if last.contains("Non-UTF-8") || last.contains("null bytes") => {
                Trouble::new(
                    format!("Python cannot read the program{at}: {last}"),
                    format!("save {} as UTF-8 in your editor", self.file()),
                )
            }
            "SyntaxError" | "IndentationError" | "TabError" => {
                Trouble::new(format!("Python cannot read the program{at}: {last}"), mend)
            }
            "ModuleNotFoundError" | "ImportError" => Trouble::new(
                format!("the program ended{at}: {last}"),
                "use the files of your folder and Python's standard library only, or install what is missing",
            ),
            "EOFError" => Trouble::new(
                format!("the program ended{at}: {last}"),
                "do not ask for input: nobody is there to type. All that the program needs are its arguments",
            ),
            _ => Trouble::new(format!("the program ended{at}: {last}"), mend),
        })
    }

    /// The last place in the student's own files that a traceback names.
    fn place(&self, stderr: &str) -> Option<(String, String)> {
        let mut named = stderr.lines().rev().filter_map(|line| {
            let (file, rest) = line
                .trim()
                .strip_prefix("File \"")?
                .split_once("\", line ")?;
            let line: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let name = Path::new(file).file_name()?.to_str()?.to_owned();
            let here = self.folder.join(&name).exists() && !file.starts_with('<');
            here.then_some((name, line))
        });
        named.next()
    }
}

/// ` (SIGSEGV)` for 11.
fn named(signal: i32) -> String {
    Signal::try_from(signal).map_or_else(|_| String::new(), |signal| format!(" ({signal})"))
}

/// The line with which Python says what was raised: the first that is not indented after the last file that is named.
/// What was raised may go on for several lines, and may have any name.
fn raised(stderr: &str) -> Option<&str> {
    let lines: Vec<&str> = stderr.lines().collect();
    let named = |line: &&str| line.starts_with("  File \"");
    let from = lines.iter().rposition(named);
    let mut after = lines[from.unwrap_or(0)..].iter().copied();
    match from {
        Some(_) => after.find(|line| !line.is_empty() && !line.starts_with(' ')),
        // Of a file that it cannot read at all, Python names no line.
        None => after.find(|line| {
            let name = line.split(':').next().unwrap_or_default();
            name.ends_with("Error") && !name.contains(' ')
        }),
    }
}

/// What a program says when it gives up by itself.
pub fn gave_up(ran: &Ran) -> Option<Trouble> {
    let End::Status(code) = ran.end else {
        return None;
    };
    Some(Trouble {
        late: true,
        ..Trouble::new(
            format!(
                "the program gave up with exit status {code} before it connected to the server"
            ),
            match ran.stderr.trim().is_empty() {
                true => "look for the place where the program ends by itself",
                false => "read what the program complained of",
            },
        )
    })
}

/// The start of a text that a program has made, which may be of any length.
fn start_of(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}...", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Why the target did not take the program for this user, by the target's own record.
pub fn not_logged_in(user: &str, visits: &[Visit], program: Option<Trouble>) -> Option<Trouble> {
    let all = |of: fn(&Visit) -> Option<&String>| visits.iter().find_map(of);
    if visits
        .iter()
        .any(|visit| visit.user.as_deref() == Some(user))
    {
        return None;
    }
    if let Some(other) = all(|visit| visit.user.as_ref()) {
        return Some(Trouble::new(
            format!("the server took the program for {other}, and not for {user}"),
            "log in with the name that your program is given, not with one that is written into it",
        ));
    }
    if let Some(name) = all(|visit| visit.recognised.as_ref()) {
        let advice = format!(
            "your login is right. Read all three replies of the server ({REPLIES}) before your program ends"
        );
        let next = program.and_then(|trouble| trouble.next);
        return Some(Trouble::new(
            format!(
                "the server knew your login for {name}'s, and your program left before it had read the session key and the IV"
            ),
            next.map_or(advice.clone(), |next| {
                format!("{advice}. It did not get that far: {next}")
            }),
        ));
    }
    let refused = |visit: &Visit| match visit.refused.as_deref() {
        // Who says nothing was not refused.
        Some(why) if !why.ends_with(SENT_NOTHING) => Some(why.to_owned()),
        _ => None,
    };
    if let Some(why) = visits.iter().find_map(refused) {
        return Some(Trouble::wrong(format!(
            "the server refused the login: {why}"
        )));
    }
    let connected = !visits.is_empty();
    if let Some(trouble) = program.filter(|trouble| !(connected && trouble.late)) {
        return Some(trouble);
    }
    Some(match connected {
        false => Trouble::new(
            "nobody connected to the server",
            "connect to the host and the port that your program is given (its first two arguments)",
        ),
        true => Trouble::new(
            "your program connected to the server, and sent no login",
            "send the login as soon as the connection is open: the server says nothing before",
        ),
    })
}

/// Why the target did not take these words for that user's.
pub fn not_heard(
    words: &str,
    user: Option<&str>,
    visits: &[Visit],
    program: Option<Trouble>,
) -> Option<Trouble> {
    let theirs = |visit: &&Visit| user.is_none() || visit.user.as_deref() == user;
    let mut heard = visits.iter().filter(theirs).flat_map(|visit| &visit.heard);
    if heard.clone().any(|text| text == words) {
        return None;
    }
    if let Some(text) = heard.next() {
        let text = start_of(text);
        return Some(Trouble::wrong(format!(
            "the server read {text:?} from your program, and not the words that your program was given"
        )));
    }
    let found = format!(
        "the server heard no words from {} on your program's connection",
        user.unwrap_or("anybody")
    );
    Some(match program {
        Some(trouble) => Trouble {
            found: format!("{found}: {}", trouble.found),
            ..trouble
        },
        None => Trouble::wrong(found),
    })
}

/// What is wrong with the lines that a program printed, where each must be one of the solution's and none may be missing.
/// Of the lines that are missing nothing is told but how many they are: they would be the answer.
pub fn other_lines(ran: &Ran, wanted: &str) -> Option<Trouble> {
    if ran.flooded {
        return Some(Trouble::new(
            format!("the program printed more than {} KiB", KEPT / 1024),
            "print the lines that are asked for, and nothing else",
        ));
    }
    let lines = |text: &str| -> Vec<String> {
        let kept = text
            .trim_end()
            .lines()
            .map(|line| line.trim_end().to_owned());
        kept.collect()
    };
    let mut missing = lines(wanted);
    let mut strange = Vec::new();
    let printed = lines(&ran.stdout);
    for line in &printed {
        match missing.iter().position(|wanted| wanted == line) {
            Some(at) => drop(missing.swap_remove(at)),
            None => strange.push(line),
        }
    }
    let said = counted(printed.len(), "line");
    let lack = match missing.len() {
        0 => "none is missing".to_owned(),
        1 => "1 line is missing".to_owned(),
        n => format!("{n} lines are missing"),
    };
    match strange.first() {
        None if missing.is_empty() => None,
        None if printed.is_empty() => Some(Trouble::wrong("the program printed nothing")),
        None => Some(Trouble::wrong(format!(
            "the program printed {said}, all of them right, and {lack}"
        ))),
        Some(first) => Some(Trouble::wrong(format!(
            "the program printed {said}, of which {} {} wrong or too many, such as {:?}; {lack}",
            strange.len(),
            if strange.len() == 1 { "is" } else { "are" },
            start_of(first),
        ))),
    }
}

/// The end of what a program said, for a student who looks for the mistake.
pub fn last_words(ran: &Ran) -> String {
    let mut told = String::new();
    match &ran.end {
        End::Status(code) => told += &format!("\n  the program ended with exit status {code}"),
        End::Decided => told += "\n  the program was stopped when the verdict was known",
        _ => {}
    }
    for (name, text) in [("printed", &ran.stdout), ("complained", &ran.stderr)] {
        let lines: Vec<&str> = text.lines().collect();
        if !lines.is_empty() {
            told += &format!("\n  it {name}:");
        }
        for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
            told += &format!("\n    {}", visible(&start_of(line)));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ran(end: End, stdout: &str, stderr: &str) -> Ran {
        Ran {
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
            end,
            flooded: false,
        }
    }

    /// What is advised for `python3 attack.py` in a folder that holds it.
    fn advised(end: End, stderr: &str) -> Trouble {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("attack.py"), "").unwrap();
        let command = ["python3", "attack.py"].map(str::to_owned);
        let started = Started {
            command: &command,
            folder: folder.path(),
        };
        started.trouble(&ran(end, "", stderr)).unwrap()
    }

    #[test]
    fn each_failure_of_the_program_has_its_own_advice() {
        let seconds = Duration::from_secs(20);
        let syntax = "  File \"/x/attack.py\", line 12\n    def f(:\n          ^\nSyntaxError: invalid syntax\n";
        let crash = "Traceback (most recent call last):\n  File \"/x/attack.py\", line 40, in <module>\n    main()\n  File \"/x/attack.py\", line 16, in make_login\n    return 1 / 0\n  File \"/usr/lib/python3.11/base64.py\", line 3, in x\nZeroDivisionError: division by zero\n";
        let cases = [
            (
                advised(End::Missing, ""),
                "python3 is not installed",
                "apt install python3",
            ),
            (
                advised(End::OutOfTime(seconds), ""),
                "stopped after 20 seconds",
                "a loop that never ends",
            ),
            (
                advised(End::Status(1), syntax),
                "Python cannot read the program in attack.py, line 12",
                "mend line 12 of attack.py",
            ),
            (
                advised(End::Status(1), crash),
                "in attack.py, line 16: ZeroDivisionError",
                "mend line 16 of attack.py",
            ),
            (
                advised(
                    End::Status(1),
                    "ModuleNotFoundError: No module named 'numpy'",
                ),
                "No module named 'numpy'",
                "standard library",
            ),
            (advised(End::Signal(11), ""), "signal 11", "run it yourself"),
        ];
        let mut advice: Vec<String> = Vec::new();
        for (trouble, found, next) in cases {
            assert!(trouble.found.contains(found), "{trouble:?}");
            let said = trouble.next.unwrap();
            assert!(said.contains(next), "{said}");
            advice.push(said);
        }
        advice.sort();
        advice.dedup();
        assert_eq!(advice.len(), 6, "each has its own: {advice:#?}");
    }

    #[test]
    fn what_python_raises_is_found_whatever_its_name_and_however_long_it_is() {
        let from = "Traceback (most recent call last):\n  File \"/x/attack.py\", line 16, in f\n    g()\n    ^^^\n";
        for (raised, advice) in [
            ("struct.error: unpack requires 8 bytes\n", "mend line 16"),
            ("socket.gaierror: [Errno -2] Name unknown\n", "mend line 16"),
            ("StopIteration\n", "mend line 16"),
            (
                "ValueError: two lines:\n  the second\nand a third\n",
                "mend line 16",
            ),
            (
                "EOFError: EOF when reading a line\n",
                "do not ask for input",
            ),
        ] {
            let trouble = advised(End::Status(1), &format!("{from}{raised}"));
            let first = raised.lines().next().unwrap();
            assert!(trouble.found.ends_with(first), "{trouble:?}");
            assert!(trouble.next.unwrap().contains(advice), "{raised}");
        }
        let encoding = "SyntaxError: Non-UTF-8 code starting with '\\xdc' in file /x/attack.py on line 1, but no encoding declared\n";
        let next = advised(End::Status(1), encoding).next.unwrap();
        assert_eq!(next, "save attack.py as UTF-8 in your editor");
        let long = format!("{from}ValueError: {}\n", "x".repeat(60_000));
        assert!(advised(End::Status(1), &long).found.len() < 400);
    }

    #[test]
    fn a_command_that_is_written_wrong_is_told_from_a_program_that_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("attack.py"), "").unwrap();
        let trouble = |command: &[&str], end: End| {
            let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
            let started = Started {
                command: &command,
                folder: folder.path(),
            };
            started.trouble(&ran(end, "", ""))
        };
        for command in ["attack.py", "python3 attack.py"] {
            let next = trouble(&[command], End::Missing).unwrap().next.unwrap();
            assert!(next.contains("[\"python3\", \"attack.py\"]"), "{next}");
        }
        let python = trouble(&["python3.6", "attack.py"], End::Missing);
        assert!(
            python
                .unwrap()
                .next
                .unwrap()
                .contains("apt install python3)")
        );
        let folder_itself = trouble(&["."], End::NotExecutable).unwrap();
        assert!(folder_itself.found.contains("is a folder"));
        // A line for a shell, and a variable, are no files.
        for command in [["sh", "-c", "python3 other.py"], ["env", "P=lib.x", "sh"]] {
            assert_eq!(trouble(&command, End::Status(1)), None);
        }
    }

    #[test]
    fn a_program_that_gives_up_before_it_connects_is_told_to_read_what_it_says() {
        let given_up = ran(End::Status(1), "", "I have no idea\n");
        let trouble = not_logged_in("amalia", &[], gave_up(&given_up)).unwrap();
        assert!(trouble.found.contains("exit status 1"), "{trouble:?}");
        assert!(trouble.next.unwrap().contains("complained"));
        assert_eq!(gave_up(&ran(End::Well, "", "")), None);
        assert_eq!(named(11), " (SIGSEGV)");
    }

    #[test]
    fn a_missing_file_is_told_from_a_missing_interpreter_and_from_one_that_may_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let found = |command: &[&str], end: End| {
            let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
            let started = Started {
                command: &command,
                folder: folder.path(),
            };
            started
                .trouble(&ran(end, "", "python3: can't open file"))
                .unwrap()
        };
        let script = found(&["python3", "attack.py"], End::Status(2));
        assert!(
            script.found.contains("attack.py is not in your folder"),
            "{script:?}"
        );
        let own = found(&["./attack"], End::Missing);
        assert!(
            own.found.contains("./attack is not in your folder"),
            "{own:?}"
        );
        let locked = found(&["./attack"], End::NotExecutable);
        assert!(locked.next.unwrap().contains("chmod +x ./attack"));
    }

    fn visit(recognised: Option<&str>, user: Option<&str>, refused: Option<&str>) -> Visit {
        Visit {
            recognised: recognised.map(str::to_owned),
            user: user.map(str::to_owned),
            refused: refused.map(str::to_owned),
            ..Visit::default()
        }
    }

    #[test]
    fn the_advice_goes_by_what_the_target_saw() {
        let amalia = |visits: &[Visit]| not_logged_in("amalia", visits, None);
        assert_eq!(amalia(&[visit(Some("amalia"), Some("amalia"), None)]), None);
        let left = amalia(&[visit(Some("amalia"), None, None)]).unwrap();
        assert!(
            left.next.unwrap().contains("your login is right"),
            "{}",
            left.found
        );
        let refused = amalia(&[visit(None, None, Some("no key fits"))]).unwrap();
        assert_eq!(refused.next, None, "the lab's own advice");
        let other = amalia(&[visit(Some("bertram"), Some("bertram"), None)]).unwrap();
        assert!(other.next.unwrap().contains("that your program is given"));
        assert!(
            amalia(&[])
                .unwrap()
                .next
                .unwrap()
                .contains("connect to the host")
        );
        let silent = amalia(&[visit(None, None, None)]).unwrap();
        assert!(
            silent
                .next
                .unwrap()
                .contains("the server says nothing before")
        );
    }

    #[test]
    fn lines_are_compared_as_a_whole_and_the_missing_ones_are_not_told() {
        let wanted = "1+3 at 13: this is a secret\n3+4 at 13: another secret\n";
        let of = |printed: &str| other_lines(&ran(End::Well, printed, ""), wanted);
        assert_eq!(of(wanted), None);
        let reversed: String = wanted
            .lines()
            .rev()
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(of(&reversed), None, "their order does not count");
        let one_more = of(&format!("{wanted}x\n")).unwrap().found;
        assert!(one_more.ends_with("none is missing"), "{one_more}");
        for wrong in [
            "",
            "1+3 at 13: this is a secret\n",
            &format!("{wanted}1+3 at 14: x\n"),
            &format!("{wanted}1+3 at 13: this is a secret\n"),
            "nonsense\n",
        ] {
            let trouble = of(wrong).unwrap();
            assert!(!trouble.found.contains("another secret"), "{trouble:?}");
        }
    }
}
