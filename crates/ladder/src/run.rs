//! One attack against one rung, from beginning to verdict.

use latchstring_arena::verdict::{Outcome, Verdict};
use rand::{SeedableRng, rngs::ChaCha20Rng};
use serde::Serialize;

use crate::{
    accounts::{Accounts, Door},
    attack::{Attack, Claim, Goal, Outside, Program, Stolen},
    attacks::seeded_keys,
    cast,
    client::Client,
    impostor::{AnyLogin, Logins},
    judge::{Truth, judge},
    network::{HONEST, Memory, Network},
    rung::{Idea, Rung},
    server::{Server, What},
    session::{self, Middle, Tap},
};

/// What alice types. The fourth text is what a server of rung 2 answers, so that a reflected frame could pass for an answer.
pub const SCRIPT: [&str; 6] = [
    "hello my name is alice",
    "pay bob 10",
    "the meeting is at noon",
    "ok",
    "do not tell anyone",
    "see you soon",
];

/// One attack against one rung.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// The attack.
    pub attack: &'static str,
    /// The rung.
    pub rung: Rung,
    /// What came of it.
    pub verdict: Verdict,
}

/// Runs an attack in memory.
///
/// # Panics
/// When the rung is not [spoken](Rung::is_spoken): rung 9 is for the arena.
pub fn run(attack: &Attack, rung: Rung, seed: u64) -> Run {
    run_at(
        attack,
        rung,
        seed,
        Box::new(Accounts::new(cast::accounts(rung))),
    )
}

/// The same against a server with another door: how flawed servers are tried.
///
/// # Panics
/// As [`run`].
pub fn run_at(attack: &Attack, rung: Rung, seed: u64, door: Box<dyn Door>) -> Run {
    assert!(rung.is_spoken(), "rung {rung} is for the arena");
    let verdict = match attack.needs {
        Some((idea, why)) if !rung.has(idea) => Verdict::new(Outcome::DoesNotApply, why),
        _ => Scene { rung, seed }.play(attack, door),
    };
    Run {
        attack: attack.id,
        rung,
        verdict,
    }
}

struct Scene {
    rung: Rung,
    seed: u64,
}

impl Scene {
    fn play(&self, attack: &Attack, door: Box<dyn Door>) -> Verdict {
        let (claim, truth) = match attack.program {
            Program::OnPath(make) => self.on_path(door, &mut *make(self.rung)),
            Program::Pose => self.pose(),
            Program::Relay(program) => self.relay(door, program),
            Program::Sniff(program) => self.sniff(door, |tap| program(self.rung, tap)),
            Program::SniffThenSteal(program) => {
                self.sniff(door, |tap| program(self.rung, tap, &stolen()))
            }
            Program::SniffSeeded(program) => self.sniff_seeded(door, program),
            Program::Dial(program) => self.dial(door, attack.goal, program),
            Program::Files(program) => {
                let (_, truth) = self.sniff(door, |_| Claim::Nothing);
                (program(self.rung, &cast::accounts(self.rung)), truth)
            }
        };
        let on_path = matches!(
            attack.program,
            Program::OnPath(_) | Program::Pose | Program::Relay(_)
        );
        match on_path || truth.is_as_typed() {
            true => judge(attack.goal, &claim, &truth),
            false => Verdict::new(Outcome::Inconclusive, "the honest session failed"),
        }
    }

    fn server(&self, door: Box<dyn Door>, rng: ChaCha20Rng) -> Server {
        let host = self.rung.has(Idea::Exchange).then(cast::host);
        Server::new(self.rung, host, door, rng)
    }

    fn network(&self, door: Box<dyn Door>) -> Memory {
        Memory::new(self.server(door, cast::rng(self.seed, "server")))
    }

    /// Alice visits the host whose key she pinned.
    fn alice(&self, pin: [u8; 32], visit: u32) -> Client {
        let pin = self.rung.has(Idea::Exchange).then_some(pin);
        let rng = cast::rng(self.seed, &format!("alice {visit}"));
        Client::start(self.rung, pin, Box::new(cast::alice()), rng)
    }

    /// Alice types the script, and ends the session.
    fn visit(&self, network: &Memory, middle: &mut dyn Middle) -> Truth {
        let mut alice = self.alice(cast::pin(), 1);
        let truth = converse(&mut alice, network, middle);
        Truth {
            honest: Some(0),
            log: network.server(|server| server.log().to_vec()),
            ..truth
        }
    }

    fn on_path(&self, door: Box<dyn Door>, middle: &mut dyn Middle) -> (Claim, Truth) {
        let network = self.network(door);
        (Claim::Done, self.visit(&network, middle))
    }

    fn sniff(&self, door: Box<dyn Door>, program: impl Fn(&Tap) -> Claim) -> (Claim, Truth) {
        let network = self.network(door);
        let mut tap = Tap::default();
        let truth = self.visit(&network, &mut tap);
        (program(&tap), truth)
    }

    fn sniff_seeded(
        &self,
        door: Box<dyn Door>,
        program: fn(Rung, &Tap) -> Claim,
    ) -> (Claim, Truth) {
        let second = seeded_keys::started(self.seed);
        let rng = ChaCha20Rng::seed_from_u64(second);
        let network = Memory::new(self.server(door, rng));
        let mut tap = Tap::default();
        let truth = self.visit(&network, &mut tap);
        (program(self.rung, &tap), truth)
    }

    fn dial(
        &self,
        door: Box<dyn Door>,
        goal: Goal,
        program: fn(&Outside<'_>) -> Claim,
    ) -> (Claim, Truth) {
        let network = self.network(door);
        let mut tap = Tap::default();
        let mut truth = self.visit(&network, &mut tap);
        let before = network.server(Server::spent);
        let outside = Outside::new(self.rung, &network, &tap, self.seed);
        let claim = program(&outside);
        truth.held_lines = outside.held.borrow().len();
        let after = network.server(Server::spent);
        truth.spent.trials = after.trials - before.trials;
        truth.spent.hashes = after.hashes - before.hashes;
        truth.log = network.server(|server| server.log().to_vec());
        truth.stopped = network.server(Server::is_stopped);
        if goal == Goal::Deny {
            truth.let_in_again = Some(self.comes_back(&network));
        }
        (claim, truth)
    }

    fn comes_back(&self, network: &Memory) -> bool {
        let mut alice = self.alice(cast::pin(), 2);
        let mut line = network.dial(HONEST).expect("memory can always be dialled");
        session::settle(&mut alice, &mut *line, &mut Tap::default());
        alice.is_open()
    }

    /// Alice means to reach the host, and reaches the attacker's server.
    fn pose(&self) -> (Claim, Truth) {
        let (network, _) = self.mallorys();
        let mut alice = self.alice(cast::pin(), 1);
        let truth = converse(&mut alice, &network, &mut Tap::default());
        let harvested = harvested(&network);
        (Claim::Done, Truth { harvested, ..truth })
    }

    /// Alice visits the attacker's host and knows it. The attacker uses her login elsewhere.
    fn relay(
        &self,
        door: Box<dyn Door>,
        program: fn(&Outside<'_>, &[u8]) -> Claim,
    ) -> (Claim, Truth) {
        let (theirs, came) = self.mallorys();
        let pin = crate::signature::fingerprint(cast::mallorys_host().spki());
        let mut alice = self.alice(pin, 1);
        let mut tap = Tap::default();
        let truth = converse(&mut alice, &theirs, &mut tap);
        let network = self.network(door);
        let claim = came.first().map_or(Claim::Nothing, |login| {
            program(&Outside::new(self.rung, &network, &tap, self.seed), &login)
        });
        let log = network.server(|server| server.log().to_vec());
        (claim, Truth { log, ..truth })
    }

    /// The attacker's own server, which lets everybody in.
    fn mallorys(&self) -> (Memory, Logins) {
        let came = Logins::default();
        let door = AnyLogin {
            came: came.clone(),
            visitor: cast::alice().name,
        };
        let host = self.rung.has(Idea::Exchange).then(cast::mallorys_host);
        let rng = cast::rng(self.seed, "mallory");
        (
            Memory::new(Server::new(self.rung, host, Box::new(door), rng)),
            came,
        )
    }
}

/// Types the script at whatever server is there, and says how the client saw it.
fn converse(client: &mut Client, network: &Memory, middle: &mut dyn Middle) -> Truth {
    let mut line = network.dial(HONEST).expect("memory can always be dialled");
    for text in SCRIPT {
        client
            .say(text.as_bytes())
            .expect("the script's texts fit every rung");
    }
    client.finish();
    session::run(client, &mut *line, middle);
    Truth {
        typed: SCRIPT.map(|text| text.as_bytes().to_vec()).to_vec(),
        client: client.ending().cloned(),
        answered: client.answered(),
        password: cast::alice().password,
        ..Truth::default()
    }
}

fn harvested(network: &Memory) -> Vec<Vec<u8>> {
    network.server(|server| {
        let events = server.log().iter();
        let texts = events.filter_map(|event| match &event.what {
            What::Took(text) => Some(text.clone()),
            _ => None,
        });
        texts.collect()
    })
}

fn stolen() -> Stolen {
    let key = |target| latchstring_arena::peers::private_key_pem(target).to_owned();
    Stolen {
        host: latchstring_arena::keys::HOST_PEM.to_owned(),
        user: [
            latchstring_attacker::Target::Faithful,
            latchstring_attacker::Target::Hardened,
        ]
        .map(key)
        .to_vec(),
    }
}
