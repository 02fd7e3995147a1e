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
    commitment::{commit, is_right},
    files,
    hand_out::{self, Asked, HandOut, Owner},
    instance::Instance,
    journal::{self, Deed},
    language::Language,
    seed::Seed,
    stage::Script,
    state::{self, HANDED_OUT, Origin, State},
    unpacked,
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
        let (student, instance) = Self::make(lab, folder, seed, None).await?;
        student.begun(&instance, language)
    }

    /// Hands out a lab of a course. The folder gets what was made from the seed, and not the seed.
    ///
    /// # Errors
    /// As [`Student::start`].
    pub async fn hand_out(
        lab: Lab,
        folder: &Path,
        seed: &Seed,
        owner: Owner,
        language: Option<&str>,
    ) -> anyhow::Result<Self> {
        let (student, instance) = Self::make(lab, folder, seed, Some(owner)).await?;
        let kept = folder.join(HANDED_OUT);
        fs::create_dir_all(&kept).with_context(|| format!("cannot make {}", kept.display()))?;
        instance.write(&kept)?;
        student.begun(&instance, language)
    }

    /// For the grader: a student with the seed of the course, and the instance. The third part is the state as this version of the
    /// program handed it out. Nothing is written.
    ///
    /// # Errors
    /// When the instance cannot be made.
    pub(super) async fn handed_in(
        lab: Lab,
        folder: &Path,
        seed: &Seed,
        owner: Owner,
        by: &str,
    ) -> anyhow::Result<(Self, Instance, State)> {
        let instance = Instance::make(&lab.scene, seed).await?;
        let mut handed_out = Self::state_of(&lab, &instance, seed, Some(owner))?;
        if let Origin::HandOut(hand_out) = &mut handed_out.origin {
            by.clone_into(&mut hand_out.version);
        }
        let state = Self::state_of(&lab, &instance, seed, None)?;
        let folder = folder.to_owned();
        Ok((Self { lab, folder, state }, instance, handed_out))
    }

    fn begun(mut self, instance: &Instance, language: Option<&str>) -> anyhow::Result<Self> {
        self.write_in(language)?;
        let folder = &self.folder;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        // First the state: what is interrupted from here on can be reset.
        self.save()?;
        self.lay_out(&self.asked_in(instance)?, Some(instance))?;
        Ok(self)
    }

    /// Writes into the journal what the student of a course did. In practice there is none.
    pub fn note(&self, did: Deed) {
        if let Some(hand_out) = self.state.hand_out() {
            journal::note(&self.folder, hand_out, did);
        }
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

    async fn make(
        lab: Lab,
        folder: &Path,
        seed: &Seed,
        owner: Option<Owner>,
    ) -> anyhow::Result<(Self, Instance)> {
        let instance = Instance::make(&lab.scene, seed).await?;
        let state = Self::state_of(&lab, &instance, seed, owner)?;
        let folder = folder.to_owned();
        Ok((Self { lab, folder, state }, instance))
    }

    /// The state of somebody who begins: the owner of a hand-out, or somebody who practises.
    fn state_of(
        lab: &Lab,
        instance: &Instance,
        seed: &Seed,
        owner: Option<Owner>,
    ) -> anyhow::Result<State> {
        let salt = format!("{:016x}", seed.stream("salt").next_u64());
        let mut commitments = BTreeMap::new();
        for question in lab
            .questions
            .iter()
            .filter(|question| question.trial.is_none())
        {
            let answer = instance.facts.fill(&question.answer)?;
            if owner.is_none() || hand_out::is_long(question, &answer) {
                commitments.insert(
                    question.id.clone(),
                    commit(&salt, &question.id, question.kind, &answer),
                );
            }
        }
        let origin = match owner {
            None => Origin::Seed(seed.clone()),
            Some(owner) => {
                let hand_out = HandOut::of(owner, lab, &instance.facts, seed)?;
                Origin::HandOut(Box::new(hand_out))
            }
        };
        Ok(State::new(&lab.id, origin, salt, commitments))
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
                ensure!(
                    !folder.join(HANDED_OUT).exists(),
                    "the progress in {name} is lost: unpack your hand-out again into another folder, and copy your files there"
                );
                let given_out = state::lab_of(folder).is_some();
                ensure!(
                    given_out,
                    "{name} is no lab folder: go to the lab's folder, which you have started or unpacked, or begin with `latchstring lab start {}`",
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

    /// The order of this student's options comes from this seed.
    pub fn order(&self) -> Seed {
        match &self.state.origin {
            Origin::Seed(seed) => hand_out::order(seed),
            Origin::HandOut(hand_out) => hand_out.order.clone(),
        }
    }

    /// The questions as this student reads them.
    ///
    /// # Errors
    /// When the instance cannot be made.
    pub async fn asked(&self) -> anyhow::Result<BTreeMap<String, Asked>> {
        match &self.state.origin {
            Origin::HandOut(hand_out) => Ok(hand_out.asked.clone()),
            Origin::Seed(seed) => {
                let instance = Instance::make(&self.lab.scene, seed).await?;
                Asked::all(&self.lab, &instance.facts)
            }
        }
    }

    /// What the student's target and visitor are made from.
    ///
    /// # Errors
    /// When the scene names a fact that is no drawn word.
    pub fn script(&self) -> anyhow::Result<Script> {
        match &self.state.origin {
            Origin::Seed(seed) => Script::of(&self.lab, seed),
            Origin::HandOut(hand_out) => Ok(hand_out.script.clone()),
        }
    }

    /// The points of everything that has passed so far.
    pub fn points(&self) -> u32 {
        // A prediction earns its points by being made.
        let predicted = self.state.predictions.keys();
        let earned = self.state.passed.iter().chain(predicted).cloned();
        self.lab.points_of(&earned.collect())
    }

    /// Whether this is the answer; `None` if a hand-out does not say, because the answer is short.
    pub fn is_right(&self, question: &Question, answer: &str) -> Option<bool> {
        let (salt, kind) = (self.state.salt(), question.kind);
        match self.state.commitments().get(&question.id) {
            None if self.state.hand_out().is_some() => None,
            None => Some(false),
            Some(known) => Some(is_right(known, salt, &question.id, kind, answer)),
        }
    }

    /// A prediction's options in this student's order: the first is `a`.
    pub fn options<'a>(&self, question: &'a Question) -> Vec<(char, &'a Choice)> {
        answers::options(question, &self.order())
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
        let (asked, instance) = match &self.state.origin {
            Origin::HandOut(hand_out) => (hand_out.asked.clone(), None),
            Origin::Seed(seed) => {
                let instance = Instance::make(&self.lab.scene, seed).await?;
                (Asked::all(&self.lab, &instance.facts)?, Some(instance))
            }
        };
        let backup = set_aside(&self.folder, state::is_its_file)?;
        self.save()?;
        self.lay_out(&asked, instance.as_ref())?;
        self.note(Deed::Reset);
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
        ensure!(
            !folder.join(HANDED_OUT).exists(),
            "{} is of a course, and its state is lost: unpack your hand-out again into another folder, and copy your files there",
            folder.display()
        );
        let (student, instance) = Self::make(lab, folder, seed, None).await?;
        let backup = set_aside(folder, |_| false)?;
        student.begun(&instance, language)?;
        Ok(backup)
    }

    fn asked_in(&self, instance: &Instance) -> anyhow::Result<BTreeMap<String, Asked>> {
        Asked::all(&self.lab, &instance.facts)
    }

    /// Writes everything that a student begins with. Personal files come from the instance, or from the hand-out.
    fn lay_out(
        &self,
        asked: &BTreeMap<String, Asked>,
        instance: Option<&Instance>,
    ) -> anyhow::Result<()> {
        let language = self.language()?;
        self.lab.lay_out("start", language, &self.folder)?;
        let write = |name: &str, text: &str| {
            let path = self.folder.join(name);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        let handout = self.lab.files.text("README.md")?;
        match self.state.hand_out() {
            None => write("README.md", handout)?,
            Some(_) => write("README.md", &unpacked::handout(handout, &self.lab.id))?,
        }
        match instance {
            Some(instance) => instance.write(&self.folder)?,
            None => files::copy(&self.folder.join(HANDED_OUT), &self.folder)?,
        }
        write(
            answers::FILE,
            &answers::sheet(&self.lab, asked, &self.order(), language)?,
        )
    }

    /// Writes the lab's solution into a folder `solution`, once all hints were taken.
    ///
    /// # Errors
    /// When hints are left, the lab came without one, or the folder cannot be written.
    pub fn hand_out_solution(&self) -> anyhow::Result<PathBuf> {
        ensure!(
            !self.is_without_solution(),
            "the lab {} is your instructor's own, and the hand-out has no solution of it: ask your instructor",
            self.lab.id
        );
        let left = self.lab.hints.len() - self.state.hints.min(self.lab.hints.len());
        ensure!(
            left == 0,
            "the solution comes after the hints, and {left} of them {} left: `latchstring lab hint` gives the next one",
            if left == 1 { "is" } else { "are" }
        );
        let folder = self.folder.join("solution");
        self.lab.lay_out("solution", self.language()?, &folder)?;
        self.note(Deed::Solution);
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
        self.note(Deed::Hint(self.state.hints));
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
        let options = self.options(question);
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
            let question = question.id.clone();
            self.note(Deed::Predicted { question, letter });
        }
        Ok(said)
    }

    /// The meaning of a prediction's option, and the option of the real outcome.
    ///
    /// `happened` is the outcome when a trial decides; otherwise the run at the start has, and a hand-out does not say.
    pub fn outcome<'a>(
        &self,
        question: &'a Question,
        happened: Option<&str>,
    ) -> Option<(char, &'a Choice)> {
        debug_assert!(question.kind == Answer::Predict);
        let true_one = |choice: &Choice| match (&question.trial, happened) {
            (None, _) => self.is_right(question, &choice.value) == Some(true),
            (Some(_), Some(happened)) => choice.value == happened,
            (Some(_), None) => false,
        };
        let mut options = self.options(question).into_iter();
        options.find(|(_, choice)| true_one(choice))
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
