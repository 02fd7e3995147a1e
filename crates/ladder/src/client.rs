//! The client of every rung, without sockets and clock. It reads top to bottom in the order of a session: login, exchange,
//! verdict, texts, end.

use std::collections::VecDeque;

use latchstring_attacker::protocol_faithful::message::{REPLIES_LEN, decode_replies};
use rand::rngs::ChaCha20Rng;
use thiserror::Error;

use crate::{
    complaint::{Complaint, Ending},
    content::{Content, max_text},
    frame::{Opener, Sealer},
    hello::{HELLO, HOST_PROOF, Half, Transcript, check_host},
    inbox::{Due, Inbox},
    keys::{Keys, Way},
    login::Credentials,
    rung::{Idea, Rung},
};

/// A text that no frame of this rung can hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a text of {len} bytes cannot be sent on this rung: send 1 to {max} bytes")]
pub struct BadText {
    /// Its bytes.
    pub len: usize,
    /// The longest that is allowed.
    pub max: usize,
}

/// What the client expects next.
enum State {
    /// Rungs 0 to 4: the greeting, the session key and the IV.
    ExpectReplies,
    /// From rung 5 on: the server's hello.
    ExpectHello(Half),
    /// The host's key and signature.
    ExpectHost([u8; 32]),
    /// The verdict on the login.
    ExpectVerdict(Channel),
    /// Texts may be sent.
    Open(Channel),
    /// The server shall state the end, too.
    ExpectClosed(Channel),
    /// Nothing.
    Over(Ending),
}

struct Channel {
    sealer: Sealer,
    opener: Opener,
    /// The number of the text that waits for its answer, from rung 2 on.
    waiting: Option<u32>,
}

impl Channel {
    fn new(rung: Rung, keys: &Keys) -> Self {
        Self {
            sealer: Sealer::new(rung, keys.to_server.clone()),
            opener: Opener::new(rung, keys.to_client.clone()),
            waiting: None,
        }
    }
}

/// A client in the middle of a session.
pub struct Client {
    rung: Rung,
    pin: Option<[u8; 32]>,
    credentials: Box<dyn Credentials>,
    rng: ChaCha20Rng,
    transcript: Transcript,
    keys: Option<Keys>,
    state: State,
    inbox: Inbox,
    outbox: VecDeque<Vec<u8>>,
    texts: VecDeque<Vec<u8>>,
    sent: u32,
    answered: u32,
    finishing: bool,
}

impl Client {
    /// Begins a session: the first bytes wait to be [written](Self::write). `pin` is the fingerprint of the host's key,
    /// from rung 5 on; without one the client takes any host, as an attacker does.
    pub fn start(
        rung: Rung,
        pin: Option<[u8; 32]>,
        credentials: Box<dyn Credentials>,
        rng: ChaCha20Rng,
    ) -> Self {
        let mut client = Self {
            rung,
            pin,
            credentials,
            rng,
            transcript: Transcript::default(),
            keys: None,
            state: State::ExpectReplies,
            inbox: Inbox::default(),
            outbox: VecDeque::new(),
            texts: VecDeque::new(),
            sent: 0,
            answered: 0,
            finishing: false,
        };
        match rung.has(Idea::Exchange) {
            true => client.send_hello(),
            false => client.send_login_in_clear(),
        }
        client
    }

    /// Rungs 0 to 4. From rung 1 on it has a length in front.
    fn send_login_in_clear(&mut self) {
        let login = (self.credentials).login(self.rung, &self.transcript, &mut self.rng);
        let length = u16::try_from(login.len()).unwrap_or(u16::MAX).to_be_bytes();
        let length = &length[..if self.rung.has(Idea::Numbers) { 2 } else { 0 }];
        self.outbox.push_back([length, &login].concat());
    }

    fn send_hello(&mut self) {
        let half = Half::draw(&mut self.rng);
        let hello = half.hello(self.rung);
        self.transcript.add(&hello);
        self.outbox.push_back(hello.to_vec());
        self.state = State::ExpectHello(half);
    }

    /// Queues a text. It leaves once the one before it is answered.
    ///
    /// # Errors
    /// [`BadText`] when no frame of this rung can hold it.
    pub fn say(&mut self, text: &[u8]) -> Result<(), BadText> {
        let max = max_text(self.rung);
        if text.is_empty() || text.len() > max {
            return Err(BadText {
                len: text.len(),
                max,
            });
        }
        self.texts.push_back(text.to_vec());
        self.go_on();
        Ok(())
    }

    /// Ends the session once all texts are said: from rung 4 on with a close, below with `change()`.
    pub fn finish(&mut self) {
        self.finishing = true;
        self.go_on();
    }

    /// The next bytes to write, in one write.
    pub fn write(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }

    /// Takes what one read returned.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.inbox.add(bytes);
        while self.ending().is_none() {
            match self.step() {
                Ok(true) => self.go_on(),
                Ok(false) => break,
                Err(complaint) => self.end(Ending::Complained(complaint)),
            }
        }
    }

    /// The server has hung up.
    pub fn lost(&mut self) {
        let ending = match &self.state {
            State::Over(_) => return,
            State::Open(channel) if channel.waiting.is_some() => {
                Ending::Complained(Complaint::Unanswered)
            }
            // Below rung 4 an end is just an end, unless something was still to be said.
            State::Open(_) if !self.rung.has(Idea::Ending) && self.texts.is_empty() => Ending::Left,
            State::ExpectReplies => Ending::Refused(None),
            _ => Ending::Complained(Complaint::Truncated),
        };
        self.end(ending);
    }

    /// Nothing has come for as long as the client waits.
    pub fn give_up(&mut self) {
        let ending = match &self.state {
            State::Over(_) => return,
            State::Open(channel) if channel.waiting.is_some() => Complaint::Unanswered,
            _ => Complaint::TooSlow,
        };
        self.end(Ending::Complained(ending));
    }

    /// How the session ended, once it has.
    pub fn ending(&self) -> Option<&Ending> {
        match &self.state {
            State::Over(ending) => Some(ending),
            _ => None,
        }
    }

    /// Whether the login was taken.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_) | State::ExpectClosed(_))
    }

    /// Whether the client has nothing to do before more arrives or is said.
    pub fn is_waiting(&self) -> bool {
        match &self.state {
            State::Open(channel) => channel.waiting.is_some(),
            State::Over(_) => false,
            _ => true,
        }
    }

    /// How many texts were sent.
    pub fn sent(&self) -> u32 {
        self.sent
    }

    /// How many texts were answered: always 0 below rung 2.
    pub fn answered(&self) -> u32 {
        self.answered
    }

    /// The session's keys, once they are there. For attackers, who are clients too, and for test vectors.
    pub fn keys(&self) -> Option<&Keys> {
        self.keys.as_ref()
    }

    /// One message, if a whole one is there.
    fn step(&mut self) -> Result<bool, Complaint> {
        match &mut self.state {
            State::ExpectReplies => {
                let Some(replies) = self.inbox.take(REPLIES_LEN) else {
                    return Ok(false);
                };
                self.open_with_session_key(&replies)?;
            }
            State::ExpectHello(half) => {
                let Some(hello) = self.inbox.take(HELLO) else {
                    return Ok(false);
                };
                let hello = hello.try_into().expect("it has the length of a hello");
                let secret = half.agree(self.rung, &hello)?;
                self.transcript.add(&hello);
                self.state = State::ExpectHost(secret);
            }
            State::ExpectHost(secret) => {
                let secret = *secret;
                let Some(proof) = self.inbox.take(HOST_PROOF) else {
                    return Ok(false);
                };
                check_host(&proof, self.pin.as_ref(), &mut self.transcript)?;
                self.send_login_in_channel(&secret);
            }
            State::ExpectVerdict(_) => return self.step_in_channel(Due::Verdict),
            State::Open(_) | State::ExpectClosed(_) => return self.step_in_channel(Due::Any),
            State::Over(_) => return Ok(false),
        }
        Ok(true)
    }

    /// Rungs 0 to 4: whoever sends 66 bytes is the server.
    fn open_with_session_key(&mut self, replies: &[u8]) -> Result<(), Complaint> {
        let secrets =
            decode_replies(replies).map_err(|_| Complaint::Malformed("the greeting is another"))?;
        let keys = Keys::from_session_key(self.rung, &secrets.key, &secrets.iv);
        self.state = State::Open(Channel::new(self.rung, &keys));
        self.keys = Some(keys);
        Ok(())
    }

    /// From rung 5 on: not a byte of the login leaves before the host is the pinned one.
    fn send_login_in_channel(&mut self, secret: &[u8; 32]) {
        let keys = Keys::from_exchange(secret, &self.transcript.hash());
        let mut channel = Channel::new(self.rung, &keys);
        let login = (self.credentials).login(self.rung, &self.transcript, &mut self.rng);
        let plaintext = Content::Login(login).encode(self.rung);
        self.outbox.push_back(channel.sealer.seal(&plaintext).1);
        self.state = State::ExpectVerdict(channel);
        self.keys = Some(keys);
    }

    fn step_in_channel(&mut self, due: Due) -> Result<bool, Complaint> {
        let Some(frame) = self.inbox.frame(self.rung, due)? else {
            return Ok(false);
        };
        let (State::ExpectVerdict(channel) | State::Open(channel) | State::ExpectClosed(channel)) =
            &mut self.state
        else {
            return Ok(false);
        };
        let (_, plaintext) = channel.opener.open(&frame)?;
        let content = Content::decode(self.rung, Way::ToClient, &plaintext)?;
        self.take(content)?;
        Ok(true)
    }

    /// What may be said depends on what is expected; all else ends the connection.
    fn take(&mut self, content: Content) -> Result<(), Complaint> {
        let state = std::mem::replace(&mut self.state, State::Over(Ending::Left));
        self.state = match (state, content) {
            (State::ExpectVerdict(channel), Content::Welcome) => State::Open(channel),
            (State::ExpectVerdict(_), Content::Refused(why)) => State::Over(Ending::Refused(why)),
            (State::Open(mut channel), Content::Acknowledgement(number)) => {
                let waiting = channel.waiting.take();
                // Rung 2 says `ok` and not to what.
                let right = waiting.is_some() && (number.is_none() || number == waiting);
                if !right {
                    return Err(Complaint::WrongAnswer);
                }
                self.answered += 1;
                State::Open(channel)
            }
            (State::ExpectClosed(_), Content::Closed) => State::Over(Ending::Closed),
            _ => return Err(Complaint::Malformed("this may not be said now")),
        };
        Ok(())
    }

    /// Sends what may be sent now.
    fn go_on(&mut self) {
        while let State::Open(channel) = &mut self.state {
            if channel.waiting.is_some() {
                return;
            }
            let Some(text) = self.texts.pop_front() else {
                break;
            };
            let plaintext = Content::Text(text).encode(self.rung);
            let (number, frame) = channel.sealer.seal(&plaintext);
            channel.waiting = self.rung.has(Idea::Tag).then_some(number);
            self.sent += 1;
            self.outbox.push_back(frame);
        }
        if self.finishing && matches!(self.state, State::Open(_)) {
            self.say_the_end();
        }
    }

    fn say_the_end(&mut self) {
        let ending = match self.rung.has(Idea::Ending) {
            true => Content::Close(self.sent),
            false => Content::Text(b"change()".to_vec()),
        };
        let state = std::mem::replace(&mut self.state, State::Over(Ending::Change));
        if let State::Open(mut channel) = state {
            let frame = channel.sealer.seal(&ending.encode(self.rung)).1;
            self.outbox.push_back(frame);
            if self.rung.has(Idea::Ending) {
                self.state = State::ExpectClosed(channel);
            }
        }
    }

    fn end(&mut self, ending: Ending) {
        self.state = State::Over(ending);
    }
}
