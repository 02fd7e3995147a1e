//! Tries each need once, within the limits of a check.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use anyhow::Context;
use latchstring_confine::{
    job::Job,
    run::{End, Launcher, Ran, run},
    scratch::Scratch,
};

use super::{Lacking, Missing, Need};
use crate::{catalogue::Lab, program::FOR_BUILD};

/// How long a look may take. An interpreter on a busy machine is slow.
const FOR_A_LOOK: Duration = Duration::from_secs(60);
/// The smallest program: whether it can be built tells whether there is a linker.
const SMALLEST: [(&str, &str); 2] = [
    (
        "Cargo.toml",
        "[package]\nname = \"look\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n",
    ),
    ("src/main.rs", "fn main() {}\n"),
];
/// Does all imports of these packages that the Python files below this folder have. The last line of an error names what is
/// missing.
const IMPORTS: &str = r#"
import ast, pathlib, sys
wanted = set(sys.argv[1:])
for path in sorted(pathlib.Path(".").rglob("*.py")):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        else:
            continue
        if any(name.split(".")[0] in wanted for name in names):
            exec(compile(ast.Module([node], []), str(path), "exec"))
"#;

impl Lacking {
    /// Tries these needs. `labs` are those that they are of.
    ///
    /// # Errors
    /// When a folder to try them in cannot be made.
    pub async fn of(
        needs: &BTreeSet<Need>,
        labs: &[&Lab],
        launcher: &Launcher,
    ) -> anyhow::Result<Self> {
        let mut lacking = Self::default();
        let look = Look { labs, launcher };
        let mut linker = None;
        for need in needs {
            let missing = match need {
                Need::Program(name) => look.program(name).await?,
                Need::Beside(name) => look.beside(name),
                Need::Packages { python, .. } if lacking.has_no(python) => None,
                Need::Packages {
                    lab,
                    language,
                    python,
                    list,
                } => look.packages(lab, language, python, list).await?,
                Need::Crates { .. } if lacking.has_no("cargo") => None,
                Need::Crates {
                    lab,
                    language,
                    command,
                } => {
                    if linker.is_none() {
                        linker = Some(look.linker().await?);
                    }
                    match linker.clone().flatten() {
                        Some(missing) => Some(missing),
                        None => look.crates(lab, language, command).await?,
                    }
                }
            };
            lacking
                .0
                .extend(missing.map(|missing| (need.clone(), missing)));
        }
        Ok(lacking)
    }

    fn has_no(&self, program: &str) -> bool {
        self.0.contains_key(&Need::Program(program.to_owned()))
    }
}

/// Where needs are tried.
struct Look<'a> {
    labs: &'a [&'a Lab],
    launcher: &'a Launcher,
}

impl Look<'_> {
    async fn run(&self, scratch: &Scratch, command: &[&str], within: Duration) -> Ran {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        let mut job = Job::new(command, scratch.work());
        job.writable = vec![scratch.top().to_owned()];
        let never = std::future::pending();
        run(self.launcher, &job, &scratch.temporary(), within, never).await
    }

    async fn program(&self, name: &str) -> anyhow::Result<Option<Missing>> {
        let scratch = Scratch::empty()?;
        let ran = self.run(&scratch, &[name, "--version"], FOR_A_LOOK).await;
        // Other programs may not know the option. That these know it says that they work.
        let works = match name {
            "cargo" => ran.end == End::Well,
            _ if name.starts_with("python") => ran.end == End::Well,
            _ => !matches!(
                ran.end,
                End::Missing | End::NotExecutable | End::NotStarted(_)
            ),
        };
        let remedy = match name {
            "cargo" => "install Rust from https://rustup.rs, for the user who grades".to_owned(),
            _ if name.starts_with("python") => {
                "install it (Debian and Ubuntu: sudo apt install python3)".to_owned()
            }
            _ => format!("install {name}, or ask the student how the program is run"),
        };
        Ok((!works).then(|| Missing {
            what: match ran.end {
                End::Missing => format!("{name} is not installed, or not in the PATH"),
                _ => format!("{name} cannot be run here: {}", complaint(&ran)),
            },
            remedy,
        }))
    }

    fn beside(&self, name: &str) -> Option<Missing> {
        let program = self.launcher.beside(name);
        (!program.is_file()).then(|| Missing {
            what: format!("{} is not there", program.display()),
            remedy: format!(
                "put it beside latchstring; `cargo build --release --workspace` makes {name}"
            ),
        })
    }

    /// The lab's own files, as a student begins with them.
    fn laid_out(&self, lab: &str, language: &str, parts: &[&str]) -> anyhow::Result<Scratch> {
        let lab = self.labs.iter().find(|known| known.id == lab);
        let lab = lab.context("a need is of another lab")?;
        let scratch = Scratch::empty()?;
        for part in parts {
            lab.lay_out(part, lab.language(Some(language))?, &scratch.work())?;
        }
        Ok(scratch)
    }

    async fn packages(
        &self,
        lab: &str,
        language: &str,
        python: &str,
        list: &Path,
    ) -> anyhow::Result<Option<Missing>> {
        let scratch = self.laid_out(lab, language, &["start", "solution"])?;
        let path = scratch.work().join(list);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("cannot read {lab}: {}", list.display()))?;
        let lines: Vec<&str> = (text.lines().map(str::trim))
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        let modules = lines.iter().map(|line| module_of(line));
        let modules: Vec<String> = modules.collect();
        let command = [python, "-c", IMPORTS].into_iter();
        let command: Vec<&str> = command.chain(modules.iter().map(String::as_str)).collect();
        let ran = self.run(&scratch, &command, FOR_A_LOOK).await;
        Ok((ran.end != End::Well).then(|| Missing {
            what: format!("{python} lacks {}: {}", lines.join(", "), complaint(&ran)),
            remedy: format!("{python} -m pip install {}", lines.join(" ")),
        }))
    }

    /// Whether a program can be built that needs no package.
    async fn linker(&self) -> anyhow::Result<Option<Missing>> {
        let scratch = Scratch::empty()?;
        for (name, text) in SMALLEST {
            let path = scratch.work().join(name);
            fs::create_dir_all(path.parent().unwrap_or(&path))?;
            fs::write(path, text)?;
        }
        let build = ["cargo", "build", "--quiet", "--offline"];
        let ran = self.run(&scratch, &build, FOR_BUILD).await;
        Ok((ran.end != End::Well).then(|| Missing {
            what: format!("cargo cannot build the smallest program: {}", complaint(&ran)),
            remedy: "install a C compiler, which links (Debian and Ubuntu: sudo apt install gcc), and try `cargo build` in a new folder".to_owned(),
        }))
    }

    /// Whether cargo has the packages. It looks for them as it does for a build, and compiles nothing.
    async fn crates(
        &self,
        lab: &str,
        language: &str,
        command: &[String],
    ) -> anyhow::Result<Option<Missing>> {
        let scratch = self.laid_out(lab, language, &["start"])?;
        let rest = command.iter().skip(2).map(String::as_str);
        let tree: Vec<&str> = ["cargo", "tree"].into_iter().chain(rest).collect();
        let ran = self.run(&scratch, &tree, FOR_A_LOOK).await;
        Ok((ran.end != End::Well).then(|| Missing {
            what: format!(
                "cargo has not all packages for programs in Rust: {}",
                complaint(&ran)
            ),
            remedy: "build latchstring once on this machine: its packages are those of the labs"
                .to_owned(),
        }))
    }
}

/// The module of a package: `cryptography==50.0.2` gives `cryptography`.
fn module_of(line: &str) -> String {
    let allowed = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let name: String = line.chars().take_while(|c| allowed(*c)).collect();
    name.replace('-', "_")
}

/// What a program said that failed: the line with which Python raises, or the first error of cargo.
fn complaint(ran: &Ran) -> String {
    let lines: Vec<&str> = ran
        .stderr
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let error = lines.iter().find(|line| line.starts_with("error"));
    match error.or(lines.last()) {
        Some(line) => line.chars().take(200).collect(),
        None => match &ran.end {
            End::OutOfTime(limit) => format!("it did not end within {} seconds", limit.as_secs()),
            End::NotStarted(why) => why.clone(),
            _ => "it said nothing".to_owned(),
        },
    }
}
