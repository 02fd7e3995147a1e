//! `latchstring ladder`: the way from faithful to hardened, one rung at a time.

mod page;

use std::{
    io::{BufRead, Write, stdin},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use latchstring_arena::DEFAULT_SEED;
use latchstring_attacker::net::{
    entropy::{Entropy, OsEntropy},
    loopback::Loopback,
    print, terminal,
};
use latchstring_ladder::{
    Idea, Rung,
    accounts::Accounts,
    cast,
    client::Client,
    complaint::Ending,
    folder,
    login::Identity,
    network::{HONEST, Line, Network},
    serve::serve,
    server::{Event, Server, What},
    session::{self, Tap},
    signature::SigningKey,
    table::Table,
    tcp::Tcp,
    text,
};

/// Run every attack on each rung between faithful and hardened, and print the table
///
/// Each rung adds one idea to the rung below. Rung 0 is the faithful protocol, rung 9 is latch/2.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  latchstring ladder\n  latchstring ladder show 5\n  latchstring ladder serve --rung 3 --port 7000\n  \
                  latchstring ladder connect --rung 3 --port 7000"
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<LadderCommand>,
    /// Print every run as JSON instead of the table
    #[arg(long)]
    json: bool,
    /// Derive all randomness of the peers from this seed
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,
}

#[derive(Subcommand)]
enum LadderCommand {
    /// Run every attack, and print one rung: its idea, and how each attack on it ended
    #[command(after_help = "Example: latchstring ladder show 5")]
    Show {
        /// Show this rung, 0 to 9
        rung: Rung,
        /// Derive all randomness of the peers from this seed
        #[arg(long, default_value_t = DEFAULT_SEED)]
        seed: u64,
    },
    /// Print the page of a rung: every byte of its wire, and a session with every value
    #[command(after_help = "Example: latchstring ladder page 3")]
    Page {
        /// Print the page of this rung, 0 to 9
        rung: Rung,
    },
    /// Serve a rung on 127.0.0.1
    #[command(after_help = "Example: latchstring ladder serve --rung 3 --port 7000")]
    Serve(Peer),
    /// Connect to a server of a rung on 127.0.0.1, and send each line of the standard input as a text
    #[command(
        after_help = "Examples:\n  latchstring ladder connect --rung 3 --port 7000\n  \
                      echo hello | latchstring ladder connect --rung 5 --port 7000 --dir keys --user alice"
    )]
    Connect {
        #[command(flatten)]
        peer: Peer,
        /// Log in with this name
        #[arg(long, default_value = "alice")]
        user: String,
    },
    /// Write the key files of a rung, with published keys: for tests alone
    #[command(after_help = "Example: latchstring ladder files --rung 5 --dir keys")]
    Files {
        /// Write the files of this rung, 0 to 8
        #[arg(long)]
        rung: Rung,
        /// Write below this folder
        #[arg(long)]
        dir: PathBuf,
    },
}

#[derive(Args)]
struct Peer {
    /// Speak this rung, 0 to 8
    #[arg(long)]
    rung: Rung,
    /// Use this TCP port of 127.0.0.1
    #[arg(long)]
    port: u16,
    /// Read the key files below this folder [default: the published keys of the lab's people]
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When a peer cannot be started, or a session did not end as it should.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        None => print_table(arguments.json, arguments.seed),
        Some(LadderCommand::Show { rung, seed }) => {
            let table = Table::run(seed, |_| ())?;
            write!(anstream::stdout(), "{}", text::rung(&table, rung))?;
            Ok(as_promised(&table))
        }
        Some(LadderCommand::Page { rung }) => {
            write!(anstream::stdout(), "{}", page::of(rung))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(LadderCommand::Serve(peer)) => serve_rung(&peer),
        Some(LadderCommand::Connect { peer, user }) => connect(&peer, &user),
        Some(LadderCommand::Files { rung, dir }) => {
            spoken(rung)?;
            folder::write(rung, &dir)?;
            print::line(format_args!(
                "the key files of rung {rung} are in {}",
                dir.display()
            ))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn print_table(json: bool, seed: u64) -> anyhow::Result<ExitCode> {
    let table = Table::run(seed, |_| ())?;
    match json {
        true => print::line(serde_json::to_string_pretty(&table)?)?,
        false => write!(anstream::stdout(), "{}", text::table(&table))?,
    }
    Ok(as_promised(&table))
}

/// A run that is not as the rungs' lines say is a failure, also for scripts.
fn as_promised(table: &Table) -> ExitCode {
    let surprises = table.surprises();
    for surprise in &surprises {
        print::note(format_args!("latchstring: {surprise}"));
    }
    match surprises.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn spoken(rung: Rung) -> anyhow::Result<()> {
    if !rung.is_spoken() {
        bail!("rung {rung} is latch/2: use latchstring-server and latchstring-client");
    }
    Ok(())
}

fn serve_rung(peer: &Peer) -> anyhow::Result<ExitCode> {
    spoken(peer.rung)?;
    let (host, accounts) = site(peer)?;
    let rng = cast::rng(u64::from_be_bytes(OsEntropy.array()), "server");
    let server = Server::new(peer.rung, host, Box::new(accounts), rng);
    let address = Loopback::v4(peer.port);
    let listening = serve(peer.rung, server, address, |event| {
        // A reader of these lines that has gone is no reason to end the server.
        let _ = print::line(told(event));
    });
    let listening =
        listening.with_context(|| format!("cannot listen on {address}: choose another --port"))?;
    let (rung, name) = (peer.rung, peer.rung.line().name);
    print::line(format_args!(
        "rung {rung} ({name}) listens on {}",
        listening.address()
    ))?;
    listening.wait();
    print::line("a client ended the server")?;
    Ok(ExitCode::SUCCESS)
}

fn site(peer: &Peer) -> anyhow::Result<(Option<SigningKey>, Accounts)> {
    match &peer.dir {
        Some(dir) => folder::server(peer.rung, dir),
        None => {
            let host = peer.rung.has(Idea::Exchange).then(cast::host);
            Ok((host, Accounts::new(cast::accounts(peer.rung))))
        }
    }
}

fn told(event: &Event) -> String {
    let what = match &event.what {
        What::LetIn(user) => format!("{} is logged in", terminal::visible(user)),
        What::Refused(why) => format!("login refused: {why}"),
        What::Took(text) => format!(
            "text: {}",
            terminal::visible(&String::from_utf8_lossy(text))
        ),
        What::Ended(ending) => format!("ended: {}", how(ending)),
    };
    format!("connection {}: {what}", event.connection)
}

fn how(ending: &Ending) -> String {
    match ending {
        Ending::Refused(_) => "the login was refused".to_owned(),
        Ending::Left => "the connection ended".to_owned(),
        Ending::Change => "change()".to_owned(),
        Ending::Quit => "quit()".to_owned(),
        Ending::Closed => "both ends closed the session".to_owned(),
        Ending::Complained(complaint) => complaint.to_string(),
    }
}

fn connect(peer: &Peer, user: &str) -> anyhow::Result<ExitCode> {
    spoken(peer.rung)?;
    let (user, pin) = visitor(peer.rung, peer.dir.as_deref(), user)?;
    let rng = cast::rng(u64::from_be_bytes(OsEntropy.array()), "client");
    let name = user.name.to_string();
    let mut client = Client::start(peer.rung, pin, Box::new(user), rng);
    let address = Loopback::v4(peer.port);
    let network = Tcp::new(address, !peer.rung.has(Idea::Numbers));
    let line = network.dial(HONEST);
    let mut line = line.with_context(|| {
        format!("cannot connect to {address}: start a server with `latchstring ladder serve`")
    })?;
    session::settle(&mut client, &mut *line, &mut Tap::default());
    if !client.is_open() {
        bail!(
            "the login of {name} failed: {}",
            client.ending().map_or_else(String::new, how)
        );
    }
    print::line(format_args!(
        "{} is logged in; type texts, end with Ctrl-D",
        terminal::visible(&name)
    ))?;
    let not_sent = talk(&mut client, &mut *line)?;
    client.finish();
    session::run(&mut client, &mut *line, &mut Tap::default());
    match client.ending() {
        Some(ending) if !ending.is_complaint() => {
            print::line(format_args!(
                "{} texts sent; {}",
                client.sent(),
                how(ending)
            ))?;
            ensure!(
                not_sent == 0,
                "{not_sent} of the lines were not sent, as said above"
            );
            Ok(ExitCode::SUCCESS)
        }
        ending => bail!(
            "the session failed: {}",
            ending.map_or_else(String::new, how)
        ),
    }
}

fn visitor(
    rung: Rung,
    dir: Option<&Path>,
    user: &str,
) -> anyhow::Result<(Identity, Option<[u8; 32]>)> {
    match dir {
        Some(dir) => folder::client(rung, dir, user),
        None if user == "alice" => Ok((cast::alice(), rung.has(Idea::Exchange).then(cast::pin))),
        None => {
            bail!("{user:?} has no published key: use --user alice, or name a --dir with key files")
        }
    }
}

/// Says each line of the input. Returns the number of lines that are no texts of this rung.
fn talk(client: &mut Client, line: &mut dyn Line) -> anyhow::Result<usize> {
    let mut not_sent = 0;
    for text in stdin().lock().lines() {
        let text = text.context("cannot read the standard input")?;
        if let Err(error) = client.say(text.as_bytes()) {
            print::note(format_args!("latchstring: {error}"));
            not_sent += 1;
            continue;
        }
        session::settle(client, line, &mut Tap::default());
        if client.ending().is_some() {
            break;
        }
        if client.answered() > 0 {
            print::line(format_args!("text {} is answered", client.answered()))?;
        }
    }
    Ok(not_sent)
}
