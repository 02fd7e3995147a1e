//! Whether the parts of a definition fit together.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use latchstring_attacker::{Attack, attacks, protocol::hardened::defence::Defence};
use latchstring_cli::suggest::nearest;

use super::{Lab, Question};

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
}
