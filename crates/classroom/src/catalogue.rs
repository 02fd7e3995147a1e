//! The definition of a lab: `labs/NN-name/lab.toml`, read strictly.
//!
//! A lab is found by being there (see [`super::labs`]); adding one touches no other file. Texts in braces, such as
//! `{user.1}`, are filled in from the facts of an instance (see [`super::facts`]).

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail, ensure};
use latchstring_attacker::{Attack, attacks, protocol::hardened::defence::Defence};
use latchstring_cli::suggest::nearest;
use serde::Deserialize;

use super::{files::Files, language::Language, wrong::Wrong};

/// One lab.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Lab {
    /// The name of its folder.
    pub id: String,
    /// A few words.
    pub title: String,
    /// How long a newcomer needs.
    pub minutes: u32,
    /// For whom it is.
    pub level: String,
    /// Labs to do first.
    #[serde(default)]
    pub prerequisites: Vec<String>,
    /// The abilities of a student afterwards.
    pub objectives: Vec<String>,
    /// The kinds of task in it.
    pub kinds: Vec<Kind>,
    /// The attacks that it is about, by their ids.
    #[serde(default)]
    pub attacks: Vec<String>,
    /// The defences that stop them, by their ids.
    #[serde(default)]
    pub defences: Vec<String>,
    /// The languages of its files, the default first; none when no code is asked for.
    #[serde(default, rename = "language")]
    pub languages: Vec<Language>,
    /// What must not pass.
    #[serde(default, rename = "wrong")]
    pub wrong: Vec<Wrong>,
    /// Run in a student's folder after `solution/` was copied over it, this fills in the answers.
    #[serde(default)]
    pub solve: Vec<String>,
    /// The scene that is made for each student, and for each hidden instance.
    pub scene: Scene,
    /// The questions.
    #[serde(default, rename = "question")]
    pub questions: Vec<Question>,
    /// How the student's program is run.
    #[serde(default, rename = "trial")]
    pub trials: Vec<Trial>,
    /// The checks.
    #[serde(default, rename = "check")]
    pub checks: Vec<Check>,
    /// Help, in stages.
    #[serde(default)]
    pub hints: Vec<String>,
    /// All its files.
    #[serde(skip)]
    pub files: Files,
}

/// A kind of task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Says beforehand what will happen.
    Predict,
    /// Works on a capture.
    Read,
    /// Attacks a live target.
    Break,
    /// Changes a peer until it holds.
    Mend,
}

/// The parts that are made for a student: accounts and recordings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scene {
    /// Users of the faithful target, in the order of its list.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// The folder in which the student finds their public keys.
    pub public_keys: Option<String>,
    /// Pools that words are drawn from: `{place}` or `{place.1}` is the first of its pool, `{place.2}` another.
    #[serde(default)]
    pub words: BTreeMap<String, Vec<String>>,
    /// Sessions that are really run and recorded.
    #[serde(default, rename = "session")]
    pub sessions: Vec<Recording>,
}

/// One recorded session.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recording {
    /// The prefix of its facts.
    pub id: String,
    /// The protocol.
    pub protocol: Protocol,
    /// The capture file.
    pub file: String,
    /// The messages that the user types.
    pub messages: Vec<String>,
    /// Set all that the server says to zero: no session key to be seen.
    #[serde(default)]
    pub blank_server: bool,
}

/// Faithful or hardened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// The report's; the first account is who logs in.
    Faithful,
    /// `latch/2`; alice logs in with the lab's published keys.
    Hardened,
}

/// Something to answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Question {
    /// Its key in `answers.toml`, and its heading in `EXPLANATION.md`.
    pub id: String,
    /// How the answer is compared.
    pub kind: Answer,
    /// The question.
    pub text: String,
    /// The right answer.
    pub answer: String,
    /// For a prediction: the options. Each student sees them in another order.
    #[serde(default)]
    pub options: Vec<Choice>,
    /// For a prediction that only the student's program decides: the trial whose facts hold `answer`.
    pub trial: Option<String>,
    /// For a prediction: the check that must have passed before the result is shown.
    pub after: Option<String>,
    /// The points. A prediction earns them by being made, not by being right.
    pub points: u32,
}

/// How an answer is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// A choice, made beforehand.
    Predict,
    /// Decimal digits.
    Number,
    /// Bytes in hex; case, spaces, colons and a leading `0x` do not count.
    Hex,
    /// Characters, less space around them.
    Text,
}

/// One option of a prediction.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The text for the student.
    pub text: String,
    /// The value of `answer` for this outcome.
    pub value: String,
}

/// The way to run the student's program: against a new hidden instance of the scene each time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trial {
    /// Its name.
    pub id: String,
    /// The arguments.
    pub args: Vec<String>,
    /// How often; each time the victim is another account.
    #[serde(default = "twice")]
    pub times: usize,
    /// Where the program sits on the wire of an honest session to the live target. The program prints, in hex, the
    /// bytes that go on in place of a message.
    pub on_the_path: Option<OnThePath>,
    /// The time limit, in seconds.
    #[serde(default = "half_a_minute")]
    pub timeout_seconds: u64,
}

/// A place on the wire of an honest session.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnThePath {
    /// The session of the scene that runs again, with the live target.
    pub session: String,
    /// The number of the message that the program may change; the first is 1.
    pub message: usize,
}

/// How much of a session's messages a program must read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reads {
    /// The session of the scene, in a hidden capture.
    pub session: String,
    /// How many characters of a hundred must be right.
    pub percent: usize,
}

fn twice() -> usize {
    2
}

fn half_a_minute() -> u64 {
    30
}

/// A condition after every run of a trial.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Check {
    /// Its heading in `EXPLANATION.md`.
    pub id: String,
    /// The condition, for the student.
    pub title: String,
    /// The points.
    pub points: u32,
    /// The trial.
    pub trial: String,
    /// Ground truth: the target itself took the program for this user.
    pub logged_in_as: Option<String>,
    /// Ground truth: the target itself decrypted these words, from that user.
    pub heard: Option<String>,
    /// The program must print what the lab's solution prints, no line more and no line less; their order does not count.
    #[serde(default)]
    pub prints_as_solution: bool,
    /// Ground truth: the program must print the messages that the server took in, one a line, as far as this says.
    pub reads: Option<Reads>,
    /// The advice after a failure.
    pub next: String,
}

impl Lab {
    /// Makes a lab of its files. `id` is the name of its folder.
    ///
    /// # Errors
    /// With the line and the column when `lab.toml` is not a lab; with the name when its parts do not fit together.
    pub fn read(id: &str, files: Files) -> anyhow::Result<Self> {
        let mut lab: Self = toml::from_str(files.text("lab.toml")?)?;
        lab.files = files;
        lab.validate(id)?;
        Ok(lab)
    }

    /// The number that its id begins with.
    pub fn number(&self) -> &str {
        self.id.split('-').next().unwrap_or_default()
    }

    /// All the points there are.
    pub fn points(&self) -> u32 {
        let questions = self.questions.iter().map(|question| question.points);
        let checks = self.checks.iter().map(|check| check.points);
        questions.chain(checks).sum()
    }

    /// The points of those of its questions and checks that have passed.
    pub fn points_of(&self, passed: &BTreeSet<String>) -> u32 {
        let questions = self.questions.iter().map(|q| (&q.id, q.points));
        let all = questions.chain(self.checks.iter().map(|c| (&c.id, c.points)));
        all.filter(|(id, _)| passed.contains(*id))
            .map(|(_, points)| points)
            .sum()
    }

    fn validate(&self, folder: &str) -> anyhow::Result<()> {
        ensure!(
            self.id == folder,
            "its id is {:?} and its folder {folder:?}: give both one name",
            self.id
        );
        self.check_subject()?;
        let seen = self.check_ids()?;
        self.check_trials()?;
        for after in self.questions.iter().filter_map(|q| q.after.as_ref()) {
            ensure!(
                seen.contains(after.as_str()),
                "`after = {after:?}` names no question and no check"
            );
        }
        let items: Vec<&str> = self.item_ids().collect();
        let mut wrong = self.wrong.iter();
        wrong.try_for_each(|wrong| wrong.validate(&items))?;
        self.questions.iter().try_for_each(Question::check)
    }

    /// The attacks exist, and each defence stops one of them.
    fn check_subject(&self) -> anyhow::Result<()> {
        let mut about = Vec::new();
        for id in &self.attacks {
            let all = attacks::ALL.iter().map(|attack| attack.id);
            let no_attack = || {
                let hint = nearest(id, all);
                format!(
                    "`attacks` names {id:?}, and there is no such attack{hint}; `latchstring-attack list` names them"
                )
            };
            about.push(attacks::find(id).with_context(no_attack)?);
        }
        for id in &self.defences {
            let all = Defence::ALL.iter().map(|defence| defence.id());
            let no_defence = || {
                let hint = nearest(id, all);
                format!(
                    "`defences` names {id:?}, and there is no such defence{hint}; `latchstring-attack list` names them"
                )
            };
            let defence = Defence::find(id).with_context(no_defence)?;
            let stops = |attack: &&Attack| {
                let mut sets = attack.returns_without.iter();
                sets.any(|set| set.contains(&defence))
            };
            ensure!(
                about.iter().any(stops),
                "`defences` names {id}, which stops no attack of the lab ({}): take it out, or name the attack",
                self.attacks.join(", ")
            );
        }
        Ok(())
    }

    /// All ids of questions and checks: each is there once, and is explained.
    fn check_ids(&self) -> anyhow::Result<BTreeSet<&str>> {
        let explanation = self.explanation()?;
        let mut seen = BTreeSet::new();
        for id in self.item_ids() {
            ensure!(
                seen.insert(id),
                "two of its questions and checks are called {id:?}: rename one"
            );
            ensure!(
                explanation.contains_key(id),
                "EXPLANATION.md has no heading \"## {id}\": write it"
            );
        }
        Ok(seen)
    }

    fn check_trials(&self) -> anyhow::Result<()> {
        for trial in self
            .questions
            .iter()
            .filter_map(|q| q.trial.as_ref())
            .chain(self.checks.iter().map(|c| &c.trial))
        {
            ensure!(
                self.trials.iter().any(|t| t.id == *trial),
                "there is no [[trial]] with the id {trial:?}"
            );
        }
        let sessions = || self.scene.sessions.iter().map(|session| &session.id);
        let on_paths = self
            .trials
            .iter()
            .filter_map(|trial| trial.on_the_path.as_ref());
        let reads = self.checks.iter().filter_map(|check| check.reads.as_ref());
        for session in on_paths
            .map(|path| &path.session)
            .chain(reads.map(|reads| &reads.session))
        {
            ensure!(
                sessions().any(|known| known == session),
                "there is no [[scene.session]] with the id {session:?}"
            );
        }
        for trial in &self.trials {
            ensure!(
                !self.languages.is_empty() && trial.times > 0,
                "the trial {:?} runs nothing: give a [[language]] with the command, and `times` above 0",
                trial.id
            );
        }
        Ok(())
    }

    /// The ids of all questions and checks.
    pub fn item_ids(&self) -> impl Iterator<Item = &str> {
        let questions = self.questions.iter().map(|question| question.id.as_str());
        questions.chain(self.checks.iter().map(|check| check.id.as_str()))
    }

    /// `CASE.md`: a real system that made the same mistake. It is told once everything has passed.
    pub fn case(&self) -> Option<&str> {
        self.files.text("CASE.md").ok()
    }

    /// `EXPLANATION.md`, cut at its second-level headings.
    ///
    /// # Errors
    /// When the lab has none.
    pub fn explanation(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let sections = self.files.text("EXPLANATION.md")?.split("\n## ").skip(1);
        Ok(sections
            .map(|section| {
                let (id, body) = section.split_once('\n').unwrap_or((section, ""));
                (id.trim().to_owned(), body.trim().to_owned())
            })
            .collect())
    }
}

impl Question {
    /// The parts fit the kind.
    fn check(&self) -> anyhow::Result<()> {
        let choices = self.options.len();
        match self.kind {
            Answer::Predict if !(2..=26).contains(&choices) => {
                bail!("{:?} needs two options or more", self.id)
            }
            Answer::Predict => Ok(()),
            _ if choices > 0 => bail!("{:?} has options, and only a prediction has", self.id),
            _ if self.trial.is_some() => {
                bail!("{:?} waits for a trial, and only a prediction can", self.id)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::labs;

    fn broken(toml: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("99-test");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("lab.toml"), toml).unwrap();
        fs::write(folder.join("EXPLANATION.md"), "# x\n\n## there\n\nWhy.\n").unwrap();
        format!("{:#}", labs::in_folder(dir.path()).unwrap_err())
    }

    const HEAD: &str = "id = \"99-test\"\ntitle = \"t\"\nminutes = 1\nlevel = \"l\"\nobjectives = []\nkinds = []\n";

    #[test]
    fn an_unknown_field_is_named_with_file_and_line() {
        let error = broken(&format!("{HEAD}colour = \"red\"\n[scene]\n"));
        assert!(
            error.contains("lab.toml") && error.contains("line 7") && error.contains("colour"),
            "{error}"
        );
    }

    #[test]
    fn attacks_and_defences_that_do_not_exist_or_do_not_fit_are_named() {
        let error = broken(&format!("{HEAD}attacks = [\"impersonat\"]\n[scene]\n"));
        assert!(error.contains("impersonate"), "{error}");
        let about = |defence: &str| {
            broken(&format!(
                "{HEAD}attacks = [\"keystream-reuse\"]\ndefences = [\"{defence}\"]\n[scene]\n"
            ))
        };
        assert!(about("fresh nonce").contains("fresh-nonce"));
        let other = about("host-pin");
        assert!(other.contains("host-pin, which stops no attack"), "{other}");
    }

    #[test]
    fn parts_that_do_not_fit_are_named() {
        let check = "[[check]]\nid = \"there\"\ntitle = \"t\"\npoints = 1\ntrial = \"none\"\nnext = \"n\"\n";
        let error = broken(&format!("{HEAD}[scene]\n{check}"));
        assert!(
            error.contains("lab.toml") && error.contains("no [[trial]] with the id \"none\""),
            "{error}"
        );
        let error = broken(&format!(
            "{HEAD}[scene]\n{}",
            check.replace("there", "unexplained")
        ));
        assert!(error.contains("\"## unexplained\""), "{error}");
        let error = broken(&format!("{}[scene]\n", HEAD.replace("99-test", "98-test")));
        assert!(
            error.contains("98-test") && error.contains("99-test"),
            "{error}"
        );
    }
}
