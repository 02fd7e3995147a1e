//! Peers that leave defences out: for the arena alone.
//!
//! [`Weakened`] is the only type in the workspace that can answer no when it is asked whether it keeps a defence. The
//! type lives here, where `latchstring-client` and `latchstring-server` cannot reach it. Weakened code runs in memory
//! or on loopback, and its hello says `latchLAB`, which no real peer answers.
//!
//! Most defences are checks, and a check is left out where it stands. The others are replaced, by what stands here:
//!
//! * `records`: records without a fresh nonce, a checked tag, numbers, or a wide counter;
//! * `enrolment`: a server that enrols any key;
//! * `server`: which parts of a server are replaced;
//! * `lookup`: a server that looks for its users one by one, or hashes first, or does nothing for strangers;
//! * `failures`: a server that charges a login without the key to the account;
//! * `passwords`: a store whose passwords can be guessed fast;
//! * `generator`: randomness that can be guessed;
//! * `signed`: signatures that cover the random values alone, or any role;
//! * `exchange`: key exchanges that can be read, decrypted later, or asked questions, or that say who is calling.

mod enrolment;
mod exchange;
mod failures;
pub mod generator;
mod lookup;
pub(crate) mod passwords;
mod records;
pub(crate) mod server;
mod signed;

use std::{fmt, str::FromStr};

pub(crate) use exchange::{transport_modulus, transport_pem};
use latchstring_attacker::protocol::hardened::{
    Error,
    defence::{Defence, Defences},
    full::Full,
    message::Type,
    parts::{Exchange, Parts, RecordProtection},
    primitives::Secret,
    record::BUCKETS,
    role::Role,
};

use latchstring_cli::suggest::nearest;
pub use passwords::memory_hard;

/// `latch/2` without some of its defences.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Weakened {
    /// A bit for each defence that is left out, by its place in [`Defence::ALL`].
    removed: u64,
}

impl Weakened {
    /// Leaves out these.
    pub fn without(removed: &[Defence]) -> Self {
        let removed = removed.iter().fold(0, |set, defence| set | bit(*defence));
        Self { removed }
    }

    /// The defences that are left out, in the order of [`Defence::ALL`].
    pub fn removed(&self) -> Vec<Defence> {
        let all = Defence::ALL.iter().copied();
        all.filter(|defence| !self.keeps(*defence)).collect()
    }

    /// Whether nothing is left out: then the real thing is to be used.
    pub fn is_full(&self) -> bool {
        self.removed == 0
    }
}

fn bit(defence: Defence) -> u64 {
    1 << defence as u32
}

impl Defences for Weakened {
    fn keeps(&self, defence: Defence) -> bool {
        self.removed & bit(defence) == 0
    }
}

impl Parts for Weakened {
    fn exchange(&self, role: Role, secret: &Secret) -> Box<dyn Exchange> {
        exchange::of(self, role, secret)
    }

    fn share_len(&self, role: Role) -> usize {
        exchange::share_len(self, role)
    }

    fn record_protection(&self, secret: &Secret, epoch: u32) -> Box<dyn RecordProtection> {
        Box::new(records::WeakRecordProtection::new(*self, secret, epoch))
    }

    fn lengths(&self, exact: &'static [usize]) -> &'static [usize] {
        if !self.keeps(Defence::Padding) {
            records::every_length()
        } else if !self.keeps(Defence::Deadlines) {
            &BUCKETS
        } else {
            exact
        }
    }

    fn signed(&self, role: Role, transcript: &[u8]) -> Vec<u8> {
        signed::signed(self, role, transcript)
    }

    fn traffic_labels(&self) -> [&'static str; 2] {
        let [client, server] = Full.traffic_labels();
        match self.keeps(Defence::DirectionKeys) {
            true => [client, server],
            false => [client; 2],
        }
    }

    fn refusal(&self, reason: &str) -> Vec<u8> {
        match self.keeps(Defence::UniformFailure) {
            true => Full.refusal(reason),
            false => reason.as_bytes().to_vec(),
        }
    }

    /// The server's own word, from a client: "you have already let me in". From then on nothing more has to be proven.
    fn out_of_state(&mut self, typ: Type) -> Result<(), Error> {
        if self.keeps(Defence::StateMachine) || typ != Type::AuthOk {
            return Err(Error::ANOTHER_STATE);
        }
        let proofs = [
            Defence::FinishedMacs,
            Defence::ClientSignature,
            Defence::Password,
        ];
        self.removed |= Self::without(&proofs).removed;
        Ok(())
    }
}

impl fmt::Display for Weakened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.removed().into_iter().map(Defence::id).collect();
        f.pad(&names.join(","))
    }
}

impl FromStr for Weakened {
    type Err = String;

    /// Reads names of defences with commas in between.
    fn from_str(names: &str) -> Result<Self, String> {
        let found: Result<Vec<Defence>, String> = (names.split(','))
            .map(|name| {
                Defence::find(name.trim()).ok_or_else(|| {
                    let hint = nearest(name, Defence::ALL.iter().map(|defence| defence.id()));
                    format!(
                        "there is no defence {name:?}{hint}; `latchstring-attack list` names them"
                    )
                })
            })
            .collect();
        Ok(Self::without(&found?))
    }
}

#[cfg(test)]
mod tests {
    use latchstring_attacker::protocol::hardened::keys::X25519;

    use super::*;

    #[test]
    fn each_defence_can_be_taken_out_alone_and_named() {
        for defence in Defence::ALL {
            let weakened = Weakened::without(&[*defence]);
            assert_eq!(weakened.removed(), [*defence]);
            assert_eq!(weakened.to_string().parse(), Ok(weakened));
            assert!(!weakened.is_full());
        }
        assert!(Weakened::default().is_full());
        assert!("mac,hope".parse::<Weakened>().unwrap_err().contains("hope"));
    }

    #[test]
    fn with_nothing_left_out_it_makes_what_the_real_thing_makes() {
        let secret = Secret::new([7; 32]);
        let (ours, real) = (
            Weakened::default().record_protection(&secret, 1),
            Full.record_protection(&secret, 1),
        );
        let mut a = vec![0; 68];
        let mut b = a.clone();
        ours.close(3, &mut a);
        real.close(3, &mut b);
        assert_eq!(a, b);
        let exchange = Weakened::default().exchange(Role::Client, &secret);
        assert_eq!(exchange.share(), X25519::new(&secret).share());
    }
}
