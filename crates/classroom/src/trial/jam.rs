//! A student's program that keeps the target busy: an honest user tries to log in meanwhile, and once more when the
//! program is gone.

use std::time::{Duration, Instant};

use anyhow::Context;
use latchstring_confine::run::Ran;
use latchstring_faithful::client;
use tokio::time::{sleep, timeout};

use super::TrialSetup;
use crate::{
    catalogue::Jam,
    diagnosis::Jammed,
    facts::Facts,
    instance::Instance,
    program::Reach,
    target::{Target, gate::Gate},
};

/// How long a program has from its first connection until the honest user comes.
const SETTLE: Duration = Duration::from_millis(500);
/// How often the gate is looked at.
const GLANCE: Duration = Duration::from_millis(10);
/// How long the server may need to serve the honest user again. It may still have work that the program left behind.
const RECOVERY: Duration = Duration::from_secs(20);

impl TrialSetup<'_> {
    /// Runs the program against the target, behind a gate that counts what the program spends.
    pub(super) async fn jam(
        &self,
        jam: &Jam,
        instance: &Instance,
        target: &Target,
        facts: &mut Facts,
        mut reach: Reach,
    ) -> anyhow::Result<(Ran, Jammed)> {
        let gate = Gate::before(target.at()).await?;
        facts.set("port", gate.at().address().port());
        reach.ports = vec![gate.at().address().port()];
        let args = facts.fill_all(&self.trial.args)?;
        let meanwhile = async {
            while gate.spent().connections == 0 {
                sleep(GLANCE).await;
            }
            sleep(SETTLE).await;
            let began = Instant::now();
            let login = timeout(jam.time(), log_in(instance, target)).await;
            match login {
                Ok(Ok(())) => began.elapsed(),
                // Whether a server that refuses has only too much to do shows when the program is gone.
                Ok(Err(_)) | Err(_) => jam.time(),
            }
        };
        let (ran, kept_out) = self.run_beside(&args, reach, meanwhile).await;
        let spent = gate.spent();
        drop(gate);
        let again = timeout(RECOVERY, log_in(instance, target)).await;
        let jammed = Jammed {
            kept_out,
            spent,
            recovered: again.is_ok_and(|again| again.is_ok()),
        };
        Ok((ran, jammed))
    }
}

/// An honest login; the user leaves at once.
async fn log_in(instance: &Instance, target: &Target) -> anyhow::Result<()> {
    let accounts = &instance.accounts;
    let user = (accounts.users().first()).context("the trial needs an account in its scene")?;
    let stream = target.at().connect().await?;
    client::login(stream, user, &accounts.keys()?.public_key(user)?).await?;
    Ok(())
}
