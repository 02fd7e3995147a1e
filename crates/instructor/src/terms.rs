//! The terms of a course: `course.toml`, read strictly.

mod late;
mod slip;
mod template;

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, anyhow, ensure};
use latchstring_classroom::catalogue::Lab;
use latchstring_cli::suggest::nearest;
use latchstring_course::{moment::Moment, points::Points};
use serde::Deserialize;

pub use self::{late::Late, template::template};

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
    /// How students get the program, in words, for the file that they read first.
    pub program: Option<String>,
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

/// A deadline, written as a time with its distance from UTC: the moment, and the text for people.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub struct Due(pub Moment, pub String);

impl TryFrom<toml::Value> for Due {
    type Error = String;

    fn try_from(written: toml::Value) -> Result<Self, String> {
        let text = match written {
            // Between quotes it is clear, too.
            toml::Value::String(text) => text,
            other => other.to_string(),
        };
        let read = Moment::with_its_zone(&text);
        read.map(|(moment, there)| Self(moment, there))
            .map_err(|why| why.to_string())
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
        let text = text.trim_start_matches('\u{feff}');
        let terms: Self = toml::from_str(text)
            .map_err(|error| anyhow!("{name}, {}", slip::explained(text, &error)))?;
        terms
            .check(text, labs)
            .with_context(|| format!("{name} does not fit"))?;
        Ok(terms)
    }

    /// The points of a question or a check in this course.
    pub fn worth(&self, lab: &Lab, item: &str) -> Points {
        let other = self.points.get(&lab.id);
        if let Some(worth) = other.and_then(|items| items.get(item)) {
            return worth.0;
        }
        Points::whole(lab.points_of(&std::iter::once(item.to_owned()).collect()))
    }

    fn check(&self, text: &str, labs: &[Lab]) -> anyhow::Result<()> {
        let at = |heading: &str, key: &str| slip::place_of(text, heading, key);
        ensure!(
            !self.labs.is_empty(),
            "{}: it names no lab; `latchstring lab list` names them",
            at("", "labs")
        );
        for (nth, id) in self.labs.iter().enumerate() {
            ensure!(
                !self.labs[..nth].contains(id),
                "{}: it names {id} twice; take one out",
                at("", "labs")
            );
            let lab = find(labs, id).with_context(|| at("", "labs"))?;
            if let Some(language) = &self.language {
                let has = lab.languages.is_empty() || lab.language(Some(language)).is_ok();
                ensure!(
                    has,
                    "{}: the lab {id} has no files in {language:?}; write \"python\" or \"rust\", or take the line out",
                    at("", "language")
                );
            }
        }
        for id in self.due.keys() {
            self.names(id).with_context(|| at("due", id))?;
        }
        for (id, worth) in &self.points {
            let heading = format!("points.{id}");
            self.names(id).with_context(|| at(&heading, ""))?;
            let lab = find(labs, id)?;
            for item in worth.keys() {
                ensure!(
                    lab.item_ids().any(|known| known == item),
                    "{}: the lab {id} has no such question or check{}; there is: {}",
                    at(&heading, item),
                    nearest(item, lab.item_ids()),
                    lab.item_ids().collect::<Vec<_>>().join(", ")
                );
            }
        }
        ensure!(
            self.late.percent_a_day <= 100,
            "{}",
            slip::misfit(text, "late", "percent-a-day")
        );
        Ok(())
    }

    fn names(&self, id: &str) -> anyhow::Result<()> {
        let known = self.labs.iter().map(String::as_str);
        ensure!(
            self.labs.iter().any(|lab| lab == id),
            "`labs` does not name {id:?}{}",
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

    /// With the base of three lines in front.
    fn refused(more: &str) -> String {
        let base = "course = \"c\"\nterm = \"t\"\nlabs = [\"01-say-the-name\"]\n";
        let error = read(&format!("{base}{more}\n")).unwrap_err();
        let error = format!("{error:#}");
        let (folder, said) = error.split_once("course.toml").unwrap();
        assert!(folder.starts_with('/'), "{error}");
        said.to_owned()
    }

    #[test]
    fn a_slip_is_named_with_its_line_its_key_and_an_example() {
        const DUE: &str = "such as 01-say-the-name = 2026-11-27T18:00:00+01:00";
        for (more, place, says) in [
            (
                "deadline = 2026-13-01",
                "line 4: ",
                "there is no `deadline`; a deadline stands under `[due]`, as in",
            ),
            (
                "[due]\n01-say-the-name = 2026-13-01",
                "line 5, `01-say-the-name`",
                DUE,
            ),
            (
                "[due]\n01-say-the-name = 2026-11-27",
                "line 5, `01-say-the-name`",
                DUE,
            ),
            (
                "[due]\n01-say-the-name = 2026-11-27T18:00:00",
                "line 5",
                "no time zone",
            ),
            (
                "[due]\n01-say-the-name = 27.11.2026 18:00",
                "line 5, `01-say-the-name`",
                DUE,
            ),
            (
                "[due]\n01-say-the-name = \"Friday\"",
                "line 5, `01-say-the-name`",
                "\"Friday\" does not fit",
            ),
            (
                "[due]\n\n01-say-the-name =",
                "line 6, `01-say-the-name`",
                "nothing does not fit",
            ),
            (
                "[late]\npercent-a-day = 150",
                "line 5, `percent-a-day` under `[late]`",
                "150 does not fit; write a whole number from 0 to 100",
            ),
            (
                "[late]\npercent-a-day = \"10%\" # a day",
                "line 5, `percent-a-day`",
                "\"10%\" does not fit",
            ),
            (
                "[late]\npercent-a-day = 10%",
                "line 5, `percent-a-day`",
                "such as percent-a-day = 20",
            ),
            (
                "[late]\npercent-a-day = -1",
                "line 5, `percent-a-day`",
                "-1 does not fit",
            ),
            (
                "[late]\ngrace-minutes = 1.5",
                "line 5, `grace-minutes`",
                "such as grace-minutes = 15",
            ),
            (
                "[late]\npercent = 10",
                "line 5: ",
                "did you mean percent-a-day? Write it as in percent-a-day = 20",
            ),
            ("[late]\nday = 3", "line 5: ", "did you mean days?"),
            (
                "language = rust",
                "line 4, `language`",
                "rust does not fit without quotes; write \"python\" or \"rust\"",
            ),
            (
                "langauge = \"rust\"",
                "line 4: ",
                "did you mean language? Write it as in language = \"rust\"",
            ),
            (
                "[points.01-say-the-name]\nadmitted = -1",
                "line 5, `admitted` under `[points.01-say-the-name]`",
                "at most two decimals",
            ),
            (
                "[points.01-say-the-name]\nadmitted = 1.005",
                "line 5, `admitted`",
                "such as admitted = 2.5",
            ),
            (
                "[dues]\n01-say-the-name = 1",
                "line 4: ",
                "did you mean due?",
            ),
            ("term = \"u\"", "line 4, `term`", "twice"),
            ("what is this", "line 4: ", "# before a comment"),
        ] {
            let said = refused(more);
            assert!(
                said.starts_with(&format!(", {place}")) || said.contains(&format!(": {place}")),
                "{more}: {said}"
            );
            assert!(said.contains(says), "{more}: {said}");
            assert_eq!(said.lines().count(), 1, "{said}");
        }
        let missing = read("term = \"t\"\nlabs = []\n").unwrap_err().to_string();
        assert!(
            missing.contains("`course` is missing: write a line such as course = "),
            "{missing}"
        );
        let bare = read("course = Network security\n").unwrap_err().to_string();
        assert!(
            bare.contains("line 1, `course`: Network security does not fit without quotes"),
            "{bare}"
        );
    }

    #[test]
    fn what_the_labs_do_not_have_is_named_with_its_line() {
        for (more, place, says) in [
            (
                "[due]\n02-say-it-again = 2026-01-01T00:00:00Z",
                "line 5, `02-say-it-again`",
                "`labs` does not name",
            ),
            (
                "[points.01-say-the-name]\nadmited = 1",
                "line 5, `admited`",
                "did you mean admitted",
            ),
            (
                "[points.02-say-it-again]\nx = 1",
                "line 4, `[points.02-say-it-again]`",
                "`labs` does not name",
            ),
            ("language = \"perl\"", "line 4, `language`", "no files in"),
        ] {
            let said = refused(more);
            assert!(
                said.contains(place) && said.contains(says),
                "{more}: {said}"
            );
        }
        let none = read("course = \"c\"\nterm = \"t\"\nlabs = [\"01-say-the-nam\"]").unwrap_err();
        let none = format!("{none:#}");
        assert!(
            none.contains("line 3, `labs`") && none.contains("did you mean 01-say-the-name"),
            "{none}"
        );
    }

    #[test]
    fn a_deadline_is_told_in_the_zone_in_which_it_was_written() {
        let base =
            "course = \"c\"\nterm = \"t\"\nlabs = [\"01-say-the-name\"]\n[due]\n01-say-the-name = ";
        for (written, utc, there) in [
            (
                "2026-11-27T18:00:00+01:00",
                "2026-11-27T17:00:00Z",
                "Fri 2026-11-27 18:00 (UTC+01:00)",
            ),
            (
                "\"2026-11-27 18:00:00-03:30\"",
                "2026-11-27T21:30:00Z",
                "Fri 2026-11-27 18:00 (UTC-03:30)",
            ),
            (
                "2026-11-27T23:59:59Z",
                "2026-11-27T23:59:59Z",
                "Fri 2026-11-27 23:59:59 (UTC)",
            ),
        ] {
            let terms = read(&format!("{base}{written}\n")).unwrap();
            let due = &terms.due["01-say-the-name"];
            assert_eq!((due.0.as_str(), due.1.as_str()), (utc, there));
        }
    }
}
