//! The relay, in a model checker: a malicious but legitimate server logs in elsewhere as its visitor.
//!
//! Verifpal misses this attack when the client's signature covers the two random values alone, so the login is modelled
//! a second time, for Stateright. Messages are [`Term`]s, cryptography is perfect, and the attacker is the network: it
//! keeps all that was ever sent, and owns the host Mallory, which the user may visit of its own free will.
//!
//! The attacker is *lazy*. Instead of making every message there is, it picks the few fields that a receiver does not
//! check from what it knows, builds the one message that the receiver would then accept, and asks whether it
//! [could have made](Knowledge::can_make) that. So the space is finite, and all of it is searched.

use std::{collections::BTreeSet, fmt};

use stateright::{Checker, Model, Path, Property};

/// What travels, and what keys are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Term {
    /// A secret or a random value: what it is, and whose or which.
    Atom(&'static str, usize),
    /// The public half of a secret.
    Public(Box<Term>),
    /// What two secrets agree on (X25519), the smaller one first, so that both ends write it in the same way.
    Shared(Box<Term>, Box<Term>),
    /// The hash of a list.
    Hash(Vec<Term>),
    /// A signature by this key over that.
    Signed(Box<Term>, Box<Term>),
    /// A list that is encrypted and tagged under this key.
    Sealed(Box<Term>, Vec<Term>),
}
use Term::*;

fn public(secret: &Term) -> Term {
    Public(Box::new(secret.clone()))
}

fn signed(key: Term, content: Term) -> Term {
    Signed(Box::new(key), Box::new(content))
}

/// What a secret and somebody's public value come to; a value that is no public one agrees on nothing useful.
fn agree(secret: &Term, share: &Term) -> Term {
    match share {
        Public(other) if **other < *secret => Shared(other.clone(), Box::new(secret.clone())),
        Public(other) => Shared(Box::new(secret.clone()), other.clone()),
        _ => Hash(vec![secret.clone(), share.clone()]),
    }
}

/// What the attacker knows: all that was sent, and all that can be taken apart of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Knowledge(BTreeSet<Term>);

impl Knowledge {
    /// Whether it can put this together.
    fn can_make(&self, term: &Term) -> bool {
        self.0.contains(term)
            || match term {
                Atom(..) => false,
                Public(secret) => self.can_make(secret),
                Shared(a, b) => {
                    (self.can_make(a) && self.can_make(&public(b)))
                        || (self.can_make(b) && self.can_make(&public(a)))
                }
                Hash(parts) => parts.iter().all(|part| self.can_make(part)),
                Signed(key, content) => self.can_make(key) && self.can_make(content),
                Sealed(key, parts) => {
                    self.can_make(key) && parts.iter().all(|part| self.can_make(part))
                }
            }
    }

    /// Adds terms, and opens whatever can be opened now. A signature is no secret, and neither is what it covers.
    fn learn(&mut self, terms: impl IntoIterator<Item = Term>) {
        self.0.extend(terms);
        loop {
            let opened = self.0.iter().flat_map(|term| match term {
                Sealed(key, parts) if self.can_make(key) => parts.clone(),
                Signed(_, content) => vec![(**content).clone()],
                _ => vec![],
            });
            let new: Vec<Term> = opened.filter(|term| !self.0.contains(term)).collect();
            if new.is_empty() {
                return;
            }
            self.0.extend(new);
        }
    }

    /// Every pair of a random value and a share that it has: what it may put into a hello.
    fn hellos(&self) -> Vec<(Term, Term)> {
        let is_random = |t: &&Term| matches!(t, Atom("client random" | "server random", _));
        let is_share =
            |t: &&Term| matches!(t, Public(secret) if matches!(**secret, Atom("ephemeral", _)));
        let shares = |random: &Term| {
            let share = self.0.iter().filter(is_share).cloned();
            share
                .map(|share| (random.clone(), share))
                .collect::<Vec<_>>()
        };
        self.0.iter().filter(is_random).flat_map(shares).collect()
    }
}

/// What both ends sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The hash of everything so far, the host's key included.
    Transcript,
    /// The two random values.
    Randoms,
    /// The same words every time.
    Constant,
}

/// The login to look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Login {
    /// What both ends sign.
    pub(crate) scope: Scope,
    /// Whether the server checks the client's signature.
    pub(crate) checks_signature: bool,
    /// Whether the server checks the password.
    pub(crate) checks_password: bool,
    /// Whether Mallory knows the user's password for the honest host, for instance because it is the same everywhere.
    pub(crate) password_known: bool,
    /// How many visits the user makes, and how many connections the honest host takes.
    pub(crate) sessions: usize,
}

/// The honest host.
const HOST: usize = 0;
/// The host whose keys the attacker has.
const MALLORY: usize = 1;
/// Where the attacker's own values begin, so that they are nobody else's.
const OWN: usize = 100;

/// How far the user is in one visit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Visit {
    Idle,
    /// ClientHello is out, and an answer from this host is awaited.
    Greeted(usize),
    /// CLIENT_AUTH is out to this host.
    LoggedIn(usize),
}

/// How far the honest host is in one connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Connection {
    Listening,
    /// The answer to this random value and this share is out.
    Answered(Term, Term),
    /// The honest host has accepted a login as the user.
    LetIn,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    known: Knowledge,
    visits: Vec<Visit>,
    connections: Vec<Connection>,
}

/// One step of somebody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The user begins a visit to a host.
    Greet(usize, usize),
    /// The user gets a ServerHello with this random value and share, and what else it wants to see.
    Answer(usize, Term, Term),
    /// The host gets a ClientHello with this random value and share.
    Hello(usize, Term, Term),
    /// The host gets a CLIENT_AUTH that it accepts.
    Enter(usize),
}

fn host_key(host: usize) -> Term {
    Atom("host key", host)
}

fn user_key() -> Term {
    Atom("user key", 0)
}

fn password(host: usize) -> Term {
    Atom("password", host)
}

fn label(role: &'static str) -> Term {
    Atom(role, 0)
}

/// The values that one end makes for one connection.
fn made(kind: &'static str, by: usize) -> (Term, Term) {
    let number = by + if kind == "server random" { 10 } else { 0 };
    (Atom(kind, by), Atom("ephemeral", number))
}

/// The four values of the two hellos, as one end sees them.
struct Hellos([Term; 4]);

impl Hellos {
    fn hash(&self) -> Term {
        Hash(self.0.to_vec())
    }

    fn signature(&self, login: &Login, role: &'static str, key: Term, host: usize) -> Term {
        let [client_random, _, server_random, _] = &self.0;
        let mut content = vec![label(role)];
        match login.scope {
            Scope::Transcript => content.extend([self.hash(), public(&host_key(host))]),
            Scope::Randoms => content.extend([client_random.clone(), server_random.clone()]),
            Scope::Constant => {}
        }
        signed(key, Hash(content))
    }

    /// SERVER_AUTH: a record that shows the host's key and a signature by it.
    fn server_auth(&self, login: &Login, shared: &Term, host: usize) -> Term {
        let proof = self.signature(login, "as server", host_key(host), host);
        self.seal("to client", shared, vec![public(&host_key(host)), proof])
    }

    /// CLIENT_AUTH: a record with the user's signature and password.
    fn client_auth(&self, shared: &Term, proof: Term, password: Term) -> Term {
        self.seal("to server", shared, vec![proof, password])
    }

    fn seal(&self, direction: &'static str, shared: &Term, parts: Vec<Term>) -> Term {
        let key = Hash(vec![label(direction), shared.clone(), self.hash()]);
        Sealed(Box::new(key), parts)
    }
}

impl Login {
    /// What the user sends when it gets this answer, if the attacker can make the answer at all.
    fn answered(&self, world: &World, visit: usize, random: &Term, share: &Term) -> Option<Term> {
        let Visit::Greeted(host) = world.visits[visit] else {
            return None;
        };
        let (own, secret) = made("client random", visit);
        let hellos = Hellos([own, public(&secret), random.clone(), share.clone()]);
        let shared = agree(&secret, share);
        let auth = hellos.server_auth(self, &shared, host);
        let proof = hellos.signature(self, "as client", user_key(), host);
        (world.known.can_make(&auth)).then(|| hellos.client_auth(&shared, proof, password(host)))
    }

    /// Whether the attacker can make a CLIENT_AUTH that the host accepts. What is not checked, it may choose.
    fn can_enter(&self, world: &World, connection: usize) -> bool {
        let Connection::Answered(random, share) = &world.connections[connection] else {
            return false;
        };
        let (own, secret) = made("server random", connection);
        let hellos = Hellos([random.clone(), share.clone(), own, public(&secret)]);
        let shared = agree(&secret, share);
        let real_proof = hellos.signature(self, "as client", user_key(), HOST);
        let junk = || label("junk");
        // A client's own record holds the real things also where nobody checks them.
        let proofs = [Some(real_proof), (!self.checks_signature).then(junk)];
        let passwords = [Some(password(HOST)), (!self.checks_password).then(junk)];
        proofs.iter().flatten().any(|proof| {
            passwords.iter().flatten().any(|word| {
                let auth = hellos.client_auth(&shared, proof.clone(), word.clone());
                world.known.can_make(&auth)
            })
        })
    }

    /// Searches the whole space. What is found comes as a story.
    ///
    /// # Panics
    /// When not even an honest login comes through: a model in which nothing works proves nothing.
    pub(crate) fn search(self) -> Found {
        let checker = self.checker().spawn_bfs().join();
        assert!(checker.is_done(), "the space is finite");
        assert!(
            checker.discovery(HONEST).is_some(),
            "{self:?} lets nobody in"
        );
        let story = |path: Path<World, Step>| {
            let steps = path.into_actions();
            steps.iter().map(Step::to_string).collect()
        };
        Found {
            states: checker.unique_state_count(),
            relay: checker.discovery(NO_RELAY).map(story),
            password: checker.discovery(PASSWORD_KEPT).map(story),
        }
    }
}

/// What came of a search.
pub(crate) struct Found {
    /// How many states there are.
    pub(crate) states: usize,
    /// The shortest way to be let in as a user who is not there, if there is one.
    pub(crate) relay: Option<Vec<String>>,
    /// The shortest way to the user's password for the honest host, if there is one and it was not known at once.
    pub(crate) password: Option<Vec<String>>,
}

const NO_RELAY: &str =
    "the honest host accepts no more logins as the user than the user makes there";
const PASSWORD_KEPT: &str = "the password for the honest host stays between the two";
const HONEST: &str = "an honest login comes through";

impl Model for Login {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        let mut known = Knowledge(BTreeSet::new());
        known.learn(["as server", "as client", "to server", "to client", "junk"].map(label));
        known.learn([HOST, MALLORY].map(|host| public(&host_key(host))));
        let (random, secret) = made("client random", OWN);
        let share = public(&secret);
        known.learn([
            host_key(MALLORY),
            public(&user_key()),
            random,
            secret,
            share,
        ]);
        known.learn(self.password_known.then(|| password(HOST)));
        vec![World {
            known,
            visits: vec![Visit::Idle; self.sessions],
            connections: vec![Connection::Listening; self.sessions],
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        let hellos = || world.known.hellos().into_iter();
        // Of several that have not begun, the first is as good as any.
        let idle = world.visits.iter().position(|v| *v == Visit::Idle);
        steps.extend(
            idle.iter()
                .flat_map(|i| [HOST, MALLORY].map(|host| Step::Greet(*i, host))),
        );
        let listening = world
            .connections
            .iter()
            .position(|c| *c == Connection::Listening);
        steps.extend(
            listening
                .iter()
                .flat_map(|i| hellos().map(|(r, s)| Step::Hello(*i, r, s))),
        );
        for (i, visit) in world.visits.iter().enumerate() {
            if let Visit::Greeted(_) = visit {
                steps.extend(hellos().map(|(r, s)| Step::Answer(i, r, s)));
            }
        }
        for (i, connection) in world.connections.iter().enumerate() {
            if let Connection::Answered(..) = connection {
                steps.push(Step::Enter(i));
            }
        }
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut next = world.clone();
        match step {
            Step::Greet(i, host) => {
                let (random, secret) = made("client random", i);
                next.known.learn([random, public(&secret)]);
                next.visits[i] = Visit::Greeted(host);
            }
            Step::Answer(i, random, share) => {
                let Visit::Greeted(host) = world.visits[i] else {
                    return None;
                };
                next.known
                    .learn([self.answered(world, i, &random, &share)?]);
                next.visits[i] = Visit::LoggedIn(host);
            }
            Step::Hello(i, random, share) => {
                let (own, secret) = made("server random", i);
                let own_share = public(&secret);
                let hellos = [&random, &share, &own, &own_share].map(Term::clone);
                let auth = Hellos(hellos).server_auth(self, &agree(&secret, &share), HOST);
                next.known.learn([own, own_share, auth]);
                next.connections[i] = Connection::Answered(random, share);
            }
            Step::Enter(i) => {
                if !self.can_enter(world, i) {
                    return None;
                }
                next.connections[i] = Connection::LetIn;
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn let_in(world: &World) -> usize {
            let is_in = |c: &&Connection| **c == Connection::LetIn;
            world.connections.iter().filter(is_in).count()
        }
        fn logged_in(world: &World) -> usize {
            let is_in = |v: &&Visit| **v == Visit::LoggedIn(HOST);
            world.visits.iter().filter(is_in).count()
        }
        vec![
            Property::always(NO_RELAY, |_, world: &World| {
                let_in(world) <= logged_in(world)
            }),
            Property::always(PASSWORD_KEPT, |login: &Self, world: &World| {
                login.password_known || !world.known.can_make(&password(HOST))
            }),
            Property::sometimes(HONEST, |_, world: &World| {
                let_in(world) == 1 && logged_in(world) == 1
            }),
        ]
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Atom(kind, by) if *by >= OWN => write!(f, "Mallory's own {kind}"),
            Atom("ephemeral", by) if *by >= 10 => write!(f, "the host's ephemeral"),
            Atom("ephemeral", _) => write!(f, "the user's ephemeral"),
            Atom("client random", _) => write!(f, "the user's random"),
            Atom("server random", _) => write!(f, "the host's random"),
            Public(secret) => write!(f, "{secret} share"),
            other => write!(f, "{other:?}"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Greet(_, HOST) => write!(f, "the user greets the honest host"),
            Step::Greet(..) => write!(f, "the user greets Mallory"),
            Step::Hello(_, random, share) => write!(
                f,
                "Mallory greets the honest host with {random} and {share}, and the host answers"
            ),
            Step::Answer(_, random, share) => write!(
                f,
                "Mallory answers the user with {random} and {share}, and the user logs in"
            ),
            Step::Enter(_) => write!(f, "the honest host accepts Mallory as the user"),
        }
    }
}
