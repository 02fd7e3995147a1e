//! `latchstring weak-server`: the faithful server with a generator that nobody should take for keys.
//!
//! The report's server asks the operating system for its session keys. This weak server uses the generator that a
//! programmer finds first in the standard library, seeded with the time. Many real servers did this. On loopback only,
//! like every weak program here.

use std::{
    io::{Write, stdout},
    path::PathBuf,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use clap::Args;
use latchstring_attacker::{
    cryptanalysis::generators::Generator, net::loopback::Loopback, protocol_faithful::DEFAULT_PORT,
};
use latchstring_faithful::{
    keys::KeyDir,
    server::{Listener, REPLY_PAUSE, ServerEvent},
};

use latchstring_arena::weakened::generator::SeededWithTime;

/// Where to listen, and where the keys come from.
#[derive(Args)]
#[command(
    after_help = "Example, with `faithful-client --dir /tmp/keys` in another terminal and `latchstring capture` in a third:\n  \
    latchstring weak-server --dir /tmp/keys --generator php\n\n\
    Then find the session keys: latchstring solve seed --capture session.pcap --generator php --from ... --to ..."
)]
pub struct Arguments {
    /// Make the session keys with this generator
    #[arg(long, value_name = "G")]
    generator: Generator,
    /// Seed the generator with this number [default: the second in which the server starts]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Use client.keys/ and server.keys/ in this directory, the same as the client's
    #[arg(long, value_name = "D", default_value = ".")]
    dir: PathBuf,
    /// Listen on this port; 0 lets the system choose
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PORT)]
    port: u16,
    /// Listen on this loopback address; every other address is refused
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: String,
}

/// Serves one client after the other until one of them says `quit()`.
///
/// # Errors
/// If the address is not of loopback or is taken, or if the directory cannot be read.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let address = Loopback::parse(&arguments.host, arguments.port)?;
    let keys = KeyDir::open(arguments.dir)?;
    let seed = match arguments.seed {
        Some(seed) => seed,
        None => SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
    };
    let mut guessable = SeededWithTime::with(arguments.generator, seed);
    let listener = Listener::bind(address).await?;
    let mut print = |event: ServerEvent| {
        if let Some(lines) = event.screen() {
            // A closed screen is no reason to stop serving.
            let _ = writeln!(stdout(), "{lines}");
        }
    };
    listener
        .serve(&keys, REPLY_PAUSE, &mut guessable, &mut print)
        .await;
    Ok(ExitCode::SUCCESS)
}
