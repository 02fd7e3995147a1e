//! One submission: the student's files run against hidden instances, and every question and check gets its points.

use anyhow::Context;
use latchstring_classroom::{
    answers::Answers,
    catalogue::Lab,
    check::{self, Report, check_with},
    progress::Silent,
    replay::{Finding, Kind, Replay},
    trial::Options,
};
use latchstring_course::{
    grades::{Item, LabResult, Remark, RemarkKind},
    points::Points,
    roster::Id,
};

use super::{Machine, Plan, Taken};

/// What came of one submission.
pub(super) struct Outcome {
    /// The result.
    pub(super) result: LabResult,
    /// Whether the machine may be to blame for what failed.
    pub(super) doubtful: bool,
}

impl Outcome {
    /// More is better: points, what passed, and what was tried.
    pub(super) fn verdicts(&self) -> (Points, usize, usize) {
        let items = self.result.items.iter();
        let passed = items.clone().filter(|item| item.passed).count();
        (
            self.result.points(),
            passed,
            items.filter(|item| !item.not_graded).count(),
        )
    }
}

/// Why a submission was not checked.
enum Failed {
    /// The student's answer sheet cannot be read.
    Sheet(anyhow::Error),
    /// The grader could not do its work. Nobody loses points for that.
    Grader(anyhow::Error),
}

impl From<anyhow::Error> for Failed {
    fn from(why: anyhow::Error) -> Self {
        Self::Grader(why)
    }
}

impl Plan<'_> {
    /// Grades one submission.
    ///
    /// # Errors
    /// When the instance cannot be made.
    pub(super) async fn one(
        &self,
        key: &(Id, String),
        taken: &Taken,
        machine: &Machine,
    ) -> anyhow::Result<Outcome> {
        let (student, lab) = key;
        let lab = self.labs.iter().find(|known| known.id == *lab);
        let lab = lab.context("a lab is not in the course")?;
        let mut result = LabResult {
            lab: lab.id.clone(),
            submitted: Some(taken.submitted.clone()),
            late_minutes: 0,
            hints: 0,
            minutes: None,
            items: Vec::new(),
            remarks: taken.remarks.clone(),
        };
        let done = self.graded(student, lab, taken, machine, &mut result).await;
        let mut doubtful = match done {
            Ok(doubtful) => doubtful,
            // What one student's files do is no reason to leave the class without grades.
            Err(Failed::Sheet(why)) => {
                result.items = self.nothing(lab, "it could not be checked", false);
                result.remarks.push(Remark {
                    kind: RemarkKind::Unreadable,
                    sentence: format!("it could not be checked: {why:#}"),
                });
                false
            }
            Err(Failed::Grader(why)) => {
                result.items = self.nothing(lab, &format!("the grader failed: {why:#}"), true);
                true
            }
        };
        // What is missing now is missing the second time.
        doubtful |= !result.is_complete() && !machine.fails(key);
        Ok(Outcome { result, doubtful })
    }

    /// Gives whether the machine may be to blame for what failed: a time was up, or it passed on the student's machine.
    async fn graded(
        &self,
        student: &Id,
        lab: &Lab,
        taken: &Taken,
        machine: &Machine,
        result: &mut LabResult,
    ) -> Result<bool, Failed> {
        let bundle = &taken.bundle;
        let owner = self.course.owner(student);
        let seed = self.course.key.seed(&owner, &lab.id);
        let folder = tempfile::tempdir().context("cannot make a folder")?;
        let work = folder.path().join("work");
        std::fs::create_dir(&work).context("cannot make a folder")?;
        let mut replay = Replay::of(lab.clone(), bundle, owner.clone(), &seed, &work).await?;
        Answers::read(&work, lab).map_err(Failed::Sheet)?;
        let mut findings = replay.findings(bundle);
        let options = Options {
            seed: &self.course.key.hidden(&owner, &lab.id),
            counts: true,
            steps: &Silent,
            launcher: self.launcher,
            only: None,
            peers: true,
            lacking: Some(&machine.lacking),
        };
        let report = check_with(&mut replay.student, &options).await?;
        let claims = replay.claims(bundle, &report);
        let failed = |item: &check::Item| !item.passed && !item.not_graded;
        let late = report.out_of_time && report.items.iter().any(failed);
        let doubtful = late || !claims.is_empty();
        findings.extend(claims);
        result.hints = bundle.manifest.hints.try_into().unwrap_or(u32::MAX);
        result.minutes = Some(replay.journal.minutes());
        result.remarks.extend(findings.iter().map(remark));
        result.remarks.extend(limits(&report));
        let left = self.on_time(lab, result);
        result.items = report
            .items
            .iter()
            .map(|item| self.item(lab, item))
            .collect();
        take_for_lateness(&mut result.items, left);
        Ok(doubtful)
    }

    /// How many percent of the points are left, and a remark if it is not all of them.
    fn on_time(&self, lab: &Lab, result: &mut LabResult) -> u32 {
        let terms = &self.course.terms;
        let (Some(due), Some(submitted)) = (terms.due.get(&lab.id), &result.submitted) else {
            return 100;
        };
        result.late_minutes = submitted.minutes_after(&due.0);
        let left = terms.late.percent_left(result.late_minutes);
        if result.late_minutes > terms.late.grace_minutes {
            result.remarks.push(Remark {
                kind: RemarkKind::Late,
                sentence: terms.late.sentence(result.late_minutes),
            });
        }
        left
    }

    /// A question or a check, with its points as if it came in time.
    fn item(&self, lab: &Lab, item: &check::Item) -> Item {
        let of = self.worth(lab, &item.id);
        let earned = match item.passed {
            true => of,
            false => Points::default(),
        };
        let next = item.next.as_ref();
        Item {
            id: item.id.clone(),
            title: item.title.clone(),
            points: earned,
            of,
            passed: item.passed,
            not_graded: item.not_graded,
            message: match next {
                Some(next) if !item.not_graded => format!("{}\nnext: {next}", item.found),
                _ => item.found.clone(),
            },
        }
    }

    /// All items of a lab, without a point.
    fn nothing(&self, lab: &Lab, message: &str, not_graded: bool) -> Vec<Item> {
        let titles = lab
            .checks
            .iter()
            .map(|check| (&check.id, check.title.clone()));
        let questions = lab.questions.iter();
        let questions = questions.map(|question| (&question.id, question.id.replace('-', " ")));
        questions
            .chain(titles)
            .map(|(id, title)| Item {
                id: id.clone(),
                title,
                points: Points::default(),
                of: self.worth(lab, id),
                passed: false,
                not_graded,
                message: message.to_owned(),
            })
            .collect()
    }
}

/// So many percent of the points of these items are left.
fn take_for_lateness(items: &mut [Item], percent: u32) {
    let earned: Vec<Points> = items.iter().map(|item| item.points).collect();
    let shares = Points::shares(&earned, percent);
    for (item, share) in items.iter_mut().zip(shares) {
        item.points = share;
    }
}

fn remark(finding: &Finding) -> Remark {
    Remark {
        kind: match finding.kind() {
            Kind::Version => RemarkKind::Version,
            Kind::Missing => RemarkKind::Missing,
            Kind::Altered => RemarkKind::Altered,
            Kind::Note => RemarkKind::Other,
        },
        sentence: finding.to_string(),
    }
}

/// Which limits the student's programs did not have.
fn limits(report: &Report) -> Vec<Remark> {
    let missing = report.limits.iter().flat_map(|limits| limits.missing());
    missing
        .map(|sentence| Remark {
            kind: RemarkKind::Limits,
            sentence: sentence.to_owned(),
        })
        .collect()
}
