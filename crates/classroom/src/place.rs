//! Finds a lab's folder: commands work in the folder and below it, beside it, and above it.

use std::path::{Path, PathBuf};

use super::state;

/// The folder that holds the labs' folders, unless `--dir` says otherwise.
pub const WORK: &str = "lab-work";

/// What a student of a course reads first; it is in the top folder of a hand-out.
pub const READ_FIRST: &str = "READ-ME-FIRST.md";

/// A lab's folder, as it was found from where the command was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Here {
    /// The folder, relative to the present folder.
    pub folder: PathBuf,
    /// The lab that it was handed out for.
    pub lab: String,
}

/// The lab's folder that `at` is, or is in.
pub fn enclosing(at: &Path) -> Option<Here> {
    let backup = |folder: &Path| {
        let name = absolute(folder);
        let name = name.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("backup-")
    };
    // What was set aside in a lab's folder is not that folder.
    let mut folders = upwards(at).filter(|folder| !backup(folder));
    folders.find_map(|folder| {
        let lab = state::lab_of(&folder)?;
        Some(Here { folder, lab })
    })
}

/// Where a lab's folder is made: beside the labs that `at` is among, else in a new `lab-work` there.
pub fn for_new(at: &Path, lab: &str) -> PathBuf {
    let root = among(at).unwrap_or_else(|| at_or_below(at, WORK));
    at_or_below(&root, lab)
}

/// Where a lab's folder is: this one, one beside it, or one here or in a folder above, alone or in `lab-work`. Or it is in the only
/// hand-out here, which a student has just unpacked.
pub fn of_lab(at: &Path, lab: &str) -> PathBuf {
    if let Some(here) = enclosing(at).filter(|here| here.lab == lab) {
        return here.folder;
    }
    let new = for_new(at, lab);
    // A hand-out has a folder for each lab.
    let above =
        upwards(at).flat_map(|folder| [folder.join(lab), at_or_below(&folder, WORK).join(lab)]);
    let below = hand_out_below(at).map(|folder| folder.join(lab));
    let mut there = std::iter::once(new.clone()).chain(above).chain(below);
    there
        .find(|folder| state::lab_of(folder).is_some())
        .unwrap_or(new)
}

/// The only folder here that a course has handed out.
fn hand_out_below(at: &Path) -> Option<PathBuf> {
    let folders = std::fs::read_dir(at).ok()?.flatten();
    let mut handed_out = folders
        .filter(|entry| entry.path().join(READ_FIRST).is_file())
        .map(|entry| at_or_below(at, &entry.file_name().to_string_lossy()));
    let first = handed_out.next();
    first.filter(|_| handed_out.next().is_none())
}

/// The folder whose folders are labs, if `at` is it or is in one of them.
fn among(at: &Path) -> Option<PathBuf> {
    if let Some(here) = enclosing(at) {
        return Some(parent(&here.folder));
    }
    upwards(at).find(|folder| {
        absolute(folder)
            .file_name()
            .is_some_and(|name| name == WORK)
    })
}

/// A folder and all that it is in: `.`, `..`, `../..`
fn upwards(at: &Path) -> impl Iterator<Item = PathBuf> {
    let depth = absolute(at).components().count();
    let first = at.to_owned();
    std::iter::successors(Some(first), |folder| Some(parent(folder))).take(depth)
}

fn parent(folder: &Path) -> PathBuf {
    match folder.as_os_str().to_str() {
        Some("." | "") => PathBuf::from(".."),
        _ if folder.ends_with("..") => folder.join(".."),
        _ => match folder.parent() {
            Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
            Some(parent) => parent.to_owned(),
            None => folder.to_owned(),
        },
    }
}

fn at_or_below(at: &Path, name: &str) -> PathBuf {
    match at == Path::new(".") {
        true => PathBuf::from(name),
        false => at.join(name),
    }
}

fn absolute(folder: &Path) -> PathBuf {
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder with a lab in `top/lab-work/01-say-the-name`.
    fn top() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("the top");
        let lab = top.join(WORK).join("01-say-the-name");
        fs::create_dir_all(lab.join("public")).unwrap();
        fs::write(lab.join("answers.toml"), "# Lab 01-say-the-name: your ...").unwrap();
        (folder, top, lab)
    }

    #[test]
    fn a_lab_is_found_from_its_folder_from_below_from_beside_and_from_above() {
        let (_folder, top, lab) = top();
        fs::create_dir_all(top.join("docs/src")).unwrap();
        for at in [
            lab.clone(),
            lab.join("public"),
            top.join(WORK),
            top.clone(),
            top.join("docs/src"),
        ] {
            let found = of_lab(&at, "01-say-the-name");
            assert_eq!(
                found.canonicalize().unwrap(),
                lab.canonicalize().unwrap(),
                "{}",
                at.display()
            );
        }
        fs::create_dir(lab.join("backup-1")).unwrap();
        fs::copy(lab.join("answers.toml"), lab.join("backup-1/answers.toml")).unwrap();
        assert_eq!(enclosing(&lab.join("backup-1")).unwrap().folder, lab);
        assert_eq!(
            enclosing(&lab.join("public")).unwrap().lab,
            "01-say-the-name"
        );
        assert_eq!(enclosing(&top), None);
    }

    #[test]
    fn a_hand_out_that_was_just_unpacked_is_found_from_above_if_it_is_the_only_one() {
        let folder = tempfile::tempdir().unwrap();
        let lab = folder.path().join("course-anna/01-say-the-name");
        fs::create_dir_all(&lab).unwrap();
        fs::write(lab.join("answers.toml"), "# Lab 01-say-the-name: your ...").unwrap();
        let new = folder.path().join(WORK).join("01-say-the-name");
        assert_eq!(of_lab(folder.path(), "01-say-the-name"), new);
        fs::write(folder.path().join("course-anna").join(READ_FIRST), "").unwrap();
        assert_eq!(of_lab(folder.path(), "01-say-the-name"), lab);
        assert_eq!(
            of_lab(folder.path(), "04-two-time-pad").parent(),
            new.parent()
        );
        let other = folder.path().join("course-bert");
        fs::create_dir(&other).unwrap();
        fs::write(other.join(READ_FIRST), "").unwrap();
        assert_eq!(of_lab(folder.path(), "01-say-the-name"), new);
    }

    #[test]
    fn a_new_lab_is_made_beside_the_others_and_never_in_one() {
        let (_folder, top, lab) = top();
        let new = top.join(WORK).join("04-two-time-pad");
        for at in [lab.clone(), lab.join("public"), top.join(WORK), top.clone()] {
            assert_eq!(for_new(&at, "04-two-time-pad"), new, "{}", at.display());
        }
        // Elsewhere it is made where somebody is, whatever there is above.
        let docs = top.join("docs");
        fs::create_dir(&docs).unwrap();
        assert_eq!(
            for_new(&docs, "04-two-time-pad"),
            docs.join(WORK).join("04-two-time-pad")
        );
    }

    #[test]
    fn paths_are_told_as_a_person_would_tell_them() {
        assert_eq!(at_or_below(Path::new("."), WORK), Path::new("lab-work"));
        assert_eq!(parent(Path::new(".")), Path::new(".."));
        assert_eq!(parent(Path::new("..")), Path::new("../.."));
        assert_eq!(parent(Path::new("a")), Path::new("."));
        assert_eq!(parent(Path::new("a/b")), Path::new("a"));
    }
}
