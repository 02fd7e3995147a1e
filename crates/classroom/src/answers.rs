//! `answers.toml`: where a student predicts and answers.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    io::{self, ErrorKind},
    path::Path,
};

use anyhow::{Context, bail};
use rand::seq::SliceRandom;
use toml::{Table, Value};

use super::{
    catalogue::{Answer, Choice, Lab, Question, Trial},
    hand_out::Asked,
    language::Language,
    seed::Seed,
    toml_error,
};
use latchstring_cli::{screen, suggest::nearest};

/// Its name.
pub const FILE: &str = "answers.toml";

/// The limit on the size of a sheet, in bytes.
const LARGEST: u64 = 1 << 20;

/// The bytes of a sheet. A pipe would keep a check waiting, and a device has no end.
///
/// # Errors
/// When the file cannot be read, or has an unreasonable size.
pub fn file(path: &Path) -> io::Result<Vec<u8>> {
    let about = fs::metadata(path)?;
    if !about.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    if about.len() > LARGEST {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    fs::read(path)
}

/// The answers of a student.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Another command for the program, when it is written in another language.
    pub run: Option<Vec<String>>,
    /// The same for the programs of trials that have one of their own, by trial.
    pub runs: BTreeMap<String, Vec<String>>,
    answers: BTreeMap<String, String>,
}

impl Answers {
    /// Reads the sheet of a student's folder.
    ///
    /// # Errors
    /// When the sheet is not TOML, an answer is neither text nor a number, or an answer has no question. The error
    /// names the file, the line and the text to write there.
    pub fn read(folder: &Path, lab: &Lab) -> anyhow::Result<Self> {
        Self::read_for(folder, &lab.questions, &programs_of(lab))
    }

    /// Reads a sheet that was handed in.
    ///
    /// # Errors
    /// As [`Answers::read`].
    pub fn of_bytes(bytes: &[u8], lab: &Lab) -> anyhow::Result<Self> {
        Self::parse(FILE, bytes.to_owned(), &lab.questions, &programs_of(lab))
    }

    fn read_for(folder: &Path, questions: &[Question], programs: &[&str]) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let name = path.display();
        let bytes = file(&path).map_err(|why| match why.kind() {
            ErrorKind::NotFound => anyhow::anyhow!(
                "{name} is not there: `latchstring lab reset` makes a new one, and moves your other files to a backup"
            ),
            _ => anyhow::anyhow!("cannot read {name}: {why}"),
        })?;
        Self::parse(&name.to_string(), bytes, questions, programs)
    }

    fn parse(
        name: &str,
        bytes: Vec<u8>,
        questions: &[Question],
        programs: &[&str],
    ) -> anyhow::Result<Self> {
        let text = String::from_utf8(bytes).ok().with_context(|| {
            format!("{name} is not UTF-8 text: save it as UTF-8 in your editor")
        })?;
        let text = text.trim_start_matches('\u{feff}');
        let table: Table = toml::from_str(text)
            .map_err(|error| anyhow::anyhow!("{name}, {}", toml_error::explained(text, &error)))?;
        Self::of(text, table, questions, programs).map_err(|(key, why)| {
            anyhow::anyhow!("{name}{}: {why}", toml_error::line_of(text, &key))
        })
    }

    /// The answers in a table that was read from this text; an error comes with the key that it is about.
    fn of(
        text: &str,
        table: Table,
        questions: &[Question],
        programs: &[&str],
    ) -> Result<Self, (String, String)> {
        let mut sheet = Self::default();
        for (key, value) in table {
            match (key.as_str(), value) {
                ("run", value) => sheet.run = Some(command("run", value)?),
                (run, value) if run.starts_with(RUN) => {
                    let id = run.trim_start_matches(RUN);
                    if !programs.contains(&id) {
                        return Err((key.clone(), no_program(run, programs)));
                    }
                    sheet.runs.insert(id.to_owned(), command(run, value)?);
                }
                // The headings help to read it; an answer above or below the wrong one is an answer.
                ("predict" | "answers", Value::Table(inside)) => {
                    for (id, value) in inside {
                        sheet.take(text, id, value, questions)?;
                    }
                }
                ("predict" | "answers", _) => {
                    let why = "a heading is [predict] or [answers], alone on its line".to_owned();
                    return Err((format!("[[{key}]]"), why));
                }
                (_, Value::Table(_)) => {
                    let hint = nearest(&key, ["predict", "answers"]);
                    let why = format!("there is no heading [{key}]{hint}");
                    return Err((format!("[{key}]"), why));
                }
                (_, value) => sheet.take(text, key, value, questions)?,
            }
        }
        Ok(sheet)
    }

    fn take(
        &mut self,
        text: &str,
        id: String,
        value: Value,
        questions: &[Question],
    ) -> Result<(), (String, String)> {
        if !questions.iter().any(|question| question.id == id) {
            let hint = nearest(&id, questions.iter().map(|question| question.id.as_str()));
            let why = format!(
                "there is no question {id:?}, and the names of the questions must stay as they are{hint}"
            );
            return Err((id, why));
        }
        let answer = match value {
            Value::String(text) => text.trim().to_owned(),
            // 0x1f and 1_000 are numbers in TOML; a student means the digits that are written.
            Value::Integer(number) if toml_error::written(text, &id) == number.to_string() => {
                number.to_string()
            }
            Value::Array(_) | Value::Table(_) => {
                let why = format!("one answer is wanted: write {id} = \"...\"");
                return Err((id, why));
            }
            _ => {
                let written = toml_error::written(text, &id);
                let why = format!("put the answer between quotes: write {id} = \"{written}\"");
                return Err((id, why));
            }
        };
        self.answers.insert(id, answer);
        Ok(())
    }

    /// The student's own command for a trial, if there is one.
    pub fn command(&self, trial: &Trial) -> Option<&Vec<String>> {
        match trial.runs_the_labs_program() {
            true => self.run.as_ref(),
            false => self.runs.get(&trial.id),
        }
    }

    /// The answer to a question, or an empty text.
    pub fn to(&self, question: &Question) -> &str {
        self.answers.get(&question.id).map_or("", String::as_str)
    }
}

/// The trials with a program of their own.
fn programs_of(lab: &Lab) -> Vec<&str> {
    let trials = lab.trials.iter();
    let own = trials.filter(|trial| !trial.runs_the_labs_program());
    own.map(|trial| trial.id.as_str()).collect()
}

/// What the command of a trial's own program begins with.
const RUN: &str = "run-";

fn no_program(run: &str, programs: &[&str]) -> String {
    let known: Vec<String> = programs.iter().map(|id| format!("{RUN}{id}")).collect();
    let known: Vec<&str> = ["run"]
        .into_iter()
        .chain(known.iter().map(String::as_str))
        .collect();
    let hint = nearest(run, known.iter().copied());
    format!(
        "this lab runs no program called so{hint}; there is: {}",
        known.join(", ")
    )
}

fn command(key: &str, value: Value) -> Result<Vec<String>, (String, String)> {
    let form = || {
        format!(
            "write the command as a list of words in quotes, such as {key} = [\"python3\", \"attack.py\"]"
        )
    };
    let wrong = || (key.to_owned(), form());
    let Value::Array(words) = value else {
        return Err(wrong());
    };
    let word = |word: Value| word.as_str().map(str::to_owned).ok_or_else(wrong);
    let words: Vec<String> = words.into_iter().map(word).collect::<Result<_, _>>()?;
    match words.first().is_none_or(String::is_empty) {
        true => Err(wrong()),
        false => Ok(words),
    }
}

/// The letter that a student means: `b`, `B`, `" b "`, `b)`, `(b)`, `b.`, or the option itself.
///
/// # Errors
/// When it is not the letter of an option; the error lists the letters.
pub fn letter(written: &str, options: &[(char, &Choice)]) -> Result<char, String> {
    let plain = written.trim().to_lowercase();
    let bare = plain.trim_start_matches(['(', '[', '"', '\'']);
    let mut characters = bare.chars();
    let first = characters.next();
    let rest = characters.as_str().trim_start();
    let after = rest
        .trim_start_matches([')', ']', '.', ':', ',', '"', '\''])
        .trim();
    let marked = rest.is_empty() || after.len() < rest.len();
    for (letter, choice) in options {
        let text = choice.text.to_lowercase();
        let its_letter = first == Some(*letter) && marked;
        if plain == text || (its_letter && (after.is_empty() || after == text)) {
            return Ok(*letter);
        }
    }
    let letters = (options.first(), options.last());
    let range = match letters {
        (Some((first, _)), Some((last, _))) => format!("{first}-{last}"),
        _ => "nothing".to_owned(),
    };
    Err(format!("{written:?} is not one of {range}"))
}

/// A sheet with this answer in place of the one that it has.
///
/// # Errors
/// When the sheet does not ask the question.
pub fn filled_in(sheet: &str, question: &str, answer: &str) -> anyhow::Result<String> {
    let asks = |line: &&str| {
        let rest = line.strip_prefix(question);
        rest.is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let line = sheet.lines().find(asks);
    let line = line.with_context(|| format!("the sheet does not ask {question:?}"))?;
    let answer = Value::String(answer.to_owned());
    Ok(sheet.replacen(line, &format!("{question} = {answer}"), 1))
}

/// What a prediction offers, with letters: each student has another order.
pub fn options<'a>(question: &'a Question, order: &Seed) -> Vec<(char, &'a Choice)> {
    shuffled(question, &question.options, order)
}

/// The options as the student reads them.
pub fn texts<'a>(question: &Question, asked: &'a Asked, order: &Seed) -> Vec<(char, &'a String)> {
    shuffled(question, &asked.options, order)
}

fn shuffled<'a, T>(question: &Question, options: &'a [T], order: &Seed) -> Vec<(char, &'a T)> {
    let mut options: Vec<&T> = options.iter().collect();
    options.shuffle(&mut order.stream(&format!("options {}", question.id)));
    ('a'..='z').zip(options).collect()
}

/// A question as the student reads it.
///
/// # Errors
/// When it is not among those that were asked.
pub fn of<'a>(
    asked: &'a BTreeMap<String, Asked>,
    question: &Question,
) -> anyhow::Result<&'a Asked> {
    let found = asked.get(&question.id);
    found.with_context(|| {
        let id = &question.id;
        format!("the hand-out does not ask {id:?}: it was made for another version of the lab")
    })
}

/// The sheet for handing out: the questions `asked` as comments, answers empty. `order` is that of the student's options.
///
/// # Errors
/// When a question of the lab is not among those `asked`.
pub fn sheet(
    lab: &Lab,
    asked: &BTreeMap<String, Asked>,
    order: &Seed,
    language: Option<&Language>,
) -> anyhow::Result<String> {
    let mut sheet = format!(
        "# Lab {}: your predictions and answers.\n# Fill in what is between the quotes.\n",
        lab.id
    );
    if let Some(language) = language {
        sheet += "\n# The program may be written in any language.\n# Say here how to run it, in this folder:\n";
        // The commands of the trials' own programs differ from it, and stand below.
        if lab.trials.iter().any(Trial::runs_the_labs_program) {
            writeln!(sheet, "# run = {:?}", language.run)?;
        }
        for trial in lab
            .trials
            .iter()
            .filter(|trial| !trial.runs_the_labs_program())
        {
            if let Some(command) = trial.run.get(&language.id) {
                writeln!(sheet, "# {RUN}{} = {command:?}", trial.id)?;
            }
        }
    }
    let (predictions, others): (Vec<&Question>, Vec<&Question>) = lab
        .questions
        .iter()
        .partition(|q| q.kind == Answer::Predict);
    for (heading, questions) in [
        (
            "# First say what you expect, then look: write the letter between the quotes.\n\
             # The first prediction counts; it need not be right.\n[predict]",
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
            let asked = of(asked, question)?;
            comment(&mut sheet, &asked.text)?;
            for (letter, text) in texts(question, asked, order) {
                comment(&mut sheet, &format!("  {letter}) {text}"))?;
            }
            writeln!(sheet, "{} = \"\"", question.id)?;
        }
    }
    if sheet.ends_with("[answers]\n") {
        bail!("the heading [answers] has no question");
    }
    Ok(sheet)
}

/// As a comment in 80 columns.
fn comment(sheet: &mut String, text: &str) -> std::fmt::Result {
    const INSIDE: usize = screen::USUAL - 2;
    let indent = text.len() - text.trim_start_matches([' ', '\n']).len();
    let text = match indent > 0 && !text.starts_with('\n') {
        true => text.to_owned(),
        // The lines of a question are as they were in lab.toml.
        false => text.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    let folded = match indent > 0 {
        true => screen::folded_under(&text, INSIDE, indent + "a) ".len()),
        false => screen::prose(&text, INSIDE),
    };
    folded
        .lines()
        .try_for_each(|line| writeln!(sheet, "# {line}"))
}

#[cfg(test)]
mod tests;
