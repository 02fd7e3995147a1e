//! `answers.toml`: where a student predicts and answers.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use anyhow::{Context, bail};
use serde::Deserialize;
use toml::Value;

use super::{
    catalogue::{Answer, Question},
    instance::Instance,
    student::Student,
};

/// Its name.
pub const FILE: &str = "answers.toml";

/// What a student has written.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Another command for the program, when it is written in another language.
    pub run: Option<Vec<String>>,
    answers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    run: Option<Vec<String>>,
    #[serde(default)]
    predict: BTreeMap<String, Value>,
    #[serde(default)]
    answers: BTreeMap<String, Value>,
}

impl Answers {
    /// Reads the sheet of a student's folder.
    ///
    /// # Errors
    /// With file, line and column when it is not TOML; with the name of an answer that is no text and no number, or that
    /// nobody asked for.
    pub fn read(folder: &Path, questions: &[Question]) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let broken = || format!("cannot use {}", path.display());
        let text = fs::read_to_string(&path).with_context(broken)?;
        let sheet: Sheet = toml::from_str(&text).with_context(broken)?;
        let mut answers = BTreeMap::new();
        for (id, value) in sheet.predict.into_iter().chain(sheet.answers) {
            if !questions.iter().any(|question| question.id == id) {
                bail!(
                    "{}: nobody asked for {id:?}; the names of the questions must stay as they are",
                    path.display()
                );
            }
            let answer = match value {
                Value::String(text) => text.trim().to_owned(),
                Value::Integer(number) => number.to_string(),
                _ => bail!(
                    "{}: the answer to {id:?} must be text in quotes or a number",
                    path.display()
                ),
            };
            answers.insert(id, answer);
        }
        Ok(Self {
            run: sheet.run,
            answers,
        })
    }

    /// The answer to a question; empty when there is none.
    pub fn to(&self, question: &Question) -> &str {
        self.answers.get(&question.id).map_or("", String::as_str)
    }
}

/// The sheet as it is handed out: questions as comments, answers empty.
///
/// # Errors
/// When a question's text names a fact that does not exist.
pub fn sheet(student: &Student, instance: &Instance) -> anyhow::Result<String> {
    let lab = &student.lab;
    let mut sheet = format!(
        "# Lab {}: your predictions and answers. Fill in what is between the quotes.\n",
        lab.id
    );
    if let Some(trial) = lab.trials.first() {
        sheet += "\n# The program may be written in any language. Say here how to run it, in this folder:\n";
        writeln!(sheet, "# run = {:?}", trial.run)?;
    }
    let (predictions, others): (Vec<&Question>, Vec<&Question>) = lab
        .questions
        .iter()
        .partition(|q| q.kind == Answer::Predict);
    for (heading, questions) in [
        (
            "# First say what you expect, then look. The first prediction counts; it need not be right.\n[predict]",
            predictions,
        ),
        ("[answers]", others),
    ] {
        if questions.is_empty() {
            continue;
        }
        writeln!(sheet, "\n{heading}")?;
        for question in questions {
            sheet.push('\n');
            comment(&mut sheet, &instance.facts.fill(&question.text)?)?;
            for (letter, choice) in student.options(question)? {
                comment(
                    &mut sheet,
                    &format!("  {letter}) {}", instance.facts.fill(&choice.text)?),
                )?;
            }
            writeln!(sheet, "{} = \"\"", question.id)?;
        }
    }
    Ok(sheet)
}

fn comment(sheet: &mut String, text: &str) -> std::fmt::Result {
    text.trim_end()
        .lines()
        .try_for_each(|line| writeln!(sheet, "# {line}"))
}
