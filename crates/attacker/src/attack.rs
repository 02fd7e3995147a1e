//! The definition of an attack.

use futures_util::future::BoxFuture;

use crate::{
    Claim, Report, Story,
    protocol::hardened::defence::Defence,
    vantage::{Dialect, Dialogue, Impostor, MemoryDump, Middle, Modulus, StolenFiles, Wiretap},
};

/// One attack: the constant at the head of each file in [`crate::attacks`].
#[derive(Clone, Copy)]
pub struct Attack {
    /// The name of its file, its command and its page.
    pub id: &'static str,
    /// The action of the attack, in a few words.
    pub title: &'static str,
    /// The goal of the attack.
    pub goal: Goal,
    /// The attacker's position and abilities, in a sentence.
    pub vantage: &'static str,
    /// The secrets that the attacker has beforehand. Nothing else is handed out.
    pub loot: &'static [Loot],
    /// The setting besides an honest user and a server.
    pub scene: Scene,
    /// The result against the report's protocol.
    pub faithful: Faithful,
    /// The smallest sets of defences without which it succeeds again.
    pub returns_without: &'static [&'static [Defence]],
    /// The program, by the vantage that it acts from.
    pub run: Run,
}

impl Attack {
    /// The parts that most attacks have in common: `Attack { id, …, ..Attack::PLAIN }`.
    pub const PLAIN: Self = Self {
        id: "",
        title: "",
        goal: Goal::LogIn,
        vantage: "",
        loot: &[],
        scene: Scene::PLAIN,
        faithful: Faithful::Broken,
        returns_without: &[],
        run: Run::Sniff(|_| Report::new(Claim::Nothing, Story::default())),
    };
}

/// The result of an attack against the report's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Faithful {
    /// The attack succeeds.
    Broken,
    /// The attack fails, for this reason.
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
    /// An honest account of the attacker at the server.
    OwnAccount,
}

/// The setting of an attack besides an honest user and a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scene {
    /// How many messages the honest user types: the script, over and over.
    pub messages: usize,
    /// Whether the honest user comes back once the attack is under way, while the attacker holds on to what it has.
    pub user_returns: bool,
    /// Whether the user means to visit the attacker's host, which is of the same kind, and knows its key.
    pub visits_attacker: bool,
    /// Whether the user stays, having typed everything, for longer than a server may be silent.
    pub user_lingers: bool,
    /// Whether the session lasts longer than its keys serve: the user types only after they have served so long.
    pub outlives_keys: bool,
    /// Whether the attacker calls from another address each time, as an attacker with rented machines can.
    pub many_addresses: bool,
    /// Whether the report's server seeds its generator with the time. (Whether ours does is a defence.)
    pub seeded_with_time: bool,
    /// Whether the server's machine computes in no time. It does where an attack asks thousands of questions and measures
    /// none. Everywhere else it is a small machine, on which a key operation takes a moment.
    pub fast_machine: bool,
}

impl Scene {
    /// One honest session of the script.
    pub const PLAIN: Self = Self {
        messages: 7,
        user_returns: false,
        visits_attacker: false,
        user_lingers: false,
        outlives_keys: false,
        many_addresses: false,
        seeded_with_time: false,
        fast_machine: false,
    };
}

/// The goal of an attack. The goal tells the arena which facts to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// To log in as another user.
    LogIn,
    /// To log in as another user by guessing.
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
    /// To compute a user's private key from public keys.
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
    /// To pose as the server and get the user's password or messages.
    Harvest,
}

/// A limited resource of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Operations with RSA keys.
    KeyOperations,
    /// Password hashes.
    Hashes,
    /// Time that a connection is held open.
    Time,
}

/// A change to the order of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// One message arrives twice.
    Twice,
    /// Two change places.
    Swapped,
    /// One message is missing, and the messages after it arrive.
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
    /// Sees all bytes of one honest session, and once, right after the login, the client's memory.
    SniffAndDump(fn(&Wiretap, &MemoryDump) -> Report),
    /// Has the public keys of the server's users, and nothing else.
    Collect(fn(&[Modulus]) -> Report),
    /// Has a copy of the server's files, and nothing else.
    Files(fn(&Dialect, &StolenFiles) -> Report),
    /// Dials the server as another client, after one honest session.
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
