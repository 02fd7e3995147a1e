//! The reason why a run failed a check, and the next step. A program that never started needs other advice than a wrong
//! answer does.

mod jam;
mod session;
mod visit;

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use latchstring_attacker::net::terminal::visible;

use nix::sys::signal::Signal;

use super::{target::Visit, wire::printed_bytes};
use latchstring_arena::truth::counted;
use latchstring_confine::{
    job::Limits,
    note::Excess,
    run::{End, KEPT, Ran},
};

pub use self::{
    jam::Jammed,
    session::{no_messages, not_exactly_heard, other_end},
    visit::noticed,
};

/// How much of a program's last words is shown.
const LAST_LINES: usize = 6;
/// How much of one line or text of a program is shown, in characters.
const LONGEST: usize = 200;
/// How a command is written.
const FORM: &str = "such as run = [\"python3\", \"attack.py\"] in answers.toml";
/// The server's replies after a login in the faithful protocol.
const REPLIES: &str = "26, 32 and 8 bytes";

/// The fault, and the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The finding.
    pub found: String,
    /// The next step, or the advice of the lab.
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

    /// The obstacle that kept the program from its work, if there was one.
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
            End::TooMuch(excess) => Some(too_much(*excess)),
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

    /// The advice on a program that the system does not find.
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

    /// The error of a Python program.
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
                match self.requirements() {
                    Some(file) => format!(
                        "install what this part needs, as the handout says: python3 -m pip install -r {file}"
                    ),
                    None => "use the files of your folder and Python's standard library only, or install what is missing".to_owned(),
                },
            ),
            "EOFError" => Trouble::new(
                format!("the program ended{at}: {last}"),
                "do not ask for input: nobody is there to type. All that the program needs are its arguments",
            ),
            _ => Trouble::new(format!("the program ended{at}: {last}"), mend),
        })
    }

    /// The list of packages that the program needs, beside the program or above it.
    fn requirements(&self) -> Option<String> {
        let folders = Path::new(self.file()).ancestors().skip(1);
        let mut lists = folders.map(|folder| folder.join("requirements.txt"));
        let list = lists.find(|list| self.folder.join(list).is_file())?;
        Some(list.display().to_string())
    }

    /// The last place in the student's own files that a traceback names.
    fn place(&self, stderr: &str) -> Option<(String, String)> {
        let mut named = stderr.lines().rev().filter_map(|line| {
            let (file, rest) = line
                .trim()
                .strip_prefix("File \"")?
                .split_once("\", line ")?;
            let line: String = rest.chars().take_while(char::is_ascii_digit).collect();
            // The program ran in a copy of the folder: the longest ending that is a file here is the file.
            let (written, file) = (file, Path::new(file));
            let endings =
                (0..file.components().count()).map(|i| file.components().skip(i).collect());
            let here = |ending: &PathBuf| {
                ending.is_relative()
                    && !written.starts_with('<')
                    && self.folder.join(ending).is_file()
            };
            let name = endings.into_iter().find(here)?;
            Some((name.to_str()?.to_owned(), line))
        });
        named.next()
    }
}

/// What to do about a program that used more than a check lets it use.
fn too_much(excess: Excess) -> Trouble {
    let limits = Limits::default();
    let (what, next) = match excess {
        Excess::Memory => (
            format!("more than {} MiB of memory", limits.memory >> 20),
            "look for a list that grows without end, and for a read of a whole stream",
        ),
        Excess::Processes => (
            format!("more than {} processes and threads", limits.processes),
            "look for the place where the program starts others, and start fewer",
        ),
        Excess::Files => (
            format!("more than {} MiB of files", limits.files >> 20),
            "write less: the program's answer is what it prints or sends",
        ),
    };
    Trouble::new(
        format!("the program was stopped because it had {what}"),
        next,
    )
}

/// ` (SIGSEGV)` for 11.
fn named(signal: i32) -> String {
    Signal::try_from(signal).map_or_else(|_| String::new(), |signal| format!(" ({signal})"))
}

/// The line with which Python says what was raised: the first that is not indented after the last file that is named.
/// The error may have several lines, and any name.
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

/// The error of a program that gives up.
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
    // A program that sends nothing is not refused.
    let mut refused = visits.iter().filter_map(|visit| visit.refused.as_ref());
    if let Some(why) = refused.find(|why| !why.is_of_silence()) {
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

/// The fault in the printed lines: each must be one of the solution's, and none may be missing. The missing lines would
/// be the answer, so only their number is shown.
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

/// A program on the wire that printed no bytes.
pub fn no_bytes(ran: &Ran) -> Option<Trouble> {
    printed_bytes(&ran.stdout).is_none().then(|| {
        Trouble::new(
            "the program printed no bytes in hex, so the message went on as it was",
            "print the changed ciphertext in hex, on the first line",
        )
    })
}

/// Why a program has not read enough of these texts, which it should print one a line. The texts themselves are not told.
pub fn too_little_read(ran: &Ran, texts: &[&str], percent: usize) -> Option<Trouble> {
    if ran.stdout.trim().is_empty() {
        return Some(Trouble::wrong("the program printed nothing"));
    }
    let lines: Vec<&str> = ran.stdout.lines().collect();
    if lines.len() != texts.len() {
        return Some(Trouble::new(
            format!(
                "the program printed {}, and the capture has {}",
                counted(lines.len(), "line"),
                counted(texts.len(), "message")
            ),
            "print one line for each message, in their order, and nothing else",
        ));
    }
    let right = |(line, text): (&&str, &&str)| {
        let pairs = line.chars().zip(text.chars());
        pairs.filter(|(printed, sent)| printed == sent).count()
    };
    let right: usize = lines.iter().zip(texts).map(right).sum();
    let all: usize = texts.iter().map(|text| text.chars().count()).sum();
    (right * 100 < percent * all).then(|| {
        Trouble::wrong(format!(
            "the program read {right} of {all} characters, {} of 100; {percent} of 100 are asked for",
            right * 100 / all.max(1)
        ))
    })
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
mod tests;
