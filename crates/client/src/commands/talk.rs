//! The open session of `connect`: each line of the input goes out as a message, until both ends agree on the end.

use std::io;

use anyhow::{Context, ensure};
use latchstring_client_core::{
    ClientError, Delivery,
    delivery::{DeliveryError, Event},
    input::{Line, Lines},
    redial::Redial,
};
use latchstring_net::{protocol::hardened::message::MAX_TEXT, report::count};
use tokio::{net::TcpStream, select};

use super::{
    editor::{Editor, Typed, can_edit},
    outbox_notes::{tell_of, tell_of_unsendable},
    screen::{InputCount, Report, Screen},
    signals::Signals,
};

/// Where messages come from.
pub(super) enum Input {
    /// A script, or a terminal that edits lines itself.
    Lines { lines: Lines, prompt: &'static str },
    /// A person.
    Editor(Box<Editor>),
}

impl Input {
    /// The standard input. A terminal is taken over from now on.
    pub(super) fn open(screen: &Screen) -> anyhow::Result<Self> {
        let is_terminal = io::IsTerminal::is_terminal(&io::stdin());
        let prompt = if is_terminal && !screen.quiet {
            "> "
        } else {
            ""
        };
        // A terminal that cannot be drawn on, because all output goes elsewhere, still hands over lines.
        if can_edit()
            && let Ok(editor) = Editor::open(prompt)
        {
            screen.edited_by(editor.printer());
            return Ok(Self::Editor(Box::new(editor)));
        }
        let lines = Lines::standard().context("cannot read the standard input")?;
        Ok(Self::Lines { lines, prompt })
    }

    /// How many lines of a paste have become no message yet.
    fn pasted(&self) -> usize {
        match self {
            Self::Lines { .. } => 0,
            Self::Editor(editor) => editor.pasted(),
        }
    }
}

/// One session, from the login to the agreed end.
pub(super) struct Talk<'a> {
    pub(super) delivery: Delivery<TcpStream>,
    /// For the next session, if this one breaks off.
    pub(super) redial: Redial<'a>,
    pub(super) input: Input,
    /// The input is at its end.
    pub(super) ended: bool,
    /// This is not the first session.
    pub(super) came_again: bool,
    pub(super) screen: &'a Screen,
    /// Kept up to date, so that it is right after an error too.
    pub(super) tally: &'a mut InputCount,
}

/// The next event.
enum Next {
    Event(Event),
    Line(Line),
    /// Ctrl-C on a line that is being typed.
    Interrupted,
    EndOfInput,
    Shown(u64, bool),
    Signal(&'static str),
}

impl Talk<'_> {
    /// Sends and shows until the input is at its end, everything is acknowledged and the close is agreed.
    pub(super) async fn run(mut self) -> anyhow::Result<()> {
        let mut signals = Signals::new()?;
        if let Input::Editor(_) = self.input {
            self.screen
                .note("Each line is a message; Ctrl-D ends, Ctrl-C drops a line.");
        }
        let unsendable = tell_of_unsendable(self.screen, self.delivery.outbox());
        let result = self.until_the_end(&mut signals).await;
        if let Input::Lines { lines, .. } = &self.input {
            self.tally.bytes_lost = lines.lost();
        }
        self.tally.waiting = Some(self.delivery.outbox().waiting().len() as u64);
        self.screen.edited_by(None);
        let pasted = self.input.pasted();
        // The terminal is as it was before anything else is said.
        drop(self.input);
        if pasted > 0 {
            let lines = count(pasted as u64, "pasted line");
            self.screen.warn(&format!("Not sent: the last {lines}."));
        }
        result?;
        self.screen
            .note("Closed; both ends agree on what was said.");
        let skipped = self.tally.lines_not_sent;
        ensure!(skipped == 0, "{} not sent", lines_were(skipped));
        ensure!(
            unsendable == 0,
            "{} of the outbox cannot be sent; see the warning above",
            count(unsendable as u64, "message")
        );
        Ok(())
    }

    async fn until_the_end(&mut self, signals: &mut Signals) -> anyhow::Result<()> {
        self.prompt();
        loop {
            let Err(why) = self.session(signals).await else {
                return Ok(());
            };
            let cut = why.downcast_ref::<ClientError>();
            if !cut.is_some_and(ClientError::is_worth_another_session) {
                return Err(why);
            }
            self.come_again(why, signals).await?;
        }
    }

    /// Logs in again after a session that broke off. Its error is the last word if there is no time for that.
    async fn come_again(
        &mut self,
        why: anyhow::Error,
        signals: &mut Signals,
    ) -> anyhow::Result<()> {
        let redial = &mut self.redial;
        let next = async {
            match redial.wait().await {
                true => Some(redial.again().await),
                false => None,
            }
        };
        let connection = select! {
            next = next => next,
            signal = stopped(&mut self.input, signals) => {
                let unacknowledged = self.delivery.unacknowledged();
                return Err(ClientError::Stopped { signal, unacknowledged }.into());
            }
        };
        let Some(connection) = connection else {
            return Err(why);
        };
        self.delivery.go_on(connection?)?;
        self.came_again = true;
        self.screen.note("Logged in again.");
        Ok(())
    }

    /// One session, to its agreed end.
    async fn session(&mut self, signals: &mut Signals) -> anyhow::Result<()> {
        let (mut closing, mut interrupted) = (false, false);
        loop {
            if self.ended && !closing && self.delivery.is_done() {
                self.delivery.begin_close()?;
                closing = true;
            }
            let was_interrupted = std::mem::take(&mut interrupted);
            match self.next(signals).await? {
                Next::Event(Event::CloseAgreed) => return Ok(()),
                Next::Event(Event::Closed { .. }) if closing => return Ok(()),
                Next::Event(event) => {
                    interrupted = was_interrupted;
                    self.on_event(event)?;
                }
                Next::Shown(id, shown) => {
                    interrupted = was_interrupted;
                    ensure!(shown, "cannot show message {id}, so it is not acknowledged");
                    let done = self.delivery.acknowledge(id);
                    // A message of the session before: the server hands it over again.
                    done.or_else(|why| if self.came_again { Ok(()) } else { Err(why) })?;
                }
                Next::Line(line) => self.on_line(line)?,
                Next::Interrupted if was_interrupted => {
                    self.ended = true;
                    self.say_what_is_waited_for();
                }
                Next::EndOfInput => {
                    self.ended = true;
                    self.tally.end_of_input = true;
                    self.say_what_is_waited_for();
                }
                Next::Interrupted => {
                    interrupted = true;
                    self.screen.note(
                        "The line was dropped. Ctrl-D ends the session, and so does Ctrl-C again.",
                    );
                }
                Next::Signal(signal) => {
                    let unacknowledged = self.delivery.unacknowledged();
                    let stopped = ClientError::Stopped {
                        signal,
                        unacknowledged,
                    };
                    return Err(stopped.into());
                }
            }
        }
    }

    fn say_what_is_waited_for(&self) {
        let waiting = self.delivery.outbox().waiting().len();
        if waiting > 0 && self.is_terminal() {
            let messages = count(waiting as u64, "message");
            self.screen.note(&format!(
                "Waiting until the server has stored {messages}; Ctrl-C leaves at once, and keeps them."
            ));
        }
    }

    async fn next(&mut self, signals: &mut Signals) -> anyhow::Result<Next> {
        let ended = self.ended;
        let read_on = !ended && self.delivery.has_room();
        Ok(match &mut self.input {
            Input::Lines { lines, .. } => select! {
                event = self.delivery.event() => Next::Event(event.map_err(plain)?),
                signal = signals.next() => Next::Signal(signal),
                line = lines.next(), if read_on => {
                    let line = line.context("cannot read the standard input")?;
                    line.map_or(Next::EndOfInput, Next::Line)
                }
            },
            Input::Editor(editor) => {
                let (typing, shown) = editor.split();
                // A line that was begun before the end still takes the keys, and Ctrl-C is one of them then.
                let listens = read_on || ended && typing.is_open();
                select! {
                    event = self.delivery.event() => Next::Event(event.map_err(plain)?),
                    signal = signals.next() => match signal {
                        // Ctrl-C between two lines, when the terminal makes a signal of it.
                        "SIGINT" if !ended => {
                            signals.go_on();
                            Next::Interrupted
                        }
                        signal => Next::Signal(signal),
                    },
                    Some((id, done)) = shown.recv() => Next::Shown(id, done),
                    typed = typing.next(), if listens => {
                        match typed.context("cannot read from the terminal")? {
                            Typed::Interrupted if ended => Next::Signal("SIGINT"),
                            _ if ended => Next::EndOfInput,
                            Typed::Line(text) if text.len() > MAX_TEXT => {
                                Next::Line(Line::TooLong(text.len() as u64))
                            }
                            Typed::Line(text) => Next::Line(Line::Text(text)),
                            Typed::NotUtf8 => Next::Line(Line::NotUtf8),
                            Typed::Interrupted => Next::Interrupted,
                            Typed::End => Next::EndOfInput,
                        }
                    }
                }
            }
        })
    }

    fn on_event(&mut self, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Message { id, text } => {
                let shown = self.screen.message(id, &text);
                if shown.context("cannot show a message, so it is not acknowledged")? {
                    self.delivery.acknowledge(id)?;
                }
            }
            Event::Settled(settled) => tell_of(self.screen, &settled)?,
            Event::Stored { up_to } => {
                self.redial.made_progress();
                self.screen.note(&format!("Stored: {up_to}."));
                self.screen.report(&Report::Stored { up_to })?;
                self.prompt();
            }
            Event::Closed { code } => {
                let unacknowledged = self.delivery.unacknowledged();
                return Err(ClientError::Closed {
                    code,
                    unacknowledged,
                }
                .into());
            }
            Event::CloseAgreed => {}
        }
        Ok(())
    }

    /// A line counts once it is on the disk, or refused for good.
    fn on_line(&mut self, line: Line) -> anyhow::Result<()> {
        let number = self.tally.lines_taken + 1;
        let text = match line {
            // Return on an empty line asks for nothing; a script means what it says.
            Line::Text(text) if text.is_empty() && self.is_terminal() => {
                self.take()?;
                self.prompt();
                return Ok(());
            }
            Line::Text(text) => text,
            bad => {
                self.take()?;
                self.tally.lines_not_sent += 1;
                let (code, why) = why_not(&bad);
                let which = if self.is_terminal() {
                    String::new()
                } else {
                    format!("line {number} of the input, because ")
                };
                self.screen.warn(&format!("Not sent: {which}{why}."));
                self.screen.report(&Report::NotSent {
                    line: number,
                    why: code,
                })?;
                self.prompt();
                return Ok(());
            }
        };
        let id = self.delivery.send(&text).map_err(plain)?;
        // Before the flush, which takes long: whatever ends this program meanwhile, the line is in the outbox or in the
        // input, and not in both.
        self.take()?;
        self.tally.lines_kept += 1;
        self.delivery.flush()?;
        self.screen.report(&Report::Kept { line: number, id })?;
        Ok(())
    }

    fn take(&mut self) -> anyhow::Result<()> {
        self.tally.lines_taken += 1;
        match &mut self.input {
            Input::Lines { lines, .. } => lines.take().context("cannot go on in the input"),
            Input::Editor(_) => Ok(()),
        }
    }

    fn is_terminal(&self) -> bool {
        match &self.input {
            Input::Lines { lines, .. } => lines.is_terminal(),
            Input::Editor(_) => true,
        }
    }

    /// An editor shows its own.
    fn prompt(&self) {
        if let Input::Lines { prompt, .. } = &self.input {
            latchstring_net::print::ask(prompt);
        }
    }
}

/// A signal, or Ctrl-C on a line that is being typed, while there is no session. A line that is typed meanwhile waits.
async fn stopped(input: &mut Input, signals: &mut Signals) -> &'static str {
    loop {
        let Input::Editor(editor) = input else {
            return signals.next().await;
        };
        let (typing, _) = editor.split();
        let is_open = typing.is_open();
        select! {
            signal = signals.next() => return signal,
            typed = typing.next(), if is_open => match typed {
                Ok(Typed::Line(text)) => typing.put_back(text),
                Ok(Typed::NotUtf8) => {}
                Ok(Typed::Interrupted | Typed::End) | Err(_) => return "SIGINT",
            }
        }
    }
}

/// The error itself: exit codes look for it.
fn plain(error: DeliveryError) -> anyhow::Error {
    match error {
        DeliveryError::Client(error) => error.into(),
        DeliveryError::Outbox(error) => error.into(),
    }
}

/// For programs and for people.
fn why_not(line: &Line) -> (&'static str, String) {
    match line {
        Line::Text(_) => ("", String::new()),
        Line::NotUtf8 => ("not_utf8", "it is not UTF-8".to_owned()),
        Line::TooLong(bytes) => (
            "too_long",
            format!("it has {bytes} bytes, and a message has at most {MAX_TEXT}; split it"),
        ),
        Line::MayBeCut => (
            "may_be_cut",
            "the terminal cuts lines as long as this one; send it from a file or a pipe".to_owned(),
        ),
    }
}

impl InputCount {
    /// The text that a script needs to go on where this program stopped.
    pub(super) fn rest_of_the_input(&self) -> String {
        let (taken, kept) = (self.lines_taken, self.lines_kept);
        let mut said = match taken {
            0 => "no line of the input was taken".to_owned(),
            _ => format!("{} taken, {kept} of them stored or kept", lines_were(taken)),
        };
        if self.end_of_input {
            said.push_str("; that was all of it");
        } else if taken > 0 {
            said.push_str(&format!("; go on with line {}", taken + 1));
        }
        if self.bytes_lost > 0 {
            let bytes = count(self.bytes_lost, "byte");
            let next = taken + 1;
            said.push_str(&format!("; {bytes} of line {next} are gone from the input"));
        }
        said
    }
}

fn lines_were(n: u64) -> String {
    match n {
        1 => "1 line of the input was".to_owned(),
        n => format!("{n} lines of the input were"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_the_input_is_stated_exactly() {
        let said = |lines_taken, lines_kept, bytes_lost, end_of_input| {
            let tally = InputCount {
                lines_taken,
                lines_kept,
                bytes_lost,
                end_of_input,
                ..InputCount::default()
            };
            tally.rest_of_the_input()
        };
        assert_eq!(said(0, 0, 0, false), "no line of the input was taken");
        assert_eq!(
            said(1, 1, 0, false),
            "1 line of the input was taken, 1 of them stored or kept; go on with line 2"
        );
        assert_eq!(
            said(7, 6, 3, false),
            "7 lines of the input were taken, 6 of them stored or kept; go on with line 8; 3 bytes of line 8 are gone \
             from the input"
        );
        assert_eq!(
            said(2, 2, 0, true),
            "2 lines of the input were taken, 2 of them stored or kept; that was all of it"
        );
    }
}
