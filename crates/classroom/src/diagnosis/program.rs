//! What kept a program from its work: it was not found, it was stopped, or it ended by itself.

use std::path::{Path, PathBuf};

use latchstring_arena::truth::counted;
use latchstring_confine::{
    job::Limits,
    note::Excess,
    run::{End, Ran},
};
use nix::sys::signal::Signal;

use super::{Trouble, start_of};

/// How a command is written.
const FORM: &str = "such as run = [\"python3\", \"attack.py\"] in answers.toml";

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
pub(super) fn named(signal: i32) -> String {
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
