//! `latchstring read`: names every byte of the sessions in a capture, while it is read.

mod listing;
mod session;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;
use latchstring_attacker::{
    capture::{
        CaptureError, Item,
        losses::counted,
        losses::packets as packets_of,
        pcapfile,
        reassembly::{Listener, Streams},
    },
    net::print::Output,
};

pub(crate) use self::listing::{columns, wrapped};
use self::{listing::Listing, session::Session};

/// The limit on the text, in bytes, of finished sessions that waits for the session that is being printed.
const MAX_WAITING: usize = 16 << 20;

/// The file to read, and how much of it to show.
#[derive(Args, Debug, Clone)]
#[command(after_help = "Examples:\n  \
    latchstring read captures/faithful-chat.pcap\n  \
    latchstring read --decrypt captures/faithful-chat.pcap\n  \
    latchstring read --full captures/hardened-chat.pcap | less\n  \
    tcpdump -i lo -w - port 22222 | latchstring read -")]
pub struct Arguments {
    /// Read this pcap or pcapng file, also compressed (.gz); - for standard input
    file: PathBuf,
    #[command(flatten)]
    shown: Shown,
}

/// How much to show.
#[derive(Args, Debug, Clone, Copy)]
struct Shown {
    /// Show all bytes, not only the first of each field
    #[arg(long)]
    full: bool,
    /// Decrypt the messages of faithful sessions with the key that is on the wire
    #[arg(long)]
    decrypt: bool,
}

/// Runs the command and prints.
///
/// # Errors
/// If the file cannot be read, is no capture or is damaged (the part before the damage is printed), or if printing
/// fails.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut packets = pcapfile::open(&arguments.file)?;
    let listing = Listing::new(Output::new(), arguments.shown.full);
    let mut streams = Streams::new(Printer::new(listing, arguments.shown));
    let mut ended = None;
    while let Some(packet) = packets.next() {
        let printer = streams.listener();
        printer.about(packets.about())?;
        match packet {
            Ok(packet) => streams.push(&packet),
            Err(error) => ended = Some(error),
        }
        streams.listener().print()?;
        streams.listener().listing.show()?;
    }
    let (mut printer, mut losses) = streams.finish();
    printer.about(packets.about())?;
    printer.print_all()?;
    losses.dropped = packets.dropped();
    let damaged = !matches!(ended, None | Some(CaptureError::Truncated { .. }));
    let why = ended.as_ref().map(ToString::to_string);
    let sessions = printer.sessions;
    let mut listing = printer.listing;
    let (count, sessions) = (losses.packets, counted(sessions as u64, "session"));
    listing.paragraph("", &format!("{sessions} in {}", packets_of(count)))?;
    let others = losses.others();
    if !others.is_empty() {
        listing.paragraph("", &format!("packets of other protocols: {others}"))?;
    }
    for line in losses
        .lines()
        .iter()
        .chain(why.as_ref().filter(|_| !damaged))
    {
        listing.paragraph("", line)?;
    }
    listing.paragraph("", &more(arguments))?;
    listing.finish()?;
    match ended {
        Some(error) if damaged => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// The further options of this command.
fn more(arguments: &Arguments) -> String {
    let full = "--full shows all bytes";
    let decrypt = "--decrypt reads the messages with the key that is on the wire";
    match (arguments.shown.full, arguments.shown.decrypt) {
        (false, false) => format!("more: {full}; {decrypt}"),
        (true, false) => format!("more: {decrypt}"),
        (false, true) => format!("more: {full}"),
        (true, true) => String::new(),
    }
}

/// Prints one session while it goes on, and those beside it when they are over.
struct Printer {
    listing: Listing,
    shown: Shown,
    about_printed: bool,
    sessions: usize,
    open: BTreeMap<usize, Session>,
    /// Over, and not printed yet.
    over: Vec<Session>,
    waiting: usize,
    current: Option<usize>,
}

impl Printer {
    fn new(listing: Listing, shown: Shown) -> Self {
        Self {
            listing,
            shown,
            about_printed: false,
            sessions: 0,
            open: BTreeMap::new(),
            over: Vec::new(),
            waiting: 0,
            current: None,
        }
    }

    /// The comment on the whole file comes first.
    fn about(&mut self, about: Option<&str>) -> Result<()> {
        if let (Some(about), false) = (about, self.about_printed) {
            self.about_printed = true;
            for line in about.lines() {
                self.listing.strangers("", line)?;
            }
            self.listing.line("")?;
        }
        Ok(())
    }

    /// Prints what is ready.
    fn print(&mut self) -> Result<()> {
        if let Some(number) = self.current {
            let Some(session) = self.open.get_mut(&number) else {
                return self.print_over();
            };
            session.print(&mut self.listing)?;
            if self.waiting > MAX_WAITING {
                self.print_over()?;
            }
            return Ok(());
        }
        self.print_over()?;
        let first = self.open.iter_mut().find(|(_, session)| session.has_text());
        if let Some((number, session)) = first {
            self.current = Some(*number);
            session.print(&mut self.listing)?;
        }
        Ok(())
    }

    /// Prints the sessions that are over, first the one whose beginning was printed last.
    fn print_over(&mut self) -> Result<()> {
        let current = self.current;
        self.over
            .sort_by_key(|session| (Some(session.number) != current, session.number));
        for mut session in self.over.drain(..) {
            session.print(&mut self.listing)?;
            if Some(session.number) == current {
                self.current = None;
            }
        }
        self.waiting = 0;
        // The one that is still open goes on below these.
        if let Some(session) = self.current.and_then(|number| self.open.get_mut(&number)) {
            session.interrupt();
        }
        Ok(())
    }

    fn print_all(&mut self) -> Result<()> {
        self.print_over()?;
        self.current = None;
        self.print_over()
    }
}

impl Listener for Printer {
    fn began(&mut self, number: usize, client: SocketAddr, server: SocketAddr) {
        self.sessions += 1;
        let session = Session::new(number, client, server, self.shown);
        self.open.insert(number, session);
    }

    fn happened(&mut self, number: usize, item: Item) {
        if let Some(session) = self.open.get_mut(&number) {
            session.push(item);
        }
    }

    fn ended(&mut self, number: usize, closed: bool) {
        if let Some(mut session) = self.open.remove(&number) {
            session.end(closed);
            self.waiting += session.waiting();
            self.over.push(session);
        }
    }
}
