//! Whether the parts of a definition fit together.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use latchstring_attacker::{Attack, attacks, protocol::hardened::defence::Defence};
use latchstring_cli::suggest::nearest;
use latchstring_ladder::Rung;

use super::{ANSWERS, Check, Lab, Question, TargetKind, Trial};

impl Lab {
    pub(super) fn validate(&self, folder: &str) -> anyhow::Result<()> {
        ensure!(
            self.id == folder,
            "its id is {:?} and its folder {folder:?}: give both one name",
            self.id
        );
        self.check_subject()?;
        let seen = self.check_ids()?;
        self.check_trials()?;
        self.check_peers()?;
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
        for session in &self.scene.sessions {
            session.left_out()?;
        }
        self.scene.validate()?;
        self.checks.iter().try_for_each(Check::validate)?;
        let sessions = || self.scene.sessions.iter().map(|session| &session.id);
        let on_paths = self
            .trials
            .iter()
            .filter_map(|trial| trial.on_the_path.as_ref());
        let reads = self.checks.iter().filter_map(|check| check.reads.as_ref());
        let as_servers = (self.trials.iter()).filter_map(|trial| trial.as_server.as_ref());
        for session in on_paths
            .map(|path| &path.session)
            .chain(as_servers.map(|place| &place.session))
            .chain(reads.map(|reads| &reads.session))
        {
            ensure!(
                sessions().any(|known| known == session),
                "there is no [[scene.session]] with the id {session:?}"
            );
        }
        for check in &self.checks {
            let of_a_user = !check.heard_exactly.is_empty() || check.session_ends.is_some();
            ensure!(
                !of_a_user || check.logged_in_as.is_some(),
                "the check {:?} looks at a user's session: name the user with `logged-in-as`",
                check.id
            );
            let mut jams = self.trials.iter().filter(|trial| trial.jam.is_some());
            ensure!(
                !check.jams || jams.any(|trial| trial.id == check.trial),
                "the check {:?} asks for `jams`, and its trial keeps nothing busy: give the trial `jam`",
                check.id
            );
            let mut trials = self.trials.iter().filter(|trial| trial.as_server.is_some());
            ensure!(
                !check.unnoticed || trials.any(|trial| trial.id == check.trial),
                "the check {:?} asks for `unnoticed`, and its trial has no client: give the trial `as-server`",
                check.id
            );
        }
        for trial in &self.trials {
            ensure!(
                !matches!(trial.target, TargetKind::Oracle) || self.scene.envelope.is_some(),
                "the trial {:?} has an oracle for its target, and the scene no envelope: give the scene `envelope`",
                trial.id
            );
            trial.role()?;
            ensure!(
                !self.languages.is_empty() && trial.times > 0,
                "the trial {:?} runs nothing: give a [[language]] with the command, and `times` above 0",
                trial.id
            );
            ensure!(
                trial.id != ANSWERS,
                "a trial is called {ANSWERS:?}, which is the name of another part: rename it"
            );
            self.check_command(trial)?;
            self.check_mend(trial)?;
        }
        Ok(())
    }

    /// A trial with commands of its own has one for the language that is handed out when nobody asks for another.
    fn check_command(&self, trial: &Trial) -> anyhow::Result<()> {
        let ids: Vec<&str> = self.languages.iter().map(|one| one.id.as_str()).collect();
        let runs = trial
            .run
            .iter()
            .map(|(language, run)| ("run", language, run));
        let builds = trial.build.iter();
        let builds = builds.map(|(language, build)| ("build", language, build));
        for (key, language, command) in runs.chain(builds) {
            ensure!(
                ids.contains(&language.as_str()),
                "the trial {:?} has `{key}.{language}`, and the lab has no [[language]] of this id ({})",
                trial.id,
                ids.join(", ")
            );
            ensure!(
                !command.is_empty(),
                "`{key}.{language}` of the trial {:?} is empty: write the command",
                trial.id
            );
        }
        ensure!(
            trial
                .build
                .keys()
                .all(|language| trial.run.contains_key(language)),
            "the trial {:?} builds a program of its own and does not run it: give `run` for each language of `build`",
            trial.id
        );
        let first = ids.first().copied().unwrap_or_default();
        ensure!(
            trial.runs_the_labs_program() || trial.run.contains_key(first),
            "the trial {:?} has commands of its own, and none for {first}: add `run.{first}`",
            trial.id
        );
        Ok(())
    }

    /// What a peer of the ladder is asked for is a promise of its rung, and of nobody else.
    fn check_mend(&self, trial: &Trial) -> anyhow::Result<()> {
        if let Some(mend) = trial.mend {
            let spoken = Rung::new(mend.rung).is_ok_and(|rung| rung.is_spoken());
            ensure!(
                spoken && mend.rung > 0,
                "the trial {:?} mends rung {}: choose one of 1 to 8",
                trial.id,
                mend.rung
            );
            ensure!(
                trial.args.is_empty(),
                "the trial {:?} mends a peer, which is started as the ladder says: take out `args`",
                trial.id
            );
        }
        for check in self.checks.iter().filter(|check| check.trial == trial.id) {
            ensure!(
                check.keeps.is_some() == (trial.mend.is_some() || trial.deploy.is_some()),
                "the check {:?} and its trial do not fit: `keeps` in a check, and `mend` or `deploy` in its trial, go together",
                check.id
            );
        }
        Ok(())
    }
}
