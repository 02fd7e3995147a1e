//! The tools of an attacker on the path: the client's messages, one by one, and an action for each.

use crate::{
    Claim, Report, Story, Target,
    capture::trace::Side,
    vantage::{Dialect, Middle, Records},
};

/// The action on one message of the client, and its line of the story.
pub enum Action {
    /// Pass it on.
    Pass,
    /// Do not pass it on.
    Swallow,
    /// Hold it back until the next message has gone by.
    Hold,
    /// Pass it on, and a moment later once more.
    Repeat,
    /// Pass on other bytes in its place.
    Replace {
        /// The other bytes.
        by: Vec<u8>,
        /// Lines of the story that say how the bytes were made.
        how: Vec<String>,
    },
}

/// A message of the client as it comes by: still encrypted.
pub struct Message<'a> {
    /// Its number, from 0.
    pub number: usize,
    /// The message's bytes on the wire.
    pub bytes: &'a [u8],
    /// Where its text begins in these bytes.
    pub text_at: usize,
}

/// Somebody on the path who passes on what the server says, and decides on each message of the client.
pub struct OnEachMessage {
    decide: fn(&Message) -> Action,
    claim: Claim,
    text_at: usize,
    messages: Messages,
    /// A message that is to be sent after the others.
    later: Option<Later>,
    done: bool,
    story: Story,
}

enum Later {
    /// This message waits for the next one to pass.
    Held(Vec<u8>),
    /// The next message has gone by.
    Due(Vec<u8>),
    /// This message is a copy.
    Copy(Vec<u8>),
}

/// Decides on each message of the client. The claim if any message was not simply passed on.
pub fn on_each_message(
    dialect: &Dialect,
    claim: Claim,
    decide: fn(&Message) -> Action,
) -> Box<dyn Middle> {
    Box::new(OnEachMessage {
        decide,
        claim,
        text_at: text_at(dialect.target),
        messages: Messages::new(dialect),
        later: None,
        done: false,
        story: Story::default(),
    })
}

impl OnEachMessage {
    /// Applies the action to the message; returns what goes on to the server now.
    fn act(&mut self, number: usize, bytes: Vec<u8>) -> Vec<u8> {
        let message = Message {
            number,
            bytes: &bytes,
            text_at: self.text_at,
        };
        let action = (self.decide)(&message);
        self.done |= !matches!(action, Action::Pass);
        let comes = format!("client -> server: the {} message", ordinal(number));
        let size = bytes.len();
        match action {
            Action::Pass => {
                if let Some(Later::Held(held)) = self.later.take_if(|later| later.is_held()) {
                    self.story
                        .tell(format!("{comes}; Mallory passes it on first"));
                    self.later = Some(Later::Due(held));
                }
                bytes
            }
            Action::Swallow => {
                (self.story).tell(format!(
                    "{comes}, {size} bytes; Mallory does not pass it on"
                ));
                Vec::new()
            }
            Action::Hold => {
                self.story.tell(format!("{comes}; Mallory holds it back"));
                self.later = Some(Later::Held(bytes));
                Vec::new()
            }
            Action::Repeat => {
                (self.story).tell(format!("{comes}, {size} bytes; Mallory keeps a copy"));
                self.later = Some(Later::Copy(bytes.clone()));
                bytes
            }
            Action::Replace { by, how } => {
                how.into_iter().for_each(|line| self.story.tell(line));
                by
            }
        }
    }
}

impl Later {
    fn is_held(&self) -> bool {
        matches!(self, Self::Held(_))
    }
}

impl Middle for OnEachMessage {
    fn pass(&mut self, from: Side, bytes: &[u8]) -> Vec<u8> {
        if from == Side::Server {
            return bytes.to_vec();
        }
        let pieces = self.messages.push(bytes).into_iter();
        let passed = pieces.map(|piece| match piece.message {
            None => piece.bytes,
            Some(number) => self.act(number, piece.bytes),
        });
        passed.collect::<Vec<_>>().concat()
    }

    fn afterthought(&mut self) -> Vec<u8> {
        match self.later.take_if(|later| !later.is_held()) {
            Some(Later::Copy(bytes)) => {
                self.story.tell("Mallory -> server: the same bytes again");
                bytes
            }
            Some(Later::Due(bytes) | Later::Held(bytes)) => bytes,
            None => Vec::new(),
        }
    }

    fn report(mut self: Box<Self>) -> Report {
        if !self.done {
            self.story.tell("the message never arrived");
            self.claim = Claim::Nothing;
        }
        Report::new(self.claim, self.story)
    }
}

/// For a story: the words for the numbers from 0.
fn ordinal(number: usize) -> String {
    const WORDS: [&str; 4] = ["first", "second", "third", "fourth"];
    let word = WORDS.get(number).map(|word| (*word).to_owned());
    word.unwrap_or_else(|| format!("{}th", number + 1))
}

/// Cuts what the client says into its messages. The attacker counts messages and does not read them.
pub struct Messages {
    target: Target,
    records: Records,
    pieces: usize,
}

/// A whole piece of what the client said.
pub struct Piece {
    /// The number of the message, from 0; `None` for the bytes before the first: hello, login, proof. The record that
    /// closes a hardened session counts as one more message, since nobody can see the difference.
    pub message: Option<usize>,
    /// The bytes on the wire.
    pub bytes: Vec<u8>,
}

impl Messages {
    /// Of a session that has not begun.
    pub fn new(dialect: &Dialect) -> Self {
        Self {
            target: dialect.target,
            records: Records::of(dialect, Side::Client),
            pieces: 0,
        }
    }

    /// Adds bytes, returns the pieces that are whole. The faithful protocol has no framing: the bytes of one write are
    /// one message.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let (whole, before) = match self.target {
            Target::Faithful => (vec![bytes.to_vec()], 1),
            Target::Hardened => (self.records.push(bytes), 2),
        };
        let number = |bytes| {
            let message = self.pieces.checked_sub(before);
            self.pieces += 1;
            Piece { message, bytes }
        };
        whole.into_iter().map(number).collect()
    }
}

/// The place of a message's text in its bytes on the wire. In a hardened record the text is behind length (4), type
/// (1), size (2), id (8) and kind (1).
pub fn text_at(target: Target) -> usize {
    match target {
        Target::Faithful => 0,
        Target::Hardened => 16,
    }
}
