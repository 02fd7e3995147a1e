//! The report's server: see `latchstring_faithful::server`.

use std::{
    io::{Write, stdout},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use latchstring_faithful::{
    keys::KeyDir,
    protocol::DEFAULT_PORT,
    server::{Listener, REPLY_PAUSE},
};
use latchstring_net::{loopback::Loopback, print};
use rand::{rand_core::UnwrapErr, rngs::SysRng};

/// Serve the faithful protocol: weak on purpose, on loopback only.
///
/// The program serves one client at a time until a client sends the message quit().
#[derive(Parser)]
#[command(
    version,
    after_help = "Example, with a client in another terminal:\n  faithful-server --dir /tmp/keys --port 22222"
)]
struct Options {
    /// Use this directory with client.keys/ and server.keys/, the same as the client's
    #[arg(long, value_name = "D", default_value = ".")]
    dir: PathBuf,
    /// Listen on this port; 0 lets the system choose
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PORT)]
    port: u16,
    /// Listen on this loopback address; every other address is refused
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(latchstring_cli::parse(env!("CARGO_BIN_NAME"))).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            print::note(format_args!("Error: {why:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> anyhow::Result<()> {
    let address = Loopback::parse(&options.host, options.port)?;
    let keys = KeyDir::open(options.dir)?;
    let listener = Listener::bind(address).await?;
    let mut rng = UnwrapErr(SysRng);
    let mut show = |event: latchstring_faithful::server::ServerEvent| {
        if let Some(lines) = event.screen() {
            // A closed screen is no reason to stop serving.
            let _ = writeln!(stdout(), "{lines}");
        }
    };
    listener
        .serve(&keys, REPLY_PAUSE, &mut rng, &mut show)
        .await;
    Ok(())
}
