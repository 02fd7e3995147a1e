//! The commands of a student's folder: `list`, `start`, `hint`, `explain` and `reset`.

use std::{
    io::{self, BufRead, Write},
    path::Path,
};

use anyhow::ensure;
use latchstring_attacker::{attacks, protocol::hardened::defence::Defence};
use latchstring_cli::suggest::nearest;

use super::{LabsArg, PlaceArgs, chosen, print_json, standings};
use crate::{
    labs, place as places,
    report::{self, Standing},
    seed::Seed,
    state,
    student::Student,
};

pub(super) fn list(
    out: &mut impl Write,
    labs: &LabsArg,
    about: Option<&str>,
    json: bool,
) -> anyhow::Result<()> {
    let mut all = standings(labs, None)?;
    if let Some(id) = about {
        subject_exists(id)?;
        all.retain(|standing| standing.lab.is_about(id));
    }
    if json {
        let line = |standing: &Standing| {
            let lab = &standing.lab;
            serde_json::json!({
                "id": lab.id,
                "title": lab.title,
                "minutes": lab.minutes,
                "level": lab.level,
                "prerequisites": lab.prerequisites,
                "folder": standing.started.as_ref().map(|(folder, _)| folder),
                "started": standing.started.is_some(),
                "done": standing.done(),
                "points": standing.points(),
                "of": lab.points(),
            })
        };
        return print_json(&all.iter().map(line).collect::<Vec<_>>());
    }
    match about {
        Some(id) if all.is_empty() => writeln!(out, "No lab is about {id}.")?,
        Some(_) => report::lines(out, &all)?,
        None => report::list(out, &all)?,
    }
    Ok(())
}

/// Labs are about attacks and defences, by their ids.
fn subject_exists(id: &str) -> anyhow::Result<()> {
    let attacks = attacks::ALL.iter().map(|attack| attack.id);
    let mut all = attacks.chain(Defence::ALL.iter().map(|defence| defence.id()));
    ensure!(
        all.clone().any(|known| known == id),
        "there is no attack and no defence {id:?}{}; `latchstring-attack list` names them",
        nearest(id, all.by_ref())
    );
    Ok(())
}

pub(super) async fn start(
    out: &mut impl Write,
    named: &str,
    place: &PlaceArgs,
    seed: Option<u64>,
    language: Option<&str>,
) -> anyhow::Result<()> {
    let lab = labs::find(place.all()?, named)?;
    let folder = match &place.dir {
        Some(dir) => dir.clone(),
        None => {
            let known = places::of_lab(Path::new("."), &lab.id);
            ensure!(
                state::lab_of(&known).as_ref() != Some(&lab.id),
                "the lab {} is started already: {}, or begin again with `latchstring lab reset {}`",
                lab.id,
                go_on_in(&known),
                lab.number()
            );
            places::for_new(Path::new("."), &lab.id)
        }
    };
    let student = Student::start(lab, &folder, &chosen(seed)?, language).await?;
    let dir = place.dir.as_ref();
    let dir = dir.map_or_else(String::new, |dir| format!(" --dir {}", dir.display()));
    Ok(report::welcome(out, &student, &dir)?)
}

/// What to type to get to a lab's folder. In a hand-out the folder is there before anything was started.
fn go_on_in(folder: &Path) -> String {
    match folder == Path::new(".") {
        true => "go on in this folder, with README.md".to_owned(),
        false => format!("go on there with `cd {}`", folder.display()),
    }
}

pub(super) fn hint(
    out: &mut impl Write,
    mut student: Student,
    solution: bool,
) -> anyhow::Result<()> {
    if solution {
        let folder = student.hand_out_solution()?;
        writeln!(out, "The solution is in {}.", folder.display())?;
        return Ok(());
    }
    let of = student.lab.hints.len();
    let text = student.take_hint()?.map(report::refolded);
    match text {
        Some(text) => writeln!(out, "Hint {} of {of}\n\n{text}", student.state.hints)?,
        None => writeln!(
            out,
            "You have had all {of} hints. The solution: latchstring lab hint {} --solution",
            student.lab.number()
        )?,
    }
    Ok(())
}

pub(super) fn explain(out: &mut impl Write, student: &Student) -> anyhow::Result<()> {
    let explanations = student.explanations()?;
    for (id, text) in &explanations {
        writeln!(out, "## {id}\n\n{}\n", report::refolded(text))?;
    }
    let hidden = student.lab.item_ids().count() - explanations.len();
    if let Some(case) = student.lab.case().filter(|_| hidden == 0) {
        writeln!(out, "{}\n", report::refolded(case))?;
    }
    if hidden > 0 {
        let when = match hidden {
            1 => "1 more comes when its check passes",
            _ => &format!("{hidden} more come when their checks pass"),
        };
        writeln!(
            out,
            "{when}: latchstring lab check {}",
            student.lab.number()
        )?;
    }
    Ok(())
}

pub(super) async fn reset(
    out: &mut impl Write,
    named: Option<&str>,
    place: &PlaceArgs,
    yes: bool,
    language: Option<&str>,
) -> anyhow::Result<()> {
    let lab = place.lab("reset", named)?;
    let folder = place.folder(&lab);
    let there = state::lab_of(&folder);
    ensure!(
        there.as_ref() == Some(&lab.id),
        "{} does not hold the lab {}: begin with `latchstring lab start {}`",
        folder.display(),
        lab.id,
        lab.number()
    );
    if !yes {
        write!(
            out,
            "Begin {} again in {}? Your files move to a backup. Type yes: ",
            lab.id,
            folder.display()
        )?;
        out.flush()?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        ensure!(line.trim() == "yes", "nothing was changed");
    }
    let lost = state::read(&folder).is_err();
    let backup = match lost {
        false => Student::open(lab, &folder)?.reset(language).await?,
        true => Student::begin_again(lab, &folder, &Seed::fresh()?, language).await?,
    };
    if lost {
        writeln!(
            out,
            "The progress was lost, so captures, keys and answers are new."
        )?;
    }
    writeln!(
        out,
        "Everything is as it was at the start. Your files are in {}",
        backup.display()
    )?;
    Ok(())
}
