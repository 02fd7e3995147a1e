//! A student's program in the server's place: an honest client logs in at it.

use std::{sync::Mutex, time::Duration};

use anyhow::Context;
use latchstring_attacker::net::{loopback::Loopback, port::ReservedPort};
use latchstring_confine::run::Ran;
use tokio::time::sleep;

use super::TrialSetup;
use crate::{catalogue::AsServer, facts::Facts, instance::Instance, program::Reach, visitor::Step};

/// How long a program may go on after its visitor has left: it may still have something to print or to send.
const AFTER_VISIT: Duration = Duration::from_secs(3);

impl TrialSetup<'_> {
    /// Runs the program as a server at the free port `{listen}`, and lets a visitor of the scene log in there. Gives
    /// the steps of that visit too.
    pub(super) async fn as_server(
        &self,
        place: &AsServer,
        instance: &Instance,
        facts: &mut Facts,
        mut reach: Reach,
    ) -> anyhow::Result<(Ran, Vec<Step>)> {
        // Held until the visit is over: the visitor must not meet a server of somebody else.
        let reserved = ReservedPort::take()?;
        let port = reserved.number();
        facts.set("listen", port);
        reach.listens.push(port);
        let visitor = instance.visitor(&self.student.lab.scene, &place.session)?;
        let args = facts.fill_all(&self.trial.args)?;
        let steps = Mutex::new(Vec::new());
        let visit = async {
            let tell = |step| {
                if let Ok(mut steps) = steps.lock() {
                    steps.push(step);
                }
            };
            visitor.visit(Loopback::v4(port), tell).await;
            sleep(AFTER_VISIT).await;
        };
        let (ran, _) = self.run_beside(&args, reach, visit).await;
        let steps = steps.into_inner().ok().context("the visit failed")?;
        Ok((ran, steps))
    }
}
