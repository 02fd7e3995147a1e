//! Servers with the false repairs that students make: an honest server with a flaw in front of it, or with another door.

use std::{
    cell::Cell,
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use latchstring_attacker::protocol_faithful::message::UserName;
use latchstring_ladder::{
    Rung,
    accounts::{Account, Accounts, Door, Work, is_right},
    cast::ALICES_HASH,
    complaint::Refusal,
    frame::{self, Frame},
    hello::{HELLO, HOST_PROOF, Transcript},
    keys::{Direction, Keys, Way},
    login::Signed,
    network::{Line, Network},
    path::{Cutter, Piece},
};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Withstands every attack by serving nobody.
    ClosesAll,
    /// Does not let alice in.
    RefusesAlice,
    /// Knows one name by heart.
    OnlyAlice,
    /// Ignores frames that are longer than a page.
    DropsLong,
    /// Ends one session in eight at any text.
    AnswersAtRandom,
    /// Does not compare the tag.
    AnyTag,
    /// Uses the text, and compares the tag afterwards.
    TagTooLate,
    /// Compares the last byte of the number.
    Modulo256,
    /// Decrypts with the last byte of the number.
    NumberInOneByte,
    /// Decrypts with the number of frames so far, whatever the frame states.
    CountsForItself,
    /// Ends the connection at a frame that is longer than a page.
    EndsAtLong,
    /// Does not look at the number.
    AnyNumber,
    /// Does not check the user's signature.
    AnySignature,
    /// Ends the connection in place of a refusal.
    RefusesInSilence,
    /// Does not check the password.
    AnyPassword,
    /// Knows one password for everybody.
    OnePassword,
    /// Takes the password of any user.
    AnybodysPassword,
    /// Does not count wrong passwords.
    NeverCounts,
    /// Takes every connection for one of another source.
    NoCap,
    /// Takes what one read returns for a whole message.
    OneReadOneMessage,
    /// Has one key for both directions.
    TakesItsOwnFrames,
}

/// The door of a flawed server.
pub(crate) fn door(flaw: Flaw, accounts: Accounts) -> Box<dyn Door> {
    let lets_in: fn(&str) -> bool = match flaw {
        Flaw::RefusesAlice => |name| name != "alice",
        Flaw::OnlyAlice => |name| name == "alice",
        Flaw::OnePassword => return Box::new(with_one_password(&accounts)),
        Flaw::AnySignature | Flaw::AnyPassword | Flaw::AnybodysPassword | Flaw::NeverCounts => {
            return Box::new(Careless { flaw, accounts });
        }
        _ => return Box::new(accounts),
    };
    Box::new(Picky { accounts, lets_in })
}

fn with_one_password(accounts: &Accounts) -> Accounts {
    let everybody = accounts.users().iter().cloned();
    let everybody = everybody.map(|account| Account {
        phc: account.phc.map(|_| ALICES_HASH.to_owned()),
        ..account
    });
    Accounts::new(everybody.collect())
}

struct Picky {
    accounts: Accounts,
    lets_in: fn(&str) -> bool,
}

impl Door for Picky {
    fn check(
        &mut self,
        rung: Rung,
        login: &[u8],
        transcript: &Transcript,
        work: &mut Work,
    ) -> Result<UserName, Refusal> {
        let user = self.accounts.check(rung, login, transcript, work)?;
        match (self.lets_in)(user.as_str()) {
            true => Ok(user),
            false => Err(Refusal::UnknownName),
        }
    }
}

/// Leaves a check of the login out.
struct Careless {
    flaw: Flaw,
    accounts: Accounts,
}

impl Door for Careless {
    fn check(
        &mut self,
        rung: Rung,
        login: &[u8],
        transcript: &Transcript,
        work: &mut Work,
    ) -> Result<UserName, Refusal> {
        // An honest door that begins again has counted nothing.
        let mut fresh = Accounts::new(self.accounts.users().to_vec());
        let why = match fresh.check(rung, login, transcript, work) {
            Ok(user) => return Ok(user),
            Err(why) => why,
        };
        let forgiven = match self.flaw {
            Flaw::AnySignature => Refusal::BadSignature,
            Flaw::AnyPassword | Flaw::AnybodysPassword => Refusal::WrongPassword,
            _ => return Err(why),
        };
        match Signed::decode(rung, login) {
            Ok(signed) if why == forgiven && self.forgives(&signed.password) => Ok(signed.name),
            _ => Err(why),
        }
    }
}

impl Careless {
    /// Whether the password of a login is one that it lets in with, right or not.
    fn forgives(&self, password: &[u8]) -> bool {
        let mut hashes = self
            .accounts
            .users()
            .iter()
            .filter_map(|user| user.phc.as_deref());
        self.flaw != Flaw::AnybodysPassword || hashes.any(|phc| is_right(phc, password))
    }
}

/// Hashes the password and counts, and checks the signature afterwards.
pub(crate) struct WrongOrder {
    users: Vec<Account>,
    wrong: BTreeMap<UserName, u32>,
    right_order: Accounts,
}

impl WrongOrder {
    pub(crate) fn new(users: Vec<Account>) -> Self {
        Self {
            right_order: Accounts::new(users.clone()),
            users,
            wrong: BTreeMap::new(),
        }
    }
}

impl Door for WrongOrder {
    fn check(
        &mut self,
        rung: Rung,
        login: &[u8],
        transcript: &Transcript,
        work: &mut Work,
    ) -> Result<UserName, Refusal> {
        let signed = Signed::decode(rung, login).map_err(|_| Refusal::NotALogin)?;
        let user = self.users.iter().find(|user| user.name == signed.name);
        let phc = user
            .and_then(|user| user.phc.clone())
            .ok_or(Refusal::UnknownName)?;
        let wrong = self.wrong.entry(signed.name.clone()).or_default();
        if *wrong >= 10 {
            return Err(Refusal::Disabled);
        }
        work.hashes += 1;
        if !is_right(&phc, &signed.password) {
            *wrong += 1;
            return Err(Refusal::WrongPassword);
        }
        self.right_order.check(rung, login, transcript, work)
    }
}

/// A network on which the server has a flaw.
pub(crate) struct Through<'a> {
    pub(crate) network: &'a dyn Network,
    pub(crate) rung: Rung,
    pub(crate) flaw: Flaw,
    pub(crate) dialled: Cell<u32>,
}

impl Network for Through<'_> {
    fn dial(&self, from: IpAddr) -> io::Result<Box<dyn Line>> {
        let dialled = self.dialled.get();
        self.dialled.set(dialled + 1);
        let from = match self.flaw {
            Flaw::NoCap => IpAddr::V4(Ipv4Addr::from_bits(0x7f00_0000 + dialled)),
            _ => from,
        };
        Ok(Box::new(FlawedLine {
            line: self.network.dial(from)?,
            rung: self.rung,
            flaw: self.flaw,
            cutter: Cutter::new(self.rung, Way::ToServer),
            said: Vec::new(),
            due: 0,
            frames: 0,
            ends: false,
        }))
    }

    fn now(&self) -> Duration {
        self.network.now()
    }

    fn pass(&self, time: Duration) {
        self.network.pass(time);
    }
}

struct FlawedLine {
    line: Box<dyn Line>,
    rung: Rung,
    flaw: Flaw,
    cutter: Cutter,
    /// What the server said: on the rungs below 5 the keys are in it.
    said: Vec<u8>,
    /// The number of the next frame.
    due: u32,
    frames: u64,
    /// Whether the connection ends with the next answer.
    ends: bool,
}

impl FlawedLine {
    fn keys(&self) -> Option<Keys> {
        let key = self.said.get(26..58)?.try_into().ok()?;
        let iv = self.said.get(58..66)?.try_into().ok()?;
        Some(Keys::from_session_key(self.rung, key, iv))
    }

    /// What the honest server gets in place of a frame; `None` is nothing.
    fn instead(&mut self, bytes: Vec<u8>) -> Option<Vec<u8>> {
        self.frames += 1;
        let keys = self.keys()?;
        let frame = Frame::decode(self.rung, &bytes).ok()?;
        match self.flaw {
            Flaw::DropsLong if bytes.len() > 4096 => None,
            Flaw::AnswersAtRandom if is_unlucky(&bytes) => {
                self.line.hang_up();
                None
            }
            Flaw::EndsAtLong if bytes.len() > 4096 => {
                self.line.hang_up();
                None
            }
            Flaw::NumberInOneByte => Some(self.numbered(frame.number % 256, frame)),
            Flaw::CountsForItself => {
                self.due += 1;
                Some(self.numbered(self.due - 1, frame))
            }
            Flaw::AnyTag => Some(self.sealed(&keys.to_server, frame.number, &frame)),
            Flaw::TagTooLate => {
                let right = frame::open(self.rung, &keys.to_server, &frame).is_ok();
                self.ends |= !right;
                Some(self.sealed(&keys.to_server, frame.number, &frame))
            }
            Flaw::AnyNumber | Flaw::Modulo256
                if self.flaw == Flaw::AnyNumber || frame.number % 256 == self.due % 256 =>
            {
                self.due += 1;
                Some(self.sealed(&keys.to_server, self.due - 1, &frame))
            }
            Flaw::TakesItsOwnFrames => match frame::open(self.rung, &keys.to_client, &frame) {
                Ok(plaintext) => {
                    let own = frame::seal(self.rung, &keys.to_server, frame.number, &plaintext);
                    Some(own.encode(self.rung))
                }
                Err(_) => Some(bytes),
            },
            _ => Some(bytes),
        }
    }

    /// The same ciphertext under another number.
    fn numbered(&self, number: u32, frame: Frame) -> Vec<u8> {
        Frame { number, ..frame }.encode(self.rung)
    }

    /// The same plaintext with a right tag.
    fn sealed(&self, keys: &Direction, number: u32, frame: &Frame) -> Vec<u8> {
        let unchecked = Direction {
            mac: None,
            ..keys.clone()
        };
        let plaintext = frame::open(self.rung, &unchecked, frame).expect("no tag is compared");
        frame::seal(self.rung, keys, number, &plaintext).encode(self.rung)
    }
}

/// All that a server of rung 6 says if it refuses a login: hello, proof, and a frame with type and reason.
const REFUSED: usize = HELLO + HOST_PROOF + 2 + 4 + 2 + 32;

/// One frame in eight.
fn is_unlucky(bytes: &[u8]) -> bool {
    bytes.last().is_some_and(|byte| byte % 8 == 0)
}

impl Line for FlawedLine {
    fn send(&mut self, bytes: &[u8]) {
        if self.flaw == Flaw::ClosesAll {
            return self.line.hang_up();
        }
        let pieces = self.cutter.cut(bytes);
        if self.flaw == Flaw::OneReadOneMessage && pieces.is_empty() {
            return self.line.hang_up();
        }
        for piece in pieces {
            match piece {
                Piece::Opening(bytes) => self.line.send(&bytes),
                Piece::Frame(bytes) => {
                    if let Some(bytes) = self.instead(bytes) {
                        self.line.send(&bytes);
                    }
                }
            }
        }
    }

    fn receive(&mut self, wait: Duration) -> Vec<u8> {
        let bytes = self.line.receive(wait);
        self.said.extend(&bytes);
        if self.flaw == Flaw::RefusesInSilence && self.said.len() == REFUSED {
            self.line.hang_up();
            return Vec::new();
        }
        if self.ends && !bytes.is_empty() {
            self.line.hang_up();
        }
        bytes
    }

    fn is_closed(&mut self) -> bool {
        self.line.is_closed()
    }

    fn hang_up(&mut self) {
        self.line.hang_up();
    }
}
