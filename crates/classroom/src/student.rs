//! A student's folder: a copy of `start/`, the handout, personal files, and a small state file.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use rand::Rng;

use super::{
    answers,
    catalogue::{Answer, Choice, Lab, Question},
    commitment::commit,
    instance::Instance,
    language::Language,
    seed::Seed,
    state::{self, State},
};

/// A lab in a student's hands.
pub struct Student {
    /// The lab.
    pub lab: Lab,
    /// Where the student works.
    pub folder: PathBuf,
    /// The stored state.
    pub state: State,
}

impl Student {
    /// Hands out a lab: copies `start/`, runs the personal sessions, writes the questions.
    ///
    /// # Errors
    /// When the folder exists and is not empty, or something cannot be made.
    pub async fn start(
        lab: Lab,
        folder: &Path,
        seed: &Seed,
        language: Option<&str>,
    ) -> anyhow::Result<Self> {
        let taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
        ensure!(
            !taken,
            "{} is not empty: go on there, begin again with `latchstring lab reset {}`, or choose another --dir",
            folder.display(),
            lab.id
        );
        let (mut student, instance) = Self::make(lab, folder, seed).await?;
        student.write_in(language)?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        // First the state: what is interrupted from here on can be reset.
        student.save()?;
        student.lay_out(&instance)?;
        Ok(student)
    }

    /// From now on the files of this language are handed out, or those of the lab's first one.
    fn write_in(&mut self, language: Option<&str>) -> anyhow::Result<()> {
        let language = self.lab.language(language)?;
        self.state.language = language.map(|language| language.id.clone());
        Ok(())
    }

    /// The language of the student's files; `None` when the lab asks for no code.
    ///
    /// # Errors
    /// When the state file names a language that the lab does not have.
    pub fn language(&self) -> anyhow::Result<Option<&Language>> {
        self.lab.language(self.state.language.as_deref())
    }

    async fn make(lab: Lab, folder: &Path, seed: &Seed) -> anyhow::Result<(Self, Instance)> {
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
        let state = State::new(&lab.id, seed, salt, commitments);
        let folder = folder.to_owned();
        Ok((Self { lab, folder, state }, instance))
    }

    /// Opens a folder that was handed out. A damaged or missing state file is repaired from its copy.
    ///
    /// # Errors
    /// When the folder was not handed out, holds another lab, or has lost its state.
    pub fn open(lab: Lab, folder: &Path) -> anyhow::Result<Self> {
        let name = folder.display();
        let state = match state::read(folder) {
            Ok(state) => state,
            Err(why) => {
                let given_out = state::lab_of(folder).is_some();
                ensure!(
                    given_out,
                    "{name} is no lab folder: go to the folder where you have started it, or begin with `latchstring lab start {}`",
                    lab.id
                );
                return Err(why.context(format!(
                    "the progress in {name} is lost: `latchstring lab reset {}` begins again with new captures and keys, and moves your files to a backup",
                    lab.id
                )));
            }
        };
        ensure!(
            state.lab == lab.id,
            "{name} holds the lab {}, not {}: name another folder with --dir",
            state.lab,
            lab.id
        );
        let folder = folder.to_owned();
        Ok(Self { lab, folder, state })
    }

    /// Writes the state file. The progress that another command has made at the same time is kept.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self) -> anyhow::Result<()> {
        state::write(&self.folder, &self.state)
    }

    /// The seed of everything personal.
    ///
    /// # Errors
    /// When the state file is damaged.
    pub fn seed(&self) -> anyhow::Result<Seed> {
        self.state.seed()
    }

    /// The points of everything that has passed so far.
    pub fn points(&self) -> u32 {
        // A prediction earns its points by being made.
        let predicted = self.state.predictions.keys();
        let earned = self.state.passed.iter().chain(predicted).cloned();
        self.lab.points_of(&earned.collect())
    }

    /// Whether this is the answer.
    pub fn is_right(&self, question: &Question, answer: &str) -> bool {
        let given = commit(self.state.salt(), &question.id, question.kind, answer);
        self.state.commitments().get(&question.id) == Some(&given)
    }

    /// A prediction's options in this student's order: the first is `a`.
    ///
    /// # Errors
    /// When the state file is damaged.
    pub fn options<'a>(&self, question: &'a Question) -> anyhow::Result<Vec<(char, &'a Choice)>> {
        Ok(answers::options(question, &self.seed()?))
    }

    /// Puts `start/` back, in this language or the one that it had. All that was there moves to a folder `backup-N` inside;
    /// nothing is lost.
    ///
    /// # Errors
    /// When the lab has no files for the language, or a file cannot be moved or made.
    pub async fn reset(&mut self, language: Option<&str>) -> anyhow::Result<PathBuf> {
        if language.is_some() {
            self.write_in(language)?;
        }
        let instance = Instance::make(&self.lab.scene, &self.seed()?).await?;
        let backup = set_aside(&self.folder, state::is_its_file)?;
        self.save()?;
        self.lay_out(&instance)?;
        Ok(backup)
    }

    /// Begins again in a folder whose state is lost: with new words, keys and captures.
    ///
    /// # Errors
    /// As [`Student::reset`].
    pub async fn begin_again(
        lab: Lab,
        folder: &Path,
        seed: &Seed,
        language: Option<&str>,
    ) -> anyhow::Result<PathBuf> {
        let (mut student, instance) = Self::make(lab, folder, seed).await?;
        student.write_in(language)?;
        let backup = set_aside(folder, |_| false)?;
        student.save()?;
        student.lay_out(&instance)?;
        Ok(backup)
    }

    fn lay_out(&self, instance: &Instance) -> anyhow::Result<()> {
        let language = self.language()?;
        self.lab.lay_out("start", language, &self.folder)?;
        let write = |name: &str, text: &str| {
            let path = self.folder.join(name);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        write("README.md", self.lab.files.text("README.md")?)?;
        instance.write(&self.folder)?;
        write(
            answers::FILE,
            &answers::sheet(&self.lab, instance, &self.seed()?, language)?,
        )
    }

    /// Writes the lab's solution into a folder `solution`, once all hints were taken.
    ///
    /// # Errors
    /// When hints are left, or the folder cannot be written.
    pub fn hand_out_solution(&self) -> anyhow::Result<PathBuf> {
        let left = self.lab.hints.len() - self.state.hints.min(self.lab.hints.len());
        ensure!(
            left == 0,
            "the solution comes after the hints, and {left} of them {} left: `latchstring lab hint` gives the next one",
            if left == 1 { "is" } else { "are" }
        );
        let folder = self.folder.join("solution");
        self.lab.lay_out("solution", self.language()?, &folder)?;
        Ok(folder)
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

    /// Stores a first prediction; returns the one that counts, or the reason why there is none.
    ///
    /// # Errors
    /// When the state file is damaged.
    pub fn predicted(
        &mut self,
        question: &Question,
        written: &str,
    ) -> anyhow::Result<Result<char, String>> {
        let known = self.state.predictions.get(&question.id);
        let options = self.options(question)?;
        let known = known.and_then(|known| known.chars().next());
        let known = known.filter(|known| options.iter().any(|(letter, _)| letter == known));
        if let Some(known) = known {
            return Ok(Ok(known));
        }
        if written.is_empty() {
            return Ok(Err("you have not said what you expect".to_owned()));
        }
        let said = answers::letter(written, &options);
        if let Ok(letter) = said {
            let predictions = &mut self.state.predictions;
            predictions.insert(question.id.clone(), letter.to_string());
        }
        Ok(said)
    }

    /// The meaning of a prediction's option, and the option of the real outcome.
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

/// Moves everything in a student's folder, but for what is kept and older backups, to a new backup.
fn set_aside(folder: &Path, kept: impl Fn(&OsStr) -> bool) -> anyhow::Result<PathBuf> {
    let backup = (1..)
        .map(|n| folder.join(format!("backup-{n}")))
        .find(|path| !path.exists());
    let backup = backup.context("there are too many backups")?;
    fs::create_dir(&backup).with_context(|| format!("cannot make {}", backup.display()))?;
    let listed = || format!("cannot list {}", folder.display());
    for entry in fs::read_dir(folder).with_context(listed)? {
        let name = entry.with_context(listed)?.file_name();
        let backup_itself = name.to_string_lossy().starts_with("backup-");
        if !kept(&name) && !backup_itself {
            let (from, to) = (folder.join(&name), backup.join(&name));
            fs::rename(&from, &to)
                .with_context(|| format!("cannot move {} to {}", from.display(), to.display()))?;
        }
    }
    Ok(backup)
}
