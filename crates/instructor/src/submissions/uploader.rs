//! Who has uploaded a file, as the names say that a learning platform gives to folders and files.
//!
//! A platform writes a name in its own way. `Muster, Anna` of the list is `Anna Muster` in a folder of Moodle. A file of Canvas
//! has `musteranna`. So names are compared without case, accents, commas and blanks, and in any order of their words.

use latchstring_course::roster::{Column, Id, Person, Roster};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// What Canvas and Moodle write in place of a name if the grader may not know it.
const HIDDEN: [&str; 3] = ["anon", "anonymous", "participant"];

/// What the path of a file says about the person who has uploaded it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Uploader {
    /// The student, if the path names exactly one.
    pub id: Option<Id>,
    /// A name that a platform has written, and that nobody in the course has.
    pub stranger: Option<String>,
}

/// What one part of a path says.
enum Says<'a> {
    /// Nothing.
    Nothing,
    /// It is of this student. A name that the platform has made cannot be the student's choice.
    Student(&'a Person, Made),
    /// It is of a person of this name, and the course has nobody of this name.
    Stranger(&'a str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    /// A folder of Moodle: what is below it is what the student has chosen.
    ByMoodle,
    /// Any other name.
    Otherwise,
}

/// Who has uploaded a file, as the parts of its path say.
pub(super) fn of_path(path: &str, roster: &Roster) -> Uploader {
    let mut found: Vec<&Person> = Vec::new();
    let mut stranger = None;
    for part in path.split('/').map(str::trim) {
        match says(part, roster) {
            Says::Nothing => {}
            Says::Student(person, made) => {
                found.push(person);
                if made == Made::ByMoodle {
                    break;
                }
            }
            Says::Stranger(name) => {
                stranger = Some(name.to_owned());
                break;
            }
        }
    }
    // Parts that name different students name nobody.
    let first = found.first().map(|person| &person.id);
    let same = found.iter().all(|person| Some(&person.id) == first);
    Uploader {
        id: first.filter(|_| same && stranger.is_none()).cloned(),
        stranger,
    }
}

fn says<'a>(part: &'a str, roster: &'a Roster) -> Says<'a> {
    if let Some(person) = roster.find(part) {
        return Says::Student(person, Made::Otherwise);
    }
    let (name, made, known) = match (of_canvas(part), of_moodle(part)) {
        (Some((name, user)), _) => {
            let known = roster.find_by(Column::Number, user);
            (name, Made::Otherwise, known)
        }
        (None, Some(name)) => (name, Made::ByMoodle, None),
        (None, None) => return Says::Nothing,
    };
    if let Some(person) = known {
        return Says::Student(person, made);
    }
    let mut same = roster.people().iter();
    let mut same = same
        .by_ref()
        .filter(|person| is_name_of(name, &person.name));
    match (same.next(), same.next()) {
        (Some(person), None) => Says::Student(person, made),
        (None, _) if is_told(name) => Says::Stranger(name),
        _ => Says::Nothing,
    }
}

/// The name and the number of the user in `musteranna_LATE_12345_678_file.zip`.
fn of_canvas(part: &str) -> Option<(&str, &str)> {
    let mut pieces = part.split('_');
    let name = pieces.next()?;
    let mut rest = pieces.filter(|piece| *piece != "LATE");
    let (user, submission) = (rest.next()?, rest.next()?);
    let fits =
        !name.is_empty() && is_number(user) && is_number(submission) && rest.next().is_some();
    fits.then_some((name, user))
}

/// The name in `Anna Muster_678_assignsubmission_file_`.
fn of_moodle(part: &str) -> Option<&str> {
    let (before, _) = part.split_once("_assignsubmission_")?;
    let (name, participant) = before.rsplit_once('_')?;
    is_number(participant).then_some(name)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a name is a person's, and no word of a platform that hides the person.
fn is_told(name: &str) -> bool {
    let words = words(name);
    !words.is_empty()
        && !name.contains(|c: char| c.is_ascii_digit())
        && !HIDDEN.contains(&words[0].as_str())
}

/// Whether this is the name in the list, as a platform writes it.
fn is_name_of(written: &str, name: &str) -> bool {
    let (mut written, mut name) = (words(written), words(name));
    if name.is_empty() {
        return false;
    }
    // Canvas writes the words without blanks, from the last name on; the list may begin with the first name.
    if let [joined] = written.as_slice() {
        let turned = |at: usize| [&name[at..], &name[..at]].concat().concat();
        return (0..name.len()).any(|at| turned(at) == *joined);
    }
    written.sort();
    name.sort();
    written == name
}

/// Whether two lists mean the same name: without case, accents and commas, and in any order of the words.
pub(crate) fn is_same_name(one: &str, other: &str) -> bool {
    let sorted = |name: &str| {
        let mut words = words(name);
        words.sort();
        words
    };
    sorted(one) == sorted(other)
}

/// The words of a name: in lower case, and without accents.
fn words(name: &str) -> Vec<String> {
    let words = name.split(|c: char| c.is_whitespace() || ",;.-_'’".contains(c));
    let words = words.map(|word| {
        let letters = word.nfkd().filter(|c| !is_combining_mark(*c));
        letters
            .collect::<String>()
            .to_lowercase()
            .replace('ß', "ss")
    });
    words.filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use latchstring_course::roster;

    use super::*;

    fn class() -> Roster {
        let csv = "id,name,email,login,sis,number,section\n\
                   anna,\"Muster, Anna\",a@x.example,,,12345,\n\
                   bert,Bert Beispiel,b@x.example,,,12346,\n\
                   carl,Carl Doppel,c@x.example,,,,\n\
                   cora,\"Doppel, Carl\",d@x.example,,,,\n\
                   jorg,Jörg van der Groß-Ohé,e@x.example,,,,\n";
        roster::read("roster.csv", csv.as_bytes()).unwrap().roster
    }

    fn id(path: &str) -> Option<String> {
        of_path(path, &class()).id.map(String::from)
    }

    #[test]
    fn the_uploader_is_read_from_the_names_of_the_platforms() {
        for (path, wanted) in [
            ("musteranna_12345_678_final (2).zip", Some("anna")),
            ("beispielbert_LATE_12346_679_x.zip", Some("bert")),
            ("beispielbert_LATE_77_679_x.zip", Some("bert")),
            ("vandergrossohejorg_77_679_x.zip", Some("jorg")),
            // The number is more certain than the name.
            ("musteranna_12346_679_x.zip", Some("bert")),
            ("doppelcarl_77_679_x.zip", None),
            ("a_b_c.zip", None),
            ("Anna Muster_9_assignsubmission_file_/x.zip", Some("anna")),
            ("Muster Anna_9_assignsubmission_file_/x.zip", Some("anna")),
            (
                "JO\u{308}RG van der Gross-Ohe_9_assignsubmission_file_/x.zip",
                Some("jorg"),
            ),
            ("Carl Doppel_9_assignsubmission_file_/x.zip", None),
            ("anna/01.zip", Some("anna")),
            ("anna/beispielbert_12346_679_x.zip", None),
            ("final.zip", None),
        ] {
            assert_eq!(id(path).as_deref(), wanted, "{path}");
            assert_eq!(of_path(path, &class()).stranger, None, "{path}");
        }
    }

    #[test]
    fn a_student_cannot_hide_the_folder_that_moodle_has_made() {
        let path = "Bert Beispiel_9_assignsubmission_file_/musteranna_12345_678_x.zip";
        assert_eq!(id(path).as_deref(), Some("bert"));
        let path = "Eve Fremd_9_assignsubmission_file_/musteranna_12345_678_x.zip";
        assert_eq!(id(path), None);
    }

    #[test]
    fn a_name_that_nobody_has_is_told_and_a_hidden_one_is_not() {
        for (path, name) in [
            (
                "Eve Fremd_9_assignsubmission_file_/x.zip",
                Some("Eve Fremd"),
            ),
            ("fremdeve_99999_679_x.zip", Some("fremdeve")),
            ("Participant 12_9_assignsubmission_file_/x.zip", None),
            ("anon_99999_679_x.zip", None),
            ("2_assignsubmission_file_/x.zip", None),
        ] {
            let found = of_path(path, &class());
            assert_eq!(found.stranger.as_deref(), name, "{path}");
            assert_eq!(found.id, None, "{path}");
        }
    }
}
