//! `calibrate`: the cost of password hashes that suits this machine.

use std::time::{Duration, Instant};

use latchstring_net::print::{self, Output};
use latchstring_server_core::{
    calibrate::{Found, calibrate},
    config::Passwords,
    store::password::{Cost, MAX_MEMORY_MIB, MIN_MEMORY_MIB, PasswordError, hash},
};

/// A cost is tried this often, and the fastest time counts: the others were disturbed.
const TRIES: usize = 3;

/// Options of `calibrate`.
#[derive(Debug, clap::Args)]
pub(super) struct Calibrate {
    /// Let a hash take at most this many milliseconds
    #[arg(long, value_name = "MS", default_value_t = 150, value_parser = clap::value_parser!(u64).range(20..=2000))]
    time: u64,
    /// Let a hash take at most this many MiB of memory
    #[arg(long, value_name = "MIB", default_value_t = Cost::DEPLOYED.memory_mib(),
          value_parser = clap::value_parser!(u32).range(i64::from(MIN_MEMORY_MIB)..=i64::from(MAX_MEMORY_MIB)))]
    memory: u32,
}

impl Calibrate {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let wanted = Duration::from_millis(self.time);
        let Found { cost, takes } = calibrate(wanted, self.memory, measure)?;
        let mut output = Output::new();
        output.line(Passwords::section(cost).trim_end())?;
        output.finish()?;
        print::note(format_args!(
            "A hash takes {} ms on this machine, so one processor checks {:.1} passwords a second. Put the lines above into \
             server.toml, and run: latchstring-server reload",
            takes.as_millis(),
            1.0 / takes.as_secs_f64().max(0.001)
        ));
        Ok(())
    }
}

/// The time of one hash.
fn measure(cost: Cost) -> Result<Duration, PasswordError> {
    let mut fastest = Duration::MAX;
    for _ in 0..TRIES {
        let began = Instant::now();
        hash(b"not anybody's password", [0; 16], cost)?;
        fastest = fastest.min(began.elapsed());
    }
    Ok(fastest)
}
