//! The labs prove themselves: for students that are made up, every solution passes, and every start and each known-wrong
//! solution fails for its reason.

mod builds;

use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, ensure};
use latchstring_confine::run::Launcher;
use serde::Serialize;
use tempfile::TempDir;

use self::builds::Builds;
use super::{
    answers,
    catalogue::{ANSWERS, Answer, Lab, Trial},
    check::{Report, check_with},
    crew,
    progress::Silent,
    seed::Seed,
    solve::solve,
    student::Student,
    trial::Options,
    wrong::Wrong,
};

/// Labs are tested side by side; most of the time each waits for programs.
const WORKERS: usize = 6;

/// What is tested.
#[derive(Debug, Clone)]
enum Case {
    /// The files that a student begins with, with and without predictions.
    Start { language: Option<String> },
    /// The solution.
    Solution { language: Option<String> },
    /// A known-wrong solution.
    Wrong(Wrong),
}

impl fmt::Display for Case {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, language) = match self {
            Self::Start { language } => ("start fails", language),
            Self::Solution { language } => ("solution passes", language),
            Self::Wrong(wrong) => return write!(out, "{} fails {}", wrong.id, wrong.fails),
        };
        match language {
            Some(language) => write!(out, "{what} ({language})"),
            None => write!(out, "{what}"),
        }
    }
}

/// What a test has shown, for all students.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Which lab.
    pub lab: String,
    /// What had to be so.
    pub what: String,
    /// For how many students it was tried.
    pub students: usize,
    /// For each student for whom it was not so: what was found.
    pub failures: Vec<String>,
}

/// How the labs are tested.
pub struct Plan<'a> {
    /// These labs.
    pub labs: &'a [Lab],
    /// For so many students.
    pub students: usize,
    /// From whose number everything personal comes.
    pub seed: u64,
    /// Starts programs within limits.
    pub launcher: &'a Launcher,
    /// Hears what was tried, and how many of how many.
    pub progress: &'a (dyn Fn(&str, usize, usize) + Sync),
}

impl Plan<'_> {
    /// Tries every case of every lab with every student.
    ///
    /// # Errors
    /// When no worker can be started; a lab that fails is no error but a finding.
    pub fn run(&self) -> anyhow::Result<Vec<Line>> {
        let cases: Vec<(&Lab, Case)> = self.labs.iter().flat_map(cases).collect();
        let students = |(lab, case): &(&Lab, Case)| match is_personal(lab, case) {
            true => self.students,
            false => 1,
        };
        let runs: Vec<(usize, usize)> = (cases.iter().enumerate())
            .flat_map(|(at, case)| (0..students(case)).map(move |student| (at, student)))
            .collect();
        let lines = cases.iter().map(|case| Line {
            lab: case.0.id.clone(),
            what: case.1.to_string(),
            students: students(case),
            failures: Vec::new(),
        });
        let mut lines: Vec<Line> = lines.collect();
        let builds = Builds::default();
        let done = AtomicUsize::new(0);
        let tried = crew::each(&runs, WORKERS, |runtime, (case, student)| {
            let (lab, what) = &cases[*case];
            let tried = runtime.block_on(self.try_one(lab, what, *student, &builds));
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            (self.progress)(&format!("{}: {what}", lab.id), done, runs.len());
            Ok(tried.err())
        })?;
        for ((case, student), failure) in runs.iter().zip(tried) {
            let failure = failure.map(|why| format!("student {}: {why:#}", student + 1));
            lines[*case].failures.extend(failure);
        }
        Ok(lines)
    }

    async fn try_one(
        &self,
        lab: &Lab,
        case: &Case,
        student: usize,
        builds: &Builds,
    ) -> anyhow::Result<()> {
        let seed = Seed::chosen(self.seed).child(&format!("student {student}"));
        let language = match case {
            Case::Start { language } | Case::Solution { language } => language.as_deref(),
            Case::Wrong(_) => None,
        };
        let mut desk = Desk::new(lab, &seed, language, self.launcher).await?;
        desk.peers = student == 0;
        if let Case::Solution { .. } = case {
            solve(&desk.student, self.launcher).await?;
        }
        if !matches!(case, Case::Wrong(_)) {
            let case = case.to_string();
            let (student, peers) = (&desk.student, desk.peers);
            builds.build(&case, student, peers, self.launcher).await?;
        }
        match case {
            Case::Start { .. } => desk.start_fails().await,
            Case::Solution { .. } => desk.solution_passes().await,
            Case::Wrong(wrong) => desk.wrong_fails(wrong).await,
        }
    }
}

/// Whether a case differs from student to student. A peer of the ladder is graded with the same keys for everybody, so one
/// student is enough where nothing else is run.
fn is_personal(lab: &Lab, case: &Case) -> bool {
    let decides = |trial: &&Trial| match case {
        Case::Wrong(wrong) => {
            let mut checks = lab.checks.iter();
            checks.any(|check| check.id == wrong.fails && check.trial == trial.id)
        }
        _ => true,
    };
    let mut trials = lab.trials.iter().filter(decides).peekable();
    trials.peek().is_none() || trials.any(|trial| trial.mend.is_none())
}

fn cases(lab: &Lab) -> Vec<(&Lab, Case)> {
    let languages: Vec<Option<String>> = match lab.languages.is_empty() {
        true => vec![None],
        false => lab
            .languages
            .iter()
            .map(|one| Some(one.id.clone()))
            .collect(),
    };
    let both = languages.into_iter().flat_map(|language| {
        let start = Case::Start {
            language: language.clone(),
        };
        [start, Case::Solution { language }]
    });
    let wrong = lab.wrong.iter().cloned().map(Case::Wrong);
    both.chain(wrong).map(|case| (lab, case)).collect()
}

/// A made-up student with a lab.
struct Desk<'a> {
    student: Student,
    seed: Seed,
    launcher: &'a Launcher,
    /// Whether peers of the ladder are graded, too. They do not differ from student to student.
    peers: bool,
    _folder: TempDir,
}

impl<'a> Desk<'a> {
    async fn new(
        lab: &Lab,
        seed: &Seed,
        language: Option<&str>,
        launcher: &'a Launcher,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let work = folder.path().join("work");
        let student = Student::start(lab.clone(), &work, seed, language).await?;
        Ok(Self {
            student,
            seed: seed.child("check"),
            launcher,
            peers: true,
            _folder: folder,
        })
    }

    async fn check(&mut self) -> anyhow::Result<Report> {
        let options = Options {
            seed: &self.seed,
            counts: true,
            steps: &Silent,
            launcher: self.launcher,
            only: None,
            peers: self.peers,
            lacking: None,
        };
        check_with(&mut self.student, &options).await
    }

    /// What the check says of one item; only the part of this item is checked.
    async fn check_part(&mut self, item: &str) -> anyhow::Result<Report> {
        let lab = self.student.lab.clone();
        let check = lab.checks.iter().find(|check| check.id == item);
        let options = Options {
            seed: &self.seed,
            counts: true,
            steps: &Silent,
            launcher: self.launcher,
            only: Some(check.map_or(ANSWERS, |check| &check.trial)),
            peers: true,
            lacking: None,
        };
        check_with(&mut self.student, &options).await
    }

    /// Nothing passes before the student does anything; with the predictions made, nothing but these.
    async fn start_fails(&mut self) -> anyhow::Result<()> {
        let report = self.check().await?;
        let passed = report.items.iter().find(|item| item.passed);
        ensure!(passed.is_none(), "it passes: {passed:?}");
        for question in self.student.lab.questions.clone() {
            if question.kind == Answer::Predict {
                let said = self.student.predicted(&question, "a")?;
                ensure!(said.is_ok(), "{} has no option a", question.id);
            }
        }
        let report = self.check().await?;
        for item in &report.items {
            ensure!(
                item.passed == (item.kind == "predict"),
                "with predictions only: {item:?}"
            );
            ensure!(
                item.passed || item.next.is_some(),
                "{} does not say what to do",
                item.id
            );
        }
        let told = self.student.explanations()?;
        ensure!(told.is_empty(), "it explains what has not passed");
        Ok(())
    }

    async fn solution_passes(&mut self) -> anyhow::Result<()> {
        let report = self.check().await?;
        let failed = report.items.iter().find(|item| !item.passed);
        ensure!(failed.is_none(), "it fails: {failed:?}");
        let told = self.student.explanations()?.len();
        ensure!(
            told == report.items.len(),
            "{told} of {} explanations are told",
            report.items.len()
        );
        Ok(())
    }

    async fn wrong_fails(&mut self, wrong: &Wrong) -> anyhow::Result<()> {
        solve(&self.student, self.launcher).await?;
        let folder = &self.student.folder;
        let files = &self.student.lab.files;
        files.lay_out(&format!("wrong/{}", wrong.id), &[], folder)?;
        let path = folder.join(answers::FILE);
        let mut sheet = std::fs::read_to_string(&path)?;
        for (question, answer) in &wrong.answers {
            sheet = answers::filled_in(&sheet, question, answer)?;
        }
        std::fs::write(&path, sheet)?;
        let report = self.check_part(&wrong.fails).await?;
        let item = report.items.iter().find(|item| item.id == wrong.fails);
        let item = item.context("the check does not report it")?;
        ensure!(!item.passed, "it passes");
        let said = format!(
            "{}\n{}",
            item.found,
            item.next.as_deref().unwrap_or_default()
        );
        ensure!(
            said.contains(&wrong.says),
            "it fails for another reason than {:?}: {said}",
            wrong.says
        );
        Ok(())
    }
}
