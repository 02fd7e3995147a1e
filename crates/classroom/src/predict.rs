//! Predictions, made in the terminal.

use std::io::{self, BufRead, Write};

use anyhow::{Context, ensure};
use latchstring_cli::{screen, suggest::nearest};

use super::{
    answers,
    catalogue::{Answer, Question},
    student::Student,
};

/// How often a person is asked the same.
const TRIES: usize = 5;

/// Takes predictions that are written as `ID=LETTER`.
///
/// # Errors
/// When one of them names no prediction or no option, or was made before.
pub fn take(out: &mut impl Write, student: &mut Student, given: &[String]) -> anyhow::Result<()> {
    for pair in given {
        let form = || format!("{pair:?} is no prediction: write ID=LETTER, such as keystreams=b");
        let (id, letter) = pair.split_once('=').with_context(form)?;
        let predictions = predictions(student);
        let question = predictions.iter().find(|question| question.id == id);
        let unknown = || {
            let ids = predictions.iter().map(|question| question.id.as_str());
            let (hint, ids) = (nearest(id, ids.clone()), ids.collect::<Vec<_>>().join(", "));
            format!("there is no prediction {id:?}{hint}; there are: {ids}")
        };
        let question = question.with_context(unknown)?;
        ensure!(
            !student.state.predictions.contains_key(id),
            "you have predicted {id} already, and the first prediction counts"
        );
        let said = student.predicted(question, letter)?;
        let letter = said.map_err(|why| anyhow::anyhow!("{id}: {why}"))?;
        saved(student, question, letter)?;
        writeln!(out, "{id}: {letter}) is saved.")?;
    }
    Ok(())
}

/// Asks for each prediction that is not made yet.
///
/// # Errors
/// When the input ends, or no option is chosen after several tries.
pub async fn ask(out: &mut impl Write, student: &mut Student) -> anyhow::Result<()> {
    let open: Vec<Question> = predictions(student)
        .into_iter()
        .filter(|question| !student.state.predictions.contains_key(&question.id))
        .collect();
    if open.is_empty() {
        return Ok(writeln!(
            out,
            "You have made all predictions of this lab. `latchstring lab check {}` holds them against the run.",
            student.lab.number()
        )?);
    }
    let asked = student.asked().await?;
    writeln!(
        out,
        "The first prediction counts, and it need not be right."
    )?;
    for question in open {
        let asked = answers::of(&asked, &question)?;
        let text = one_line(&asked.text);
        writeln!(out, "\n{}", screen::prose(&text, screen::width()))?;
        for (letter, text) in answers::texts(&question, asked, &student.order()) {
            let text = format!("  {letter}) {text}");
            writeln!(out, "{}", screen::folded_under(&text, screen::width(), 5))?;
        }
        let letter = one(out, student, &question)?;
        saved(student, &question, letter)?;
        writeln!(out, "{letter}) is saved.")?;
    }
    Ok(())
}

/// Saves a prediction, and writes it into the sheet of answers, where the student looks for it. A sheet that cannot be changed
/// is no loss: the prediction counts.
fn saved(student: &Student, question: &Question, letter: char) -> anyhow::Result<()> {
    student.save()?;
    let path = student.folder.join(answers::FILE);
    let filled = std::fs::read_to_string(&path)
        .map_err(anyhow::Error::from)
        .and_then(|sheet| answers::filled_in(&sheet, &question.id, &letter.to_string()));
    if let Ok(sheet) = filled {
        let _ = std::fs::write(&path, sheet);
    }
    Ok(())
}

fn predictions(student: &Student) -> Vec<Question> {
    let questions = student.lab.questions.iter();
    let questions = questions.filter(|question| question.kind == Answer::Predict);
    questions.cloned().collect()
}

fn one(out: &mut impl Write, student: &mut Student, question: &Question) -> anyhow::Result<char> {
    for _ in 0..TRIES {
        write!(out, "Your letter: ")?;
        out.flush()?;
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line)?;
        ensure!(
            read > 0,
            "the input ended: the predictions so far are saved; `latchstring lab predict` goes on"
        );
        match student.predicted(question, line.trim())? {
            Ok(letter) => return Ok(letter),
            Err(why) => writeln!(out, "{why}")?,
        }
    }
    anyhow::bail!("no option was chosen: `latchstring lab predict` asks again")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
