//! Why a run did not come out as a check asks for, and what to do about it: a program that never started needs other
//! advice than one that answered wrong.

use std::path::Path;

use latchstring_attacker::{net::terminal::visible, protocol::faithful::message::SENT_NOTHING};

use super::{
    program::{End, KEPT, Ran},
    target::Visit,
};
use crate::truth::counted;

/// How much of a program's last words is shown.
const LAST_LINES: usize = 6;
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
        let script = words.find(|word| !word.starts_with('-') && word.contains('.'));
        script.unwrap_or(program)
    }

    fn line(&self) -> String {
        self.command.join(" ")
    }

    /// What kept the program itself from doing its work, if anything did.
    pub fn trouble(&self, ran: &Ran) -> Option<Trouble> {
        let program = self.command.first().map_or("", String::as_str);
        match &ran.end {
            End::Missing if program.contains('/') => Some(Trouble::new(
                format!("{program} is not in your folder, so nothing was run"),
                format!("write {program}, or give another command as `run` in answers.toml"),
            )),
            End::Missing => Some(Trouble::new(
                format!("{program} is not installed, or not in the PATH, so nothing was run"),
                format!(
                    "install {program} (Debian and Ubuntu: sudo apt install {}), or give another command as `run` in answers.toml",
                    program
                        .trim_end_matches(|c: char| c == '.' || c.is_ascii_digit())
                        .to_owned()
                        + if program.starts_with("python") {
                            "3"
                        } else {
                            ""
                        },
                ),
            )),
            End::NotExecutable => Some(Trouble::new(
                format!("{program} may not be executed, so nothing was run"),
                format!("make it executable: chmod +x {program}"),
            )),
            End::NotStarted(why) => Some(Trouble::new(
                format!("`{}` could not be started: {why}", self.line()),
                "mend the command `run` in answers.toml, such as run = [\"python3\", \"attack.py\"]",
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
                format!("the program was ended by signal {number}"),
                format!(
                    "run it yourself, and look for the place: {} ...",
                    self.line()
                ),
            )),
            End::Status(_) => self.python(&ran.stderr),
            End::Well | End::Decided => None,
        }
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
        let last = stderr.lines().rev().find(|line| !line.trim().is_empty())?;
        let (error, _) = last.split_once(':').unwrap_or((last, ""));
        if !error.ends_with("Error")
            && !error.ends_with("Exception")
            && !error.ends_with("Interrupt")
        {
            return None;
        }
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
        Some(match error {
            "SyntaxError" | "IndentationError" | "TabError" => {
                Trouble::new(format!("Python cannot read the program{at}: {last}"), mend)
            }
            "ModuleNotFoundError" | "ImportError" => Trouble::new(
                format!("the program ended{at}: {last}"),
                "use the files of your folder and Python's standard library only, or install what is missing",
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
    match (missing.len(), strange.first()) {
        (0, None) => None,
        (_, None) if printed.is_empty() => Some(Trouble::wrong("the program printed nothing")),
        (n, None) => Some(Trouble::wrong(format!(
            "the program printed {said}, all of them right, and {} {} missing",
            counted(n, "line"),
            if n == 1 { "is" } else { "are" },
        ))),
        (n, Some(first)) => Some(Trouble::wrong(format!(
            "the program printed {said}, of which {} {} wrong or too many, such as {first:?}; {} {} missing",
            strange.len(),
            if strange.len() == 1 { "is" } else { "are" },
            counted(n, "line"),
            if n == 1 { "is" } else { "are" },
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
            told += &format!("\n    {}", visible(line));
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
