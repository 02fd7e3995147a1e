//! What the programs of a lab need on the machine that runs them, and what of it is not there.
//!
//! A program that cannot be started says nothing about its author. So a grader looks here before it begins, and tries each need
//! once, within the limits of a check. A trial that needs what is missing is not run, and is neither passed nor failed.

mod probe;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    answers::Answers,
    catalogue::{Lab, Role, Trial},
    command::{build_of, command_of},
    language::Language,
};

/// The list in which a lab's start code names its packages.
const LIST: &str = "requirements.txt";
/// The programs with which lab 16 is checked. They lie beside this one.
const BESIDE: [&str; 2] = ["latchstring-server", "latchstring-client"];

/// One need.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A program of the system, such as `python3`.
    Program(String),
    /// What the lab's own files import of the packages in this list, which is in the student's folder.
    Packages {
        /// The lab.
        lab: String,
        /// The language of these files.
        language: String,
        /// The interpreter.
        python: String,
        /// The list, in a student's folder.
        list: PathBuf,
    },
    /// The packages with which cargo builds the lab's own files.
    Crates {
        /// The lab.
        lab: String,
        /// The language of these files.
        language: String,
        /// The command that builds them.
        command: Vec<String>,
    },
    /// A program of this project, in the folder of this one.
    Beside(&'static str),
}

/// Something that is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// What, and where it was looked for.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

/// What a machine lacks.
#[derive(Debug, Clone, Default)]
pub struct Lacking(BTreeMap<Need, Missing>);

/// What a student's program is, as far as needs follow from it.
#[derive(Clone, Copy)]
pub struct Program<'a> {
    /// The lab.
    pub lab: &'a Lab,
    /// The student's language.
    pub language: Option<&'a Language>,
    /// The student's sheet, which can name other commands.
    pub answers: &'a Answers,
}

impl Program<'_> {
    /// What a trial needs. A program that only the student names is a need if there is a claim that it has run. Without one, the
    /// name can be a slip.
    pub fn needs(&self, trial: &Trial, claimed: bool) -> BTreeSet<Need> {
        let mut needs = BTreeSet::new();
        let build = build_of(trial, self.language, self.answers);
        let own = self.answers.command(trial).is_some();
        let command = command_of(trial, self.language, self.answers).unwrap_or_default();
        for tool in [build.first(), command.first()].into_iter().flatten() {
            if is_tool(tool) && (!own || claimed || self.lab_runs(tool)) {
                needs.insert(Need::Program(tool.clone()));
            }
        }
        needs.extend(self.packages(trial, &command));
        if let (Some("cargo"), Some(language)) = (build.first().map(String::as_str), self.language)
        {
            needs.insert(Need::Crates {
                lab: self.lab.id.clone(),
                language: language.id.clone(),
                command: build.to_owned(),
            });
        }
        let mut checks = self.lab.checks.iter();
        if checks.any(|check| check.trial == trial.id && check.prints_as_solution) {
            needs.extend(self.of_solution(trial));
        }
        if let Ok(Role::Deploy(_)) = trial.role() {
            needs.extend(BESIDE.map(Need::Beside));
        }
        needs
    }

    /// Whether one of the lab's own commands begins with this word.
    fn lab_runs(&self, tool: &str) -> bool {
        let languages = self.lab.languages.iter();
        let trials = self.lab.trials.iter().flat_map(|trial| trial.run.values());
        let mut commands = languages.map(|language| &language.run).chain(trials);
        commands.any(|command| command.first().is_some_and(|first| first == tool))
    }

    /// The lab's own solution runs, too, and in the first of its languages.
    fn of_solution(&self, trial: &Trial) -> Option<Need> {
        let language = self.lab.languages.first()?;
        let run = trial.run.get(&language.id).unwrap_or(&language.run);
        let tool = run.first().filter(|tool| is_tool(tool))?;
        Some(Need::Program(tool.clone()))
    }

    /// The packages of the start code, if the command runs it or takes its place.
    fn packages(&self, trial: &Trial, command: &[String]) -> Option<Need> {
        let language = self.language?;
        let start = match trial.runs_the_labs_program() {
            true => &language.run,
            false => trial.run.get(&language.id)?,
        };
        let python = command.first().filter(|tool| tool.starts_with("python"))?;
        let script = start.iter().find(|word| word.ends_with(".py"))?;
        let folders = Path::new(script).ancestors().skip(1);
        let mut lists = folders.map(|folder| folder.join(LIST));
        Some(Need::Packages {
            lab: self.lab.id.clone(),
            language: language.id.clone(),
            python: python.clone(),
            list: lists.find(|list| self.lab.begins_with(language, list))?,
        })
    }
}

/// Whether a word is a program of the system, and not a file.
fn is_tool(word: &str) -> bool {
    !word.is_empty() && !word.contains(['/', ' '])
}

impl Lab {
    /// Whether a student of this language begins with this file.
    fn begins_with(&self, language: &Language, file: &Path) -> bool {
        let start = Path::new("start");
        [start.join(file), start.join(&language.id).join(file)]
            .iter()
            .any(|path| self.files.0.contains_key(path))
    }
}

impl Lacking {
    /// What is missing of these.
    pub fn all<'a>(&'a self, needs: &'a BTreeSet<Need>) -> impl Iterator<Item = &'a Missing> {
        needs.iter().filter_map(|need| self.0.get(need))
    }

    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests;
