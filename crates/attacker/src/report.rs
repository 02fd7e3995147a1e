//! The report of an attack: its claim and its story.

use std::io::{self, ErrorKind};

/// The achievement that an attack claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// "I am logged in as this user."
    LoggedIn {
        /// The user.
        user: String,
        /// The text that the server must have received from that user on the attacker's connection, if the attack sent
        /// one.
        said: Option<String>,
    },
    /// "These are the messages", in the order in which they were sent; a byte that is not known is `None`.
    Read(Vec<Vec<Option<u8>>>),
    /// "The server has received `to` where the user typed `from`."
    Altered {
        /// The text that the user typed.
        from: String,
        /// The text that arrived.
        to: String,
    },
    /// "The server has taken in the user's messages in this way."
    Reordered,
    /// "The session ended after this number of messages, and neither end noticed."
    Truncated {
        /// How many messages the server has.
        after: usize,
    },
    /// "The user takes me for the server, and has sent me this."
    Harvested {
        /// The password, if one was shown.
        password: Option<Vec<u8>>,
        /// The messages that the user said to me.
        messages: Vec<String>,
    },
    /// "This is the user's."
    Credentials {
        /// The password.
        password: Option<Vec<u8>>,
        /// The private key, as PEM.
        private_key: Option<String>,
    },
    /// "The session is this user's."
    Identified(String),
    /// "These are the primes of this user's key."
    Factored {
        /// Whose.
        user: String,
        /// One prime, big-endian.
        p: Vec<u8>,
        /// The other.
        q: Vec<u8>,
    },
    /// "The operator's log has this line."
    Logged(String),
    /// "Of the directory, these have an account, and the others have none."
    Exist(Vec<String>),
    /// "I have done what should cost the server dear."
    Spent,
    /// "Nobody else is served now."
    Denied,
    /// "The user still believes in a session whose server is gone."
    Lingering,
    /// "I could not do it."
    Nothing,
}

impl Claim {
    /// "I am logged in as this user", and what the server must have received from that user, if anything was said.
    pub fn logged_in(user: &str, said: Option<&str>) -> Self {
        Self::LoggedIn {
            user: user.to_owned(),
            said: said.map(str::to_owned),
        }
    }

    /// "I have read all messages", with each of them as a line of the story.
    pub fn read(messages: Vec<String>, story: &mut Story) -> Self {
        for message in &messages {
            story.tell(format!("read: \"{message}\""));
        }
        let known = |text: String| text.into_bytes().into_iter().map(Some).collect();
        Self::Read(messages.into_iter().map(known).collect())
    }
}

/// The lines that an attack reports while it works: messages, knowledge, results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Story(Vec<String>);

impl Story {
    /// Adds a line.
    pub fn tell(&mut self, line: impl Into<String>) {
        self.0.push(line.into());
    }

    /// The lines so far.
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

/// A claim and how the attack came to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The claim.
    pub claim: Claim,
    /// How.
    pub story: Story,
}

impl Report {
    /// A claim with its story.
    pub fn new(claim: Claim, story: Story) -> Self {
        Self { claim, story }
    }

    /// "I have read all messages", with each of them as a line of the story.
    pub fn of_reading(messages: Vec<String>, mut story: Story) -> Self {
        let claim = Claim::read(messages, &mut story);
        Self::new(claim, story)
    }

    /// The end of a conversation with the server. If the server hangs up or its proofs fail, the story's last line says
    /// so.
    pub fn of_dialogue(result: anyhow::Result<Claim>, mut story: Story) -> Self {
        let claim = result.unwrap_or_else(|error| {
            story.tell(match error.downcast_ref::<io::Error>() {
                Some(end) if end.kind() == ErrorKind::UnexpectedEof => {
                    "the server hung up".to_owned()
                }
                _ => format!("the server hung up: {error}"),
            });
            Claim::Nothing
        });
        Self::new(claim, story)
    }
}
