//! The terms of a course: `course.toml`, read strictly.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, anyhow, ensure};
use latchstring_classroom::catalogue::Lab;
use latchstring_cli::suggest::nearest;
use latchstring_course::{moment::Moment, points::Points};
use serde::Deserialize;

/// Its name in a course's folder.
pub const FILE: &str = "course.toml";

/// What holds for everybody in the course.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Terms {
    /// The name of the course.
    pub course: String,
    /// The term.
    pub term: String,
    /// The labs, by their ids.
    pub labs: Vec<String>,
    /// The language in which every student begins; without it, the first one of each lab.
    pub language: Option<String>,
    /// The deadline of a lab, by its id. A lab without one is never late.
    #[serde(default)]
    pub due: BTreeMap<String, Due>,
    /// What a late submission loses.
    #[serde(default)]
    pub late: Late,
    /// Other points for a question or a check, by lab and id.
    #[serde(default)]
    pub points: BTreeMap<String, BTreeMap<String, Worth>>,
}

/// A deadline, written as a time with its distance from UTC.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::value::Datetime")]
pub struct Due(pub Moment);

impl TryFrom<toml::value::Datetime> for Due {
    type Error = String;

    fn try_from(written: toml::value::Datetime) -> Result<Self, String> {
        let text = written.to_string();
        let read = Moment::in_any_zone(&text).map(Self);
        read.map_err(|why| format!("{why}; such as 2026-11-27T18:00:00+01:00"))
    }
}

/// What a late submission loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Late {
    /// A submission is in time for so long after the deadline.
    pub grace_minutes: u32,
    /// Each day that has begun takes so much of its points, in percent.
    pub percent_a_day: u32,
    /// After so many days nothing counts; without a number, it counts as long as it is worth something.
    pub days: Option<u32>,
}

impl Default for Late {
    /// A quarter of an hour for slow networks; then everything is late, and late takes nothing by itself.
    fn default() -> Self {
        Self {
            grace_minutes: 15,
            percent_a_day: 0,
            days: None,
        }
    }
}

impl Late {
    /// How many percent of the points are left, so many minutes after the deadline.
    pub fn percent_left(&self, minutes: u32) -> u32 {
        if minutes <= self.grace_minutes {
            return 100;
        }
        let days = minutes.div_ceil(24 * 60);
        match self.days {
            Some(most) if days > most => 0,
            _ => 100u32.saturating_sub(days.saturating_mul(self.percent_a_day)),
        }
    }
}

/// The points of a question or a check, with at most two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub struct Worth(pub Points);

impl TryFrom<toml::Value> for Worth {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        let points = Points::read(&value.to_string()).filter(|points| *points <= Points::MOST);
        points.map(Self).ok_or_else(|| {
            format!("{value} is no number of points: write 3 or 2.5, with at most two decimals")
        })
    }
}

impl Terms {
    /// Reads the terms of a course's folder.
    ///
    /// # Errors
    /// When the file is missing, or does not fit the labs that there are. The error names the line.
    pub fn read(folder: &Path, labs: &[Lab]) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let name = path.display();
        let text = fs::read_to_string(&path).with_context(|| {
            format!("cannot read {name}: go to the folder that `latchstring course new` has made, or name it with --course")
        })?;
        let terms: Self =
            toml::from_str(&text).map_err(|error| anyhow!("{name} cannot be read: {error}"))?;
        terms
            .check(labs)
            .with_context(|| format!("{name} does not fit the labs"))?;
        Ok(terms)
    }

    fn check(&self, labs: &[Lab]) -> anyhow::Result<()> {
        ensure!(
            !self.labs.is_empty(),
            "`labs` names no lab: `latchstring lab list` names them"
        );
        for (nth, id) in self.labs.iter().enumerate() {
            ensure!(
                !self.labs[..nth].contains(id),
                "`labs` names {id} twice: take one out"
            );
            let lab = find(labs, id)?;
            if let Some(language) = &self.language {
                let has = lab.languages.is_empty() || lab.language(Some(language)).is_ok();
                ensure!(
                    has,
                    "the lab {id} has no files in {language:?}: take `language` out"
                );
            }
        }
        for id in self.due.keys() {
            self.names("due", id)?;
        }
        for (id, worth) in &self.points {
            self.names("points", id)?;
            let lab = find(labs, id)?;
            for item in worth.keys() {
                ensure!(
                    lab.item_ids().any(|known| known == item),
                    "`points` names {item:?}, and the lab {id} has no such question or check{}",
                    nearest(item, lab.item_ids())
                );
            }
        }
        ensure!(
            self.late.percent_a_day <= 100,
            "`percent-a-day` is more than 100: write 0 to 100"
        );
        Ok(())
    }

    fn names(&self, part: &str, id: &str) -> anyhow::Result<()> {
        let known = self.labs.iter().map(String::as_str);
        ensure!(
            self.labs.iter().any(|lab| lab == id),
            "`{part}` names {id:?}, and `labs` does not{}",
            nearest(id, known)
        );
        Ok(())
    }
}

fn find<'a>(labs: &'a [Lab], id: &str) -> anyhow::Result<&'a Lab> {
    let found = labs.iter().find(|lab| lab.id == id);
    found.with_context(|| {
        let hint = nearest(id, labs.iter().map(|lab| lab.id.as_str()));
        format!("there is no lab {id:?}{hint}; `latchstring lab list` names them")
    })
}

/// A new course's terms, with every lab, and the rest as comments.
pub fn template(course: &str, term: &str, labs: &[Lab]) -> String {
    let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let labs: String = labs
        .iter()
        .map(|lab| format!("    {},\n", text(&lab.id)))
        .collect();
    format!(
        r#"# The terms of the course. `latchstring course` reads this file.
# Answers are derived from the names `course` and `term`: do not change them after the hand-out.
course = {}
term = {}

# The labs, in any order. Take out what your course does not have.
labs = [
{labs}]

# The language in which every student begins: "python" or "rust". Without it, the first language of each lab.
# language = "rust"

# Deadlines, with the distance from UTC. A lab without a deadline is never late.
[due]
# 01-say-the-name = 2026-11-27T18:00:00+01:00

# What a late submission loses. Without days, it counts as long as it is worth something.
[late]
grace-minutes = 15
percent-a-day = 0
# days = 7

# Other points than those of the labs: [points.LAB], and a line for each question or check.
# [points.01-say-the-name]
# admitted = 10
# who-gets-in = 0.5
"#,
        text(course),
        text(term),
    )
}

#[cfg(test)]
mod tests {
    use latchstring_classroom::labs::built_in;

    use super::*;

    fn read(text: &str) -> anyhow::Result<Terms> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), text).unwrap();
        Terms::read(folder.path(), &built_in().unwrap())
    }

    #[test]
    fn the_template_is_read_back_as_it_is_and_with_its_comments_taken_out() {
        let labs = built_in().unwrap();
        let text = template("Net \"security\"", "2026", &labs);
        let terms = read(&text).unwrap();
        assert_eq!(terms.course, "Net \"security\"");
        assert_eq!(terms.labs.len(), labs.len());
        assert_eq!(terms.late, Late::default());
        let rest: String = text
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") || rest.starts_with('[') => rest,
                _ => line,
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let terms = read(&rest.replace("language = \"rust\"\n", "")).unwrap();
        let due = &terms.due["01-say-the-name"].0;
        assert_eq!(due.as_str(), "2026-11-27T17:00:00Z");
        assert_eq!(terms.late.days, Some(7));
        let points = &terms.points["01-say-the-name"];
        assert_eq!(points["who-gets-in"].0, Points::hundredths(50));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let base = "course = \"c\"\nterm = \"t\"\nlabs = [\"01-say-the-name\"]\n";
        for (more, said) in [
            (
                "[due]\n02-say-it-again = 2026-01-01T00:00:00Z",
                "`due` names",
            ),
            ("[due]\n01-say-the-name = 2026-01-01T00:00:00", "time zone"),
            ("[late]\npercent-a-day = 120", "0 to 100"),
            (
                "[points.01-say-the-name]\nadmited = 1",
                "did you mean admitted",
            ),
            (
                "[points.01-say-the-name]\nadmitted = -1",
                "no number of points",
            ),
            ("[points.01-say-the-name]\nadmitted = 1.005", "two decimals"),
            ("langauge = \"rust\"", "unknown field"),
            ("language = \"perl\"", "no files in"),
        ] {
            let error = format!("{:#}", read(&format!("{base}{more}\n")).unwrap_err());
            assert!(error.contains(said), "{more}: {error}");
        }
        let none = read("course = \"c\"\nterm = \"t\"\nlabs = [\"01-say-the-nam\"]").unwrap_err();
        assert!(
            format!("{none:#}").contains("did you mean 01-say-the-name"),
            "{none:#}"
        );
    }

    #[test]
    fn a_day_that_has_begun_is_a_day_and_the_grace_is_free() {
        let late = Late {
            grace_minutes: 15,
            percent_a_day: 30,
            days: Some(3),
        };
        for (minutes, left) in [
            (0, 100),
            (15, 100),
            (16, 70),
            (1440, 70),
            (1441, 40),
            (4320, 10),
            (4321, 0),
        ] {
            assert_eq!(late.percent_left(minutes), left, "{minutes}");
        }
        assert_eq!(Late::default().percent_left(100_000), 100);
    }
}
