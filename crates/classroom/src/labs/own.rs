//! Labs of an instructor's own. The program of a student does not hold them, so a hand-out brings them along.
//!
//! What would tell the answers stays with the instructor: the solution, the known-wrong solutions, the case, the explanations, and
//! the answers in `lab.toml`.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use toml::{Table, Value};

use super::{PEERS, built_in, built_in_peers, in_folder};
use crate::{
    catalogue::{Answer, Lab},
    files::Files,
    student::Student,
};

/// The folder of these labs at the top of a hand-out.
pub const FOLDER: &str = ".latchstring.labs";
/// What stands in the place of an explanation.
const NO_EXPLANATION: &str = "This lab is your instructor's own. Ask for the explanation there.";

/// The labs as somebody in this folder has them: those of the hand-out that it is in take the place of those inside this program.
///
/// # Errors
/// When a lab of the hand-out is damaged.
pub fn near(at: &Path) -> anyhow::Result<Vec<Lab>> {
    let mut labs = built_in()?;
    let Ok(at) = at.canonicalize() else {
        return Ok(labs);
    };
    let mut folders = at.ancestors().map(|folder| folder.join(FOLDER));
    let Some(folder) = folders.find(|folder| folder.is_dir()) else {
        return Ok(labs);
    };
    let damaged = "the labs of your hand-out are damaged: unpack the hand-out again";
    let own = in_folder(&folder).context(damaged)?;
    labs.retain(|lab| own.iter().all(|mine| mine.id != lab.id));
    labs.extend(own);
    labs.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(labs)
}

/// What a hand-out brings along.
#[derive(Debug, Clone, Default)]
pub struct Own(BTreeMap<PathBuf, Vec<u8>>);

impl Own {
    /// Those of these labs that are not inside this program, as their students need them.
    ///
    /// # Errors
    /// When a student could not read one of them back.
    pub fn of(labs: &[Lab]) -> anyhow::Result<Self> {
        let known = built_in()?;
        let mut all = BTreeMap::new();
        let is_own = |lab: &&Lab| !known.iter().any(|known| known.is_same(lab));
        for lab in labs.iter().filter(is_own) {
            let files = for_students(lab);
            let files =
                files.with_context(|| format!("the lab {} cannot be handed out", lab.id))?;
            all.extend(files);
        }
        Ok(Self(all))
    }

    /// Writes them into the top folder of a hand-out.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, top: &Path) -> anyhow::Result<()> {
        for (path, bytes) in &self.0 {
            let path = top.join(FOLDER).join(path);
            let write = || {
                fs::create_dir_all(path.parent().unwrap_or(top))?;
                fs::write(&path, bytes)
            };
            write().with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

impl Student {
    /// Whether the lab came with a hand-out, which brings no solution.
    pub fn is_without_solution(&self) -> bool {
        let mut paths = self.lab.files.iter().map(|(path, _)| path);
        self.state.hand_out().is_some() && !paths.any(|path| path.starts_with("solution"))
    }
}

/// The files of a lab that its students need, by their paths.
fn for_students(lab: &Lab) -> anyhow::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let of_lab = |path: &Path| Path::new(&lab.id).join(path);
    for (path, bytes) in lab.files.iter() {
        if path.starts_with("start") || path == Path::new("README.md") {
            files.insert(of_lab(path), bytes.to_owned());
        }
    }
    let definition = without_answers(lab)?;
    files.insert(of_lab(Path::new("lab.toml")), definition.into_bytes());
    let explained = lab
        .item_ids()
        .map(|id| format!("\n## {id}\n\n{NO_EXPLANATION}\n"));
    let explained = format!("# {}\n{}", lab.title, explained.collect::<String>());
    files.insert(of_lab(Path::new("EXPLANATION.md")), explained.into_bytes());
    // What a student cannot read back is noticed here.
    Lab::read(&lab.id, of_one(lab, &files), lab.peers.clone())?;
    let begins_with_peer = lab.languages.iter().any(|language| language.peer.is_some());
    if begins_with_peer && lab.peers.0 != built_in_peers().0 {
        for (path, bytes) in lab.peers.iter() {
            files.insert(Path::new(PEERS).join(path), bytes.to_owned());
        }
    }
    Ok(files)
}

/// These files, by their paths in the folder of the lab.
fn of_one(lab: &Lab, files: &BTreeMap<PathBuf, Vec<u8>>) -> Files {
    let below = files.iter().filter_map(|(path, bytes)| {
        let path = path.strip_prefix(&lab.id).ok()?;
        Some((path.to_owned(), Cow::Owned(bytes.clone())))
    });
    Files(below.collect())
}

/// `lab.toml` without what only the instructor uses. A hand-out has hashes of the answers that it may have; a prediction that the
/// student's own program decides is no secret.
fn without_answers(lab: &Lab) -> anyhow::Result<String> {
    let mut table: Table = toml::from_str(lab.files.text("lab.toml")?)?;
    for key in ["wrong", "solve"] {
        table.remove(key);
    }
    let decided = |id: Option<&str>| {
        let mut questions = lab.questions.iter();
        questions.any(|one| {
            Some(one.id.as_str()) == id && one.kind == Answer::Predict && one.trial.is_some()
        })
    };
    let questions = table.get_mut("question").and_then(Value::as_array_mut);
    for question in questions.into_iter().flatten() {
        let Some(question) = question.as_table_mut() else {
            continue;
        };
        if !decided(question.get("id").and_then(Value::as_str)) {
            question.insert("answer".to_owned(), Value::String(String::new()));
        }
    }
    Ok(toml::to_string(&table)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lab_can_be_handed_out_and_tells_neither_solution_nor_answer() {
        for lab in built_in().unwrap() {
            let own = Own(for_students(&lab).unwrap());
            let top = tempfile::tempdir().unwrap();
            own.write(top.path()).unwrap();
            let back = in_folder(&top.path().join(FOLDER)).unwrap().remove(0);
            assert_eq!(
                (back.id.as_str(), back.points()),
                (lab.id.as_str(), lab.points())
            );
            let parts = ["solution", "wrong", "CASE.md"];
            let told = |path: &Path| parts.iter().any(|part| path.starts_with(part));
            assert!(back.files.iter().all(|(path, _)| !told(path)), "{}", lab.id);
            let mut secret = back.questions.iter().filter(|one| one.trial.is_none());
            assert!(secret.all(|one| one.answer.is_empty()), "{}", lab.id);
        }
    }

    #[test]
    fn labs_inside_the_program_are_not_brought_along() {
        let top = tempfile::tempdir().unwrap();
        let own = Own::of(&built_in().unwrap()).unwrap();
        own.write(top.path()).unwrap();
        assert!(!top.path().join(FOLDER).exists());
        let ids = |labs: Vec<Lab>| labs.into_iter().map(|lab| lab.id).collect::<Vec<_>>();
        assert_eq!(ids(near(top.path()).unwrap()), ids(built_in().unwrap()));
    }
}
