//! The report's client: see `latchstring_faithful::menu`.

use std::{
    io::{stdin, stdout},
    path::PathBuf,
    process::ExitCode,
};

use clap::Parser;
use latchstring_faithful::{keys::KeyDir, menu, protocol::DEFAULT_PORT};
use latchstring_net::{loopback::Loopback, print};
use rand::{rand_core::UnwrapErr, rngs::SysRng};

/// Log in with the faithful protocol: weak on purpose, on loopback only.
///
/// The program reads its menu from the standard input and ends with it.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example, which makes keys, logs in and ends client and server:\n  \
                  printf '2\\nalice\\n1\\nalice\\nhello\\nquit()\\n' | faithful-client --dir /tmp/keys"
)]
struct Options {
    /// Use this directory with client.keys/ and server.keys/, the same as the server's
    #[arg(long, value_name = "D", default_value = ".")]
    dir: PathBuf,
    /// Connect to this port
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PORT)]
    port: u16,
    /// Connect to this loopback address; every other address is refused
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
    let server = Loopback::parse(&options.host, options.port)?;
    let keys = KeyDir::open(options.dir)?;
    let mut rng = UnwrapErr(SysRng);
    let (mut input, mut output) = (stdin().lock(), stdout());
    menu::run(&keys, server, &mut input, &mut output, &mut rng).await?;
    Ok(())
}
