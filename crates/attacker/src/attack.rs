//! What an attack is, and what it may claim.

use std::fmt;

use futures_util::future::BoxFuture;

use crate::{
    protocol::hardened::defence::Defence,
    vantage::{Dialect, Impostor, Middle, Modulus, Outsider, StolenFiles, Wiretap},
};

/// One attack: the constant at the head of each file in [`crate::attacks`].
#[derive(Clone, Copy)]
pub struct Attack {
    /// The name of its file, its command and its page.
    pub id: &'static str,
    /// What it does, in a few words.
    pub title: &'static str,
    /// What it is after.
    pub goal: Goal,
    /// What the attacker has and can do, in a sentence.
    pub vantage: &'static str,
    /// What the attacker has got hold of beforehand. Nothing else is handed out.
    pub loot: &'static [Loot],
    /// What the arena sets up besides an honest user and a server.
    pub scene: Scene,
    /// What becomes of it against the report's protocol.
    pub faithful: Faithful,
    /// The smallest sets of defences without which it succeeds again.
    pub returns_without: &'static [&'static [Defence]],
    /// The program, by the vantage that it acts from.
    pub run: Run,
}

impl Attack {
    /// What most attacks have in common: `Attack { id, …, ..Attack::PLAIN }`.
    pub const PLAIN: Self = Self {
        id: "",
        title: "",
        goal: Goal::LogIn,
        vantage: "",
        loot: &[],
        scene: Scene::PLAIN,
        faithful: Faithful::Broken,
        returns_without: &[],
        run: Run::Sniff(|_| Report::new(Claim::Nothing, Story(Vec::new()))),
    };
}

/// What an attack does to the report's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Faithful {
    /// It succeeds.
    Broken,
    /// It fails, for this reason.
    Held(&'static str),
    /// There is nothing there to attack, for this reason.
    DoesNotApply(&'static str),
}

/// Something an attacker has got hold of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loot {
    /// The user's password.
    Password,
    /// The user's private key.
    UserKey,
    /// A recording of one honest session.
    SniffedSession,
    /// An account of the attacker's own at the server, come by honestly.
    OwnAccount,
}

/// What the arena sets up for an attack besides an honest user and a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scene {
    /// How many messages the honest user types: the script, over and over.
    pub messages: usize,
    /// Whether the honest user comes back once the attack is under way, while the attacker holds on to what it has.
    pub user_returns: bool,
    /// Whether the user means to visit the attacker, who runs a host of the same kind, and knows that host's key.
    pub visits_attacker: bool,
    /// Whether the user stays, having typed everything, for longer than a server may be silent.
    pub user_lingers: bool,
    /// Whether the attacker calls from another address each time, as whoever rents other people's machines can.
    pub many_addresses: bool,
    /// Whether the report's server seeds its generator with the time. (Whether ours does is a defence.)
    pub seeded_with_time: bool,
}

impl Scene {
    /// One honest session of the script.
    pub const PLAIN: Self = Self {
        messages: 7,
        user_returns: false,
        visits_attacker: false,
        user_lingers: false,
        many_addresses: false,
        seeded_with_time: false,
    };
}

/// What an attack is after: by this the arena knows what to look for, whatever the attack says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// To be taken for somebody else.
    LogIn,
    /// To be taken for somebody else by guessing.
    Guess,
    /// To read what was said.
    Read,
    /// To make the server believe that something else was said.
    Alter,
    /// To make the server take in what was said in another way than it was said.
    Reorder(Order),
    /// To end a session early without anybody noticing.
    Truncate,
    /// To find out a password or a private key.
    Credentials,
    /// To learn who of the directory was heard.
    Identify,
    /// To compute somebody's private key from public ones.
    Factor,
    /// To write into the operator's log what the server did not do.
    ForgeLog,
    /// To find out which people of the public directory have an account.
    Enumerate,
    /// To make the server spend more on a stranger than it promises.
    Exhaust(Resource),
    /// To keep others from being served.
    Deny,
    /// To keep the user in a session whose server is gone.
    Linger,
    /// To be taken for the server, and told what only the server should hear.
    Harvest,
}

/// What a server has only so much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Operations with RSA keys.
    KeyOperations,
    /// Password hashes.
    Hashes,
    /// Time that a connection is held open.
    Time,
}

/// What is done to the order of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// One is heard twice.
    Twice,
    /// Two change places.
    Swapped,
    /// One is missing, and those after it are heard.
    Missing,
}

/// An attack's program. The type of its argument is all that it gets.
#[derive(Clone, Copy)]
pub enum Run {
    /// Sees all bytes of one honest session, and cannot send.
    Sniff(fn(&Wiretap) -> Report),
    /// Sees the same session with everything that the *server* said blanked out, and cannot send.
    SniffClientOnly(fn(&Wiretap) -> Report),
    /// Sees all bytes of one honest session, and later steals every long-term key there is.
    SniffThenSteal(fn(&Wiretap, &StolenFiles) -> Report),
    /// Has the public keys of the server's users, and nothing else.
    Collect(fn(&[Modulus]) -> Report),
    /// Has a copy of the server's files, and nothing else.
    Files(fn(&Dialect, &StolenFiles) -> Report),
    /// Dials the server as a client of its own, after one honest session.
    Dial {
        /// The conversation with the report's server; none where the attack does not apply to it.
        faithful: Option<Dialogue>,
        /// The conversation with ours.
        hardened: Dialogue,
    },
    /// Sits on the path of an honest session and may change it.
    OnPath(fn(&Dialect) -> Box<dyn Middle>),
    /// Answers the user's calls in the server's place, and may itself call the server.
    Pose(for<'a> fn(&'a Impostor<'a>) -> BoxFuture<'a, Report>),
}

/// A conversation with the server. An error is a server that hung up, or whose proofs fail: see [`Report::of_dialogue`].
pub type Dialogue =
    for<'a> fn(&'a Outsider<'a>, &'a mut Story) -> BoxFuture<'a, anyhow::Result<Claim>>;

/// Whom the attack is up against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The report's protocol, flaws kept.
    Faithful,
    /// `latch/2`.
    Hardened,
}

impl Target {
    /// Both, in the order of the matrix.
    pub const ALL: [Self; 2] = [Self::Faithful, Self::Hardened];
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Faithful => "faithful",
            Self::Hardened => "hardened",
        })
    }
}

/// What an attack says it has achieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// "I am logged in as this user."
    LoggedIn {
        /// The user.
        user: String,
        /// What the server must have received from that user on the attacker's connection, if anything was said.
        said: Option<String>,
    },
    /// "These are the messages", in the order in which they were sent; a byte that is not known is `None`.
    Read(Vec<Vec<Option<u8>>>),
    /// "The server has received `to` where the user typed `from`."
    Altered {
        /// What the user typed.
        from: String,
        /// What arrived.
        to: String,
    },
    /// "The server has taken in the user's messages in this way."
    Reordered,
    /// "The session ended after so many messages, and nobody has noticed."
    Truncated {
        /// How many messages the server has.
        after: usize,
    },
    /// "The user takes me for the server, and has told me this."
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

/// What an attack tells while it works: who sent what, what the attacker knew, what it got.
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
    /// What it says it has achieved.
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

    /// The end of a conversation with the server: a server that hangs up, or whose proofs fail, is the story's last line.
    pub fn of_dialogue(result: anyhow::Result<Claim>, mut story: Story) -> Self {
        let claim = result.unwrap_or_else(|error| {
            story.tell(format!("the server hung up: {error}"));
            Claim::Nothing
        });
        Self::new(claim, story)
    }
}
