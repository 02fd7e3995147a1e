//! One submission: the student's files run against hidden instances, and every question and check gets its points.

use anyhow::Context;
use latchstring_classroom::{
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

use super::{Plan, Taken};

impl Plan<'_> {
    /// Grades one submission.
    ///
    /// # Errors
    /// When the instance cannot be made.
    pub(super) async fn one(
        &self,
        student: &Id,
        lab: &str,
        taken: &Taken,
    ) -> anyhow::Result<LabResult> {
        let lab = self.labs.iter().find(|known| known.id == lab);
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
        let graded = self.graded(student, lab, taken, &mut result).await;
        if let Err(why) = graded {
            // What one student's files do is no reason to leave the class without grades.
            result.items = nothing(self, lab, "not graded");
            result.remarks.push(Remark {
                kind: RemarkKind::Unreadable,
                sentence: format!("it could not be checked: {why:#}"),
            });
        }
        Ok(result)
    }

    async fn graded(
        &self,
        student: &Id,
        lab: &Lab,
        taken: &Taken,
        result: &mut LabResult,
    ) -> anyhow::Result<()> {
        let bundle = &taken.bundle;
        let owner = self.course.owner(student);
        let seed = self.course.key.seed(&owner, &lab.id);
        let folder = tempfile::tempdir()?;
        let work = folder.path().join("work");
        std::fs::create_dir(&work)?;
        let mut replay = Replay::of(lab.clone(), bundle, owner.clone(), &seed, &work).await?;
        let mut findings = replay.findings(bundle);
        let options = Options {
            seed: &self.course.key.hidden(&owner, &lab.id),
            counts: true,
            steps: &Silent,
            launcher: self.launcher,
            only: None,
            peers: true,
        };
        let report = check_with(&mut replay.student, &options).await?;
        findings.extend(replay.claims(bundle, &report));
        result.hints = bundle.manifest.hints.try_into().unwrap_or(u32::MAX);
        result.minutes = Some(replay.journal.minutes());
        result.remarks.extend(findings.iter().map(remark));
        result.remarks.extend(limits(&report));
        let left = self.on_time(lab, result);
        result.items = report
            .items
            .iter()
            .map(|item| self.item(lab, item, left))
            .collect();
        Ok(())
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
                sentence: format!(
                    "it came {} after the deadline: {left} % of the points count",
                    duration(result.late_minutes)
                ),
            });
        }
        left
    }

    fn item(&self, lab: &Lab, item: &check::Item, left: u32) -> Item {
        let of = self.worth(lab, &item.id);
        let earned = match item.passed {
            true => Points::hundredths(
                of.as_hundredths() / 100 * left + of.as_hundredths() % 100 * left / 100,
            ),
            false => Points::default(),
        };
        let next = item.next.as_ref();
        Item {
            id: item.id.clone(),
            title: item.title.clone(),
            points: earned,
            of,
            passed: item.passed,
            message: match next {
                Some(next) => format!("{}\nnext: {next}", item.found),
                None => item.found.clone(),
            },
        }
    }
}

/// All items of a lab, without a point.
fn nothing(plan: &Plan<'_>, lab: &Lab, message: &str) -> Vec<Item> {
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
            of: plan.worth(lab, id),
            passed: false,
            message: message.to_owned(),
        })
        .collect()
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

/// `35 min`, `3 h 5 min`, `2 d 4 h`.
fn duration(minutes: u32) -> String {
    let (hours, days) = (minutes / 60, minutes / (24 * 60));
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, hours) => format!("{hours} h {} min", minutes % 60),
        (days, hours) => format!("{days} d {} h", hours % 24),
    }
}
