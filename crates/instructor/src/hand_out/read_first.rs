//! `READ-ME-FIRST.md`: the steps of a student, from the archive to the file that is handed in.

use latchstring_course::roster::Person;

use super::{Door, INVITATION};
use crate::{folder::Course, terms::Terms};

/// Its name in the archive.
pub(super) const FILE: &str = latchstring_classroom::place::READ_FIRST;

/// How a student gets the program, where the terms say nothing.
const BUILD: &str = "Your instructor says where the project `latchstring` is. You need a Unix machine with Rust \
                     (<https://rustup.rs>) and a C compiler\n(Debian: `apt install build-essential`). On Windows, use WSL 2. \
                     In the top folder of the project, build the program once:\n\n\
                     ```sh\ncargo build --release\n```\n";

/// What a student does when the sending stops.
const AFTER_AN_ERROR: &str = "\nIf an error stops it, run the same command again: only the missing parts are sent. At the end a \
                              receipt lies beside the file.\nKeep it.\n";

/// The text for this student. `folder` is the one that the archive unpacks to.
pub(super) fn text(course: &Course, person: &Person, door: &Door, folder: &str) -> String {
    let terms = &course.terms;
    let first = course.labs.first().map_or("", |lab| &lab.id);
    let program = match &terms.program {
        None => BUILD.to_owned(),
        Some(said) => format!("{}\n", said.trim()),
    };
    let parts = [
        format!(
            "# {} ({}): the hand-out of {}\n\n\
             This hand-out is yours alone: the captures, keys and questions in it were made for `{}`. The answers of others are \
             wrong here.\n\
             You have unpacked it, so each lab has a folder beside this file. You need no `latchstring lab start`.\n",
            terms.course, terms.term, person.name, person.id
        ),
        format!(
            "## 1. Get the program\n\n{program}\n\
             In each terminal, once, tell the shell where it is. If you have built it, do this in the top folder of the project:\n\n\
             ```sh\nexport PATH=\"$PWD/target/release:$PATH\"\n```\n"
        ),
        format!(
            "## 2. Do a lab\n\n\
             Go to the folder of the first lab, from the folder with this file (`{folder}`). Read its `README.md`, and write your \
             predictions\nand answers into `answers.toml`. Check as often as you like:\n\n\
             ```sh\ncd {first}\nlatchstring lab check\n```\n\n\
             A short answer says `wait` in the check. It is compared when you hand it in.\n"
        ),
        format!(
            "## 3. Hand it in\n\n\
             In the lab's folder, make the file that you hand in:\n\n\
             ```sh\nlatchstring lab submit\n```\n\n\
             Its name is `{first}.{}.latchstring.zip` for the first lab. Hand in this file as it is, and no folder that you have \
             packed yourself.\n{}",
            person.id,
            server(person, door)
        ),
        again(terms),
        deadlines(course),
    ];
    parts.join("\n").trim_end().to_owned() + "\n"
}

fn server(person: &Person, door: &Door) -> String {
    match door {
        Door::None => String::new(),
        Door::Account => format!(
            "\nOr send it to the server of the course, where you have an account. Write the name of the server for HOST:\n\n\
             ```sh\nlatchstring lab submit --to {}@HOST\n```\n{AFTER_AN_ERROR}",
            person.id
        ),
        Door::Invitation(_) => format!(
            "\nOr send it to the server of the course. The file `{INVITATION}` lets you in the first time, and you choose a \
             password. Write\nthe name of the server for HOST:\n\n\
             ```sh\nlatchstring lab submit --to {}@HOST --invitation ../{INVITATION}\n```\n{AFTER_AN_ERROR}",
            person.id
        ),
    }
}

fn again(terms: &Terms) -> String {
    let late = match terms.due.is_empty() {
        true => "",
        false => " If it is late, and an earlier one is worth more, the earlier one counts.",
    };
    format!(
        "If you change your work, run the command again, and hand in the new file. The last file of a lab counts.{late}\n"
    )
}

/// The deadlines that the terms know, as the instructor has written them and in UTC, and what late work loses.
fn deadlines(course: &Course) -> String {
    let terms = &course.terms;
    let lines: String = (course.labs.iter())
        .filter_map(|lab| {
            let due = terms.due.get(&lab.id)?;
            let utc = due.0.in_words();
            Some(format!(
                "| {} | {} | {} | {utc} |\n",
                lab.id, lab.title, due.1
            ))
        })
        .collect();
    match lines.is_empty() {
        true => String::new(),
        false => format!(
            "## Deadlines\n\n| lab | title | due | due in UTC |\n| --- | --- | --- | --- |\n{lines}\n{}\n",
            terms.late.in_words()
        ),
    }
}
