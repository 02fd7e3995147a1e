//! A class that is made up: a course, its students and their folders.

use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Read, Write},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use latchstring_course::grades::{Grades, LabResult};
use latchstring_tests::{binary, copy, workspace};
use tempfile::TempDir;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

/// A course in a folder.
pub(crate) struct Class {
    top: TempDir,
    /// The ids of the students.
    pub(crate) students: Vec<String>,
}

impl Class {
    /// A course with these labs and so many students.
    pub(crate) fn new(students: usize, labs: &[&str]) -> Self {
        let class = Self {
            top: tempfile::tempdir().unwrap(),
            students: (1..=students).map(|n| format!("student{n}")).collect(),
        };
        class.runs(&[
            "course",
            "new",
            "Network security",
            "--term",
            "2026",
            "--course",
            ".",
        ]);
        class.terms("labs = [", &format!("labs = {labs:?}\nwas = ["));
        // The template's own list is no part of these terms.
        let text = fs::read_to_string(class.path("course.toml")).unwrap();
        let (before, after) = text.split_once("was = [").unwrap();
        let (_, after) = after.split_once("]\n").unwrap();
        fs::write(class.path("course.toml"), format!("{before}{after}")).unwrap();
        let mut csv = "name,email,login\n".to_owned();
        for student in &class.students {
            csv += &format!("Name of {student},{student}@uni.example,{student}\n");
        }
        fs::write(class.path("list.csv"), csv).unwrap();
        class.runs(&["course", "roster", "import", "list.csv"]);
        class
    }

    /// Changes the terms.
    pub(crate) fn terms(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path("course.toml")).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(self.path("course.toml"), text.replacen(from, to, 1)).unwrap();
    }

    /// A path in the folder of the course.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.top.path().join(below)
    }

    /// Runs `latchstring` in the folder of the course.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        run(self.top.path(), arguments)
    }

    /// As [`Class::run`]; it must end well. Gives what it prints.
    pub(crate) fn runs(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        one_line(&output)
    }

    /// Hands out, and unpacks each archive as its student would. Gives the folder of each student.
    pub(crate) fn hand_out(&self) -> BTreeMap<String, PathBuf> {
        self.runs(&["course", "hand-out", "out"]);
        let unpacked = self.students.iter().map(|student| {
            let bytes = fs::read(self.path("out").join(format!("{student}.zip"))).unwrap();
            let folder = self.path("students");
            unpack(&bytes, &folder);
            (
                student.clone(),
                folder.join(format!("network-security-{student}")),
            )
        });
        unpacked.collect()
    }

    /// Grades the folder `in`. Gives the grades, and what was printed.
    pub(crate) fn grade(&self) -> (Grades, String) {
        let output = self.run(&["course", "grade", "in"]);
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 3)), "{output:?}");
        let said = one_line(&output);
        let text = fs::read_to_string(self.path("grades.json")).unwrap();
        (Grades::from_json(&text).unwrap(), said)
    }
}

/// What a program printed, without the places where it was folded.
pub(crate) fn one_line(output: &Output) -> String {
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Runs `latchstring` in a folder, as a student or an instructor does.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(binary("latchstring"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Puts the lab's solution over a student's files, and lets it fill in the answers.
pub(crate) fn solve(folder: &Path, lab: &str) {
    let solution = workspace().join("labs").join(lab).join("solution");
    copy(&solution, folder);
    let python = folder.join("python");
    if python.exists() {
        copy(&python, folder);
        fs::remove_dir_all(python).unwrap();
    }
    let _ = fs::remove_dir_all(folder.join("rust"));
    let solved = Command::new("python3")
        .arg("solve.py")
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(solved.status.success(), "{solved:?}");
}

/// Makes the file that is handed in.
pub(crate) fn submit(folder: &Path) -> Vec<u8> {
    let output = run(folder, &["lab", "submit", "--out", "../handed-in.zip"]);
    assert!(output.status.success(), "{output:?}");
    fs::read(folder.join("../handed-in.zip")).unwrap()
}

/// Writes an archive's files below a folder.
pub(crate) fn unpack(archive: &[u8], folder: &Path) {
    for (name, bytes) in entries(archive) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// The files of an archive.
pub(crate) fn entries(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut entries = BTreeMap::new();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        entries.insert(entry.name().to_owned(), bytes);
    }
    entries
}

/// An archive of these files.
pub(crate) fn archive<'a>(entries: impl IntoIterator<Item = (&'a String, &'a Vec<u8>)>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The result of a student in a lab.
pub(crate) fn result<'a>(grades: &'a Grades, student: &str, lab: &str) -> &'a LabResult {
    let mut students = grades.students().iter();
    let student = students
        .find(|known| known.person.id.as_str() == student)
        .unwrap();
    let result = student.result(lab);
    result.unwrap_or_else(|| panic!("{} has no result in {lab}", student.person.id))
}

/// The sentences that a grader wrote about a submission.
pub(crate) fn remarks(result: &LabResult) -> String {
    let sentences = result.remarks.iter().map(|remark| remark.sentence.as_str());
    sentences.collect::<Vec<_>>().join("\n")
}
