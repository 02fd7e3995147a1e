//! One run of a student's program, against one hidden instance.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use latchstring_attacker::net::loopback::Loopback;
use latchstring_confine::run::{End, Ran};
use latchstring_faithful::server::REPLY_PAUSE;

use super::{
    TrialSetup,
    shown::{Shown, on_target},
};
use crate::{
    catalogue::{Check, OnThePath, Role, TargetKind},
    diagnosis::Started,
    facts::Facts,
    instance::Instance,
    program::{Program, Reach},
    seed::Seed,
    target::{Target, Visit, oracle, small},
    wire::{Path, printed_bytes, printed_messages},
};

/// After a refusal the program may try once more; after so long it is not expected to.
const AFTER_REFUSAL: Duration = Duration::from_secs(2);
/// How long the lab's own solution may take.
const FOR_SOLUTION: Duration = Duration::from_secs(30);

impl TrialSetup<'_> {
    pub(super) async fn once(
        &self,
        instance: Instance,
        round: usize,
        seed: &Seed,
    ) -> anyhow::Result<Shown> {
        let files = tempfile::tempdir()?;
        instance.write(files.path())?;
        let mut facts = instance.facts.clone();
        for (fact, path) in instance.places() {
            facts.set(fact, files.path().join(path).display());
        }
        let target = self.target(&instance, seed).await?;
        facts.set("host", target.at().address().ip());
        facts.set("port", target.at().address().port());
        let users = instance.accounts.users();
        if let Some(victim) = users.get(round % users.len().max(1)) {
            let path = files.path().join("victim.pub");
            std::fs::write(&path, instance.accounts.public_pem(victim)? + "\n")?;
            facts.set("victim", victim);
            facts.set("victim.public-key", path.display());
        }
        let within = self.within();
        self.steps.begin(&format!(
            "running {} on target {} of {}, for at most {} seconds",
            self.command.join(" "),
            round + 1,
            self.trial.times,
            within.as_secs()
        ));
        let reach = Reach {
            readable: vec![files.path().to_owned()],
            ports: vec![target.at().address().port()],
            ..Reach::default()
        };
        let (mut visit, mut jammed) = (None, None);
        let ran = match self.trial.role()? {
            Role::OnThePath(place) => {
                let (path, typed) = self.path(place, &instance, &target, &facts)?;
                self.on_the_path(&path, place.message, &typed, &mut facts, reach.clone())
                    .await?
            }
            Role::AsServer(place) => {
                let run = self.as_server(place, &instance, &mut facts, reach.clone());
                let (ran, steps) = run.await?;
                visit = Some(steps);
                ran
            }
            Role::Jam(jam) => {
                let run = self.jam(jam, &instance, &target, &mut facts, reach.clone());
                let (ran, what) = run.await?;
                jammed = Some((*jam, what));
                ran
            }
            // Peers and operators meet no target: they are run elsewhere.
            Role::Attacker | Role::Mend(_) | Role::Deploy(_) => {
                let args = facts.fill_all(&self.trial.args)?;
                let decided = self.decided(&target, &facts);
                self.run_beside(&args, reach.clone(), decided).await.0
            }
        };
        self.steps.begin("looking at what the target has seen");
        let visits = target.finish().await;
        facts.set("login", login(&visits));
        let started = Started {
            command: &self.command,
            folder: &self.student.folder,
        };
        let broken = started.trouble(&ran);
        let compared = self.checks.iter().any(|check| check.prints_as_solution);
        let compared = compared && !self.student.is_without_solution();
        // The solution comes last, and into another folder: the student's program is over by then.
        let wanted = match compared && broken.is_none() {
            true => Some(
                self.solution(&facts.fill_all(&self.trial.args)?, reach)
                    .await?,
            ),
            false => None,
        };
        Ok(Shown {
            facts,
            ran,
            visits,
            broken,
            wanted,
            visit,
            jammed,
            on_the_path: self.trial.on_the_path.clone(),
        })
    }

    /// The server that the program meets.
    async fn target(&self, instance: &Instance, seed: &Seed) -> anyhow::Result<Target> {
        let (accounts, randomness) = (&instance.accounts, seed.stream("live target"));
        match &self.trial.target {
            TargetKind::Faithful => Target::start(accounts, randomness, REPLY_PAUSE).await,
            TargetKind::Oracle => oracle::start(instance.envelope()?, Loopback::v4(0)).await,
            TargetKind::Small(rules) => {
                let at = Loopback::v4(0);
                small::start(accounts, randomness, rules.clone(), at, |_| {}).await
            }
        }
    }

    /// The honest session that the program sits on: the scene's, typed once more.
    fn path<'a>(
        &self,
        place: &OnThePath,
        instance: &'a Instance,
        target: &'a Target,
        facts: &Facts,
    ) -> anyhow::Result<(Path<'a>, Vec<String>)> {
        let session = self.student.lab.scene.session(&place.session)?;
        let user = instance.accounts.users().first();
        let path = Path {
            target,
            accounts: &instance.accounts,
            user: user.context("the session needs an account in its scene")?,
        };
        Ok((path, facts.fill_all(&session.messages)?))
    }

    /// Runs the session, and the program in the middle of it. The program gets the ciphertexts so far as
    /// `{ciphertext.N}`, the last of them as `{ciphertext}`, and all as `{ciphertexts}`.
    async fn on_the_path(
        &self,
        path: &Path<'_>,
        message: Option<usize>,
        typed: &[String],
        facts: &mut Facts,
        reach: Reach,
    ) -> anyhow::Result<Ran> {
        let mut ran = None;
        let run = async |sent: &[Vec<u8>]| -> anyhow::Result<String> {
            let ciphertexts: Vec<String> = sent.iter().map(hex::encode).collect();
            for (i, ciphertext) in ciphertexts.iter().enumerate() {
                facts.set(format!("ciphertext.{}", i + 1), ciphertext);
                facts.set("ciphertext", ciphertext);
            }
            facts.set("ciphertexts", ciphertexts.join(" "));
            let args = facts.fill_all(&self.trial.args)?;
            let never = std::future::pending::<()>();
            let (run, _) = self.run_beside(&args, reach, never).await;
            Ok(ran.insert(run).stdout.clone())
        };
        match message {
            Some(number) => {
                let change = async |sent: &[Vec<u8>]| Ok(printed_bytes(&run(sent).await?));
                path.change_one(typed, number, change).await?;
            }
            None => {
                let choose = async |sent: &[Vec<u8>]| {
                    let printed = printed_messages(&run(sent).await?);
                    Ok(printed.ok().filter(|messages| !messages.is_empty()))
                };
                path.hold_all(typed, choose).await?;
            }
        }
        ran.context("the session has no message of this number: the program was not run")
    }

    /// How long one run may take.
    fn within(&self) -> Duration {
        Duration::from_secs(self.trial.timeout_seconds)
    }

    /// Runs the program until this work beside it is done. Gives what came of the work; `None` if the program ended first,
    /// or its time was up.
    pub(super) async fn run_beside<T>(
        &self,
        args: &[String],
        reach: Reach,
        work: impl Future<Output = T>,
    ) -> (Ran, Option<T>) {
        let mut done = None;
        let until = async { done = Some(work.await) };
        let (command, within) = (&self.command, self.within());
        let run = (self.program).run(self.launcher, command, args, reach, within, until);
        let ran = run.await;
        (ran, done)
    }

    /// What the lab's own solution prints for these arguments.
    async fn solution(&self, args: &[String], reach: Reach) -> anyhow::Result<String> {
        let (solution, command) = Program::solution(self.student, self.trial)?;
        let never = std::future::pending();
        let ran = solution
            .run(self.launcher, &command, args, reach, FOR_SOLUTION, never)
            .await;
        ensure!(
            ran.end == End::Well,
            "your output is compared with that of the lab's own solution, and `{}` did not run ({:?}): install {} and check again",
            command.join(" "),
            ran.end,
            command.first().map_or("", String::as_str)
        );
        Ok(ran.stdout)
    }

    /// Ends when nothing more can change the verdict on the live target. That is so if all required events were seen,
    /// or if the login was refused and the program does not connect again.
    async fn decided(&self, target: &Target, facts: &Facts) {
        if self.checks.iter().any(|check| check.goes_by_output()) {
            // What a program prints is known when it ends.
            return std::future::pending().await;
        }
        let met = |visits: &[Visit]| {
            let trouble = |check: &&Check| on_target(check, facts, visits, None);
            self.checks
                .iter()
                .map(trouble)
                .all(|trouble| matches!(trouble, Ok(None)))
        };
        let gone = |visits: &[Visit]| {
            visits.iter().all(|visit| visit.ended.is_some())
                && visits.iter().any(|visit| visit.refused.is_some())
        };
        loop {
            target.when(|visits| met(visits) || gone(visits)).await;
            if met(&target.visits()) {
                return;
            }
            let (came, since) = (target.visits().len(), Instant::now());
            target
                .when(|visits| visits.len() > came || since.elapsed() > AFTER_REFUSAL)
                .await;
            if target.visits().len() == came {
                return;
            }
        }
    }
}

/// The result of the login, as a word for predictions.
fn login(visits: &[Visit]) -> &'static str {
    if visits.iter().any(|visit| visit.user.is_some()) {
        "accepted"
    } else if visits.iter().any(|visit| visit.refused.is_some()) {
        "refused"
    } else {
        "none"
    }
}
