//! A student's folder: a copy of `start/`, the handout, personal files, and a small state file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use rand::{Rng, seq::SliceRandom};
use serde::{Deserialize, Serialize};

use super::{
    answers,
    catalogue::{Answer, Choice, Lab, Question},
    instance::Instance,
    seal::commit,
    seed::Seed,
};

/// The state file. It holds a seed and hashes, and no answer.
const STATE: &str = ".latchstring.json";

/// What is remembered between two commands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Which lab.
    pub lab: String,
    seed: String,
    salt: String,
    commitments: BTreeMap<String, String>,
    /// The first prediction counts, whatever `answers.toml` says later.
    pub predictions: BTreeMap<String, String>,
    /// How many hints were taken.
    pub hints: usize,
    /// What has passed at least once.
    pub passed: BTreeSet<String>,
}

/// A lab in a student's hands.
pub struct Student {
    /// The lab.
    pub lab: Lab,
    /// Where the student works.
    pub folder: PathBuf,
    /// What is remembered.
    pub state: State,
}

/// The id of the lab that a folder holds, if it holds one.
pub fn lab_of(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join(STATE)).ok()?;
    serde_json::from_str::<State>(&text)
        .ok()
        .map(|state| state.lab)
}

impl Student {
    /// Hands out a lab: copies `start/`, runs the personal sessions, writes the questions.
    ///
    /// # Errors
    /// When the folder exists and is not empty, or something cannot be made.
    pub async fn start(lab: Lab, folder: &Path, seed: &Seed) -> anyhow::Result<Self> {
        let taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
        ensure!(
            !taken,
            "{} is not empty: go on there, begin again with `latchstring lab reset {}`, or choose another --dir",
            folder.display(),
            lab.id
        );
        let instance = Instance::make(&lab.scene, seed).await?;
        let salt = format!("{:016x}", seed.stream("salt").next_u64());
        let mut commitments = BTreeMap::new();
        for question in lab
            .questions
            .iter()
            .filter(|question| question.trial.is_none())
        {
            let answer = instance.facts.fill(&question.answer)?;
            commitments.insert(
                question.id.clone(),
                commit(&salt, &question.id, question.kind, &answer),
            );
        }
        let state = State {
            lab: lab.id.clone(),
            seed: seed.to_hex(),
            salt,
            commitments,
            predictions: BTreeMap::new(),
            hints: 0,
            passed: BTreeSet::new(),
        };
        let folder = folder.to_owned();
        let student = Self { lab, folder, state };
        student.lay_out(&instance)?;
        student.save()?;
        Ok(student)
    }

    /// Opens a folder that was handed out.
    ///
    /// # Errors
    /// When it was not.
    pub fn open(lab: Lab, folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(STATE);
        let text = fs::read_to_string(&path);
        let text = text.with_context(|| {
            format!(
                "{} is no lab folder: begin with `latchstring lab start {}`",
                folder.display(),
                lab.id
            )
        })?;
        let state: State = serde_json::from_str(&text).with_context(|| {
            format!(
                "{} is damaged: begin in another folder with --dir",
                path.display()
            )
        })?;
        ensure!(
            state.lab == lab.id,
            "{} holds the lab {}, not {}",
            folder.display(),
            state.lab,
            lab.id
        );
        let folder = folder.to_owned();
        Ok(Self { lab, folder, state })
    }

    /// Writes the state file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self) -> anyhow::Result<()> {
        let path = self.folder.join(STATE);
        let text = serde_json::to_string_pretty(&self.state)? + "\n";
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// What everything personal comes from.
    ///
    /// # Errors
    /// When the state file is damaged.
    pub fn seed(&self) -> anyhow::Result<Seed> {
        Seed::from_hex(&self.state.seed).context("the seed in the state file is damaged")
    }

    /// Whether this is the answer.
    pub fn is_right(&self, question: &Question, answer: &str) -> bool {
        let given = commit(&self.state.salt, &question.id, question.kind, answer);
        self.state.commitments.get(&question.id) == Some(&given)
    }

    /// A prediction's options in this student's order: the first is `a`.
    ///
    /// # Errors
    /// When the state file is damaged.
    pub fn options<'a>(&self, question: &'a Question) -> anyhow::Result<Vec<(char, &'a Choice)>> {
        let mut options: Vec<&Choice> = question.options.iter().collect();
        options.shuffle(&mut self.seed()?.stream(&format!("options {}", question.id)));
        Ok(('a'..='z').zip(options).collect())
    }

    /// Puts `start/` back. All that was there moves to a folder `backup-N` beside it; nothing is lost.
    ///
    /// # Errors
    /// When a file cannot be moved or made.
    pub async fn reset(&mut self) -> anyhow::Result<PathBuf> {
        let instance = Instance::make(&self.lab.scene, &self.seed()?).await?;
        let backup = (1..)
            .map(|n| self.folder.join(format!("backup-{n}")))
            .find(|path| !path.exists());
        let backup = backup.context("there are too many backups")?;
        fs::create_dir(&backup).with_context(|| format!("cannot make {}", backup.display()))?;
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let kept = name == STATE || name.to_string_lossy().starts_with("backup-");
            if !kept {
                let (from, to) = (self.folder.join(&name), backup.join(&name));
                fs::rename(&from, &to).with_context(|| {
                    format!("cannot move {} to {}", from.display(), to.display())
                })?;
            }
        }
        self.lay_out(&instance)?;
        Ok(backup)
    }

    fn lay_out(&self, instance: &Instance) -> anyhow::Result<()> {
        copy_folder(&self.lab.folder.join("start"), &self.folder)?;
        let handout = self.lab.folder.join("README.md");
        fs::copy(&handout, self.folder.join("README.md"))
            .with_context(|| format!("cannot copy {}", handout.display()))?;
        instance.write(&self.folder)?;
        let questions = answers::sheet(self, instance)?;
        fs::write(self.folder.join(answers::FILE), questions)
            .context("cannot write the answer sheet")
    }

    /// The next hint, and how many there are; `None` when all are taken.
    ///
    /// # Errors
    /// When the count cannot be written down.
    pub fn take_hint(&mut self) -> anyhow::Result<Option<&str>> {
        if self.state.hints >= self.lab.hints.len() {
            return Ok(None);
        }
        self.state.hints += 1;
        self.save()?;
        Ok(Some(&self.lab.hints[self.state.hints - 1]))
    }

    /// Explanations of what has passed, with their ids. All others stay hidden.
    ///
    /// # Errors
    /// When the lab's explanations cannot be read.
    pub fn explanations(&self) -> anyhow::Result<Vec<(&str, String)>> {
        let mut all = self.lab.explanation()?;
        let passed = self
            .lab
            .item_ids()
            .filter(|id| self.state.passed.contains(*id));
        Ok(passed
            .filter_map(|id| Some((id, all.remove(id)?)))
            .collect())
    }

    /// Remembers a first prediction; returns the one that counts.
    pub fn predicted(&mut self, question: &Question, letter: &str) -> Option<String> {
        let known = self.state.predictions.get(&question.id).cloned();
        let valid = self
            .options(question)
            .is_ok_and(|options| options.iter().any(|(c, _)| letter == c.to_string()));
        known.or_else(|| {
            valid.then(|| {
                self.state
                    .predictions
                    .insert(question.id.clone(), letter.to_owned());
                letter.to_owned()
            })
        })
    }

    /// What a prediction's option means, and which option is what happened.
    ///
    /// `happened` is the outcome when a trial decides; otherwise the run at the start has.
    ///
    /// # Errors
    /// When the state file is damaged.
    pub fn outcome<'a>(
        &self,
        question: &'a Question,
        happened: Option<&str>,
    ) -> anyhow::Result<Option<(char, &'a Choice)>> {
        debug_assert!(question.kind == Answer::Predict);
        let true_one = |choice: &Choice| match (&question.trial, happened) {
            (None, _) => self.is_right(question, &choice.value),
            (Some(_), Some(happened)) => choice.value == happened,
            (Some(_), None) => false,
        };
        Ok(self
            .options(question)?
            .into_iter()
            .find(|(_, choice)| true_one(choice)))
    }
}

/// Copies a folder with all that is in it.
///
/// # Errors
/// When a file cannot be copied.
pub fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let entries = match fs::read_dir(from) {
        Ok(entries) => entries,
        // A lab that begins with nothing has no start/.
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(why) => bail!("cannot list {}: {why}", from.display()),
    };
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)
                .with_context(|| format!("cannot write {}", target.display()))?;
        }
    }
    Ok(())
}
