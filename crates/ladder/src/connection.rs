//! A server's end of one connection. It reads top to bottom in the order of a session: login, exchange, texts, end.

use std::{collections::VecDeque, net::IpAddr, time::Duration};

use latchstring_attacker::protocol_faithful::{
    keys::SessionSecrets,
    message::{UserName, encode_replies},
};

use crate::{
    complaint::{Complaint, Ending, Refusal},
    content::{Content, says_why},
    frame::{Opener, Sealer},
    hello::{HELLO, Half, Transcript, prove_host},
    inbox::{Due, Inbox},
    keys::{Keys, Way},
    rung::{Idea, Rung},
    server::{FRAME_DEADLINE, LOGIN_DEADLINE, REFUSAL_AFTER, Server, What},
};

/// What a server expects next on one connection.
enum State {
    /// Rungs 0 to 4.
    ExpectLoginInClear,
    /// From rung 5 on.
    ExpectHello,
    /// The login, inside the channel.
    ExpectLogin(Channel, Transcript),
    /// Texts.
    Open(Channel, u32),
    /// Rung 8: the refusal waits for its time.
    Refusing(Channel, Duration),
    /// Nothing.
    Over,
}

struct Channel {
    sealer: Sealer,
    opener: Opener,
}

/// A server's end of one connection.
pub struct Connection {
    rung: Rung,
    id: usize,
    source: IpAddr,
    began: Duration,
    /// When the first byte of the frame came that is not complete.
    frame_began: Option<Duration>,
    state: State,
    /// Whether the client is logged in.
    known: bool,
    inbox: Inbox,
    outbox: VecDeque<Vec<u8>>,
}

impl Connection {
    /// Serves a connection that is [admitted](Server::admits).
    pub fn begin(server: &mut Server, source: IpAddr, now: Duration) -> Self {
        let rung = server.rung();
        Self {
            rung,
            id: server.begin(source),
            source,
            began: now,
            frame_began: None,
            state: match rung.has(Idea::Exchange) {
                true => State::ExpectHello,
                false => State::ExpectLoginInClear,
            },
            known: false,
            inbox: Inbox::default(),
            outbox: VecDeque::new(),
        }
    }

    /// Takes what one read returned.
    pub fn receive(&mut self, server: &mut Server, bytes: &[u8], now: Duration) {
        self.inbox.add(bytes);
        loop {
            match self.step(server, now) {
                Ok(true) => self.frame_began = None,
                Ok(false) => break,
                Err(complaint) => return self.end(server, Ending::Complained(complaint)),
            }
        }
        self.frame_began = match self.inbox.is_empty() {
            true => None,
            false => self.frame_began.or(Some(now)),
        };
    }

    /// The client has hung up.
    pub fn lost(&mut self, server: &mut Server) {
        let ending = match (&self.state, self.rung.has(Idea::Ending)) {
            (State::Over, _) => return,
            (State::Open(..), true) => Ending::Complained(Complaint::Truncated),
            // Below rung 4 nothing tells an end that is meant from one that is not.
            _ => Ending::Left,
        };
        self.end(server, ending);
    }

    /// When [`Self::tick`] has something to do; below rung 8 never.
    pub fn deadline(&self) -> Option<Duration> {
        if !self.rung.has(Idea::Quiet) {
            return None;
        }
        match &self.state {
            State::Over => None,
            State::Refusing(_, at) => Some(*at),
            State::Open(..) => self.frame_began.map(|began| began + FRAME_DEADLINE),
            _ => Some(self.began + LOGIN_DEADLINE),
        }
    }

    /// Does what its time has come for.
    pub fn tick(&mut self, server: &mut Server, now: Duration) {
        if self.deadline().is_none_or(|at| now < at) {
            return;
        }
        match std::mem::replace(&mut self.state, State::Over) {
            State::Refusing(mut channel, _) => {
                self.say(&mut channel, &Content::Refused(None));
                self.end_after(server, Ending::Refused(None));
            }
            _ => self.end_after(server, Ending::Complained(Complaint::TooSlow)),
        }
    }

    /// The next bytes to write, in one write.
    pub fn write(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }

    /// Whether the connection is closed once all is written.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// One message, if a whole one is there.
    fn step(&mut self, server: &mut Server, now: Duration) -> Result<bool, Complaint> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::ExpectLoginInClear => self.login_in_clear(server),
            State::ExpectHello => self.hello(server),
            State::ExpectLogin(channel, transcript) => {
                self.login_in_channel(server, channel, transcript, now)
            }
            State::Open(channel, texts) => self.frame(server, channel, texts),
            waiting => {
                self.state = waiting;
                Ok(false)
            }
        }
    }

    /// Rungs 0 to 4. Nothing is proven, and the session key goes out in clear.
    fn login_in_clear(&mut self, server: &mut Server) -> Result<bool, Complaint> {
        let Some(login) = self.inbox.login(self.rung)? else {
            self.state = State::ExpectLoginInClear;
            return Ok(false);
        };
        match self.decide(server, &login, &Transcript::default()) {
            Err(_) => self.end_after(server, Ending::Refused(None)),
            Ok(()) => {
                let secrets = SessionSecrets::draw(&mut server.rng);
                self.outbox.extend(encode_replies(&secrets));
                let keys = Keys::from_session_key(self.rung, &secrets.key, &secrets.iv);
                self.state = State::Open(self.channel(&keys), 0);
            }
        }
        Ok(true)
    }

    /// From rung 5 on: the hello's answer, then the host's key and its signature over both hellos.
    fn hello(&mut self, server: &mut Server) -> Result<bool, Complaint> {
        let Some(hello) = self.inbox.take(HELLO) else {
            self.state = State::ExpectHello;
            return Ok(false);
        };
        let half = Half::draw(&mut server.rng);
        let theirs = hello.try_into().expect("it has the length of a hello");
        let secret = half.agree(self.rung, &theirs)?;
        let ours = half.hello(self.rung);
        let mut transcript = Transcript::default();
        transcript.add(&theirs);
        transcript.add(&ours);
        let host = server
            .host
            .as_ref()
            .expect("from rung 5 on a server has a host key");
        let proof = prove_host(host, &mut transcript, &mut server.rng);
        server.spent.signatures += 1;
        self.outbox.push_back(ours.to_vec());
        self.outbox.push_back(proof);
        let keys = Keys::from_exchange(&secret, &transcript.hash());
        self.state = State::ExpectLogin(self.channel(&keys), transcript);
        Ok(true)
    }

    fn login_in_channel(
        &mut self,
        server: &mut Server,
        mut channel: Channel,
        transcript: Transcript,
        now: Duration,
    ) -> Result<bool, Complaint> {
        let Some(frame) = self.inbox.frame(self.rung, Due::Login)? else {
            self.state = State::ExpectLogin(channel, transcript);
            return Ok(false);
        };
        let (_, plaintext) = channel.opener.open(&frame)?;
        let Content::Login(login) = Content::decode(self.rung, Way::ToServer, &plaintext)? else {
            return Err(Complaint::Malformed("a login is due"));
        };
        match self.decide(server, &login, &transcript) {
            Ok(()) => {
                self.say(&mut channel, &Content::Welcome);
                self.state = State::Open(channel, 0);
            }
            Err(_) if self.rung.has(Idea::Quiet) => {
                self.state = State::Refusing(channel, now + REFUSAL_AFTER);
            }
            Err(refusal) => {
                let why = says_why(self.rung).then(|| refusal.byte());
                self.say(&mut channel, &Content::Refused(why));
                self.end_after(server, Ending::Refused(why));
            }
        }
        Ok(true)
    }

    fn decide(
        &mut self,
        server: &mut Server,
        login: &[u8],
        transcript: &Transcript,
    ) -> Result<(), Refusal> {
        let door = &mut server.door;
        match door.check(self.rung, login, transcript, &mut server.spent) {
            Ok(user) => {
                self.known = true;
                server.no_stranger_any_more(self.source);
                server.note(self.id, What::LetIn(name_of(&user)));
                Ok(())
            }
            Err(refusal) => {
                server.note(self.id, What::Refused(refusal));
                Err(refusal)
            }
        }
    }

    fn frame(
        &mut self,
        server: &mut Server,
        mut channel: Channel,
        texts: u32,
    ) -> Result<bool, Complaint> {
        let Some(frame) = self.inbox.frame(self.rung, Due::Any)? else {
            self.state = State::Open(channel, texts);
            return Ok(false);
        };
        let (number, plaintext) = channel.opener.open(&frame)?;
        match Content::decode(self.rung, Way::ToServer, &plaintext)? {
            Content::Text(text) => self.text(server, channel, (number, text), texts),
            Content::Close(stated) if stated == texts => {
                self.say(&mut channel, &Content::Closed);
                self.end_after(server, Ending::Closed);
            }
            Content::Close(stated) => {
                return Err(Complaint::WrongCount {
                    stated,
                    held: texts,
                });
            }
            _ => return Err(Complaint::Malformed("this may not be said now")),
        }
        Ok(true)
    }

    fn text(
        &mut self,
        server: &mut Server,
        mut channel: Channel,
        (number, text): (u32, Vec<u8>),
        texts: u32,
    ) {
        if self.rung.has(Idea::Tag) {
            let number = self.rung.has(Idea::Order).then_some(number);
            self.say(&mut channel, &Content::Acknowledgement(number));
        }
        // Commands in band, until a type byte tells them from texts.
        match &text[..] {
            b"change()" if !self.rung.has(Idea::Ending) => self.end_after(server, Ending::Change),
            b"quit()" if !self.rung.has(Idea::Ending) => {
                server.stop();
                self.end_after(server, Ending::Quit);
            }
            _ => {
                server.note(self.id, What::Took(text));
                self.state = State::Open(channel, texts + 1);
            }
        }
    }

    fn channel(&self, keys: &Keys) -> Channel {
        Channel {
            sealer: Sealer::new(self.rung, keys.to_client.clone()),
            opener: Opener::new(self.rung, keys.to_server.clone()),
        }
    }

    fn say(&mut self, channel: &mut Channel, content: &Content) {
        let frame = channel.sealer.seal(&content.encode(self.rung)).1;
        self.outbox.push_back(frame);
    }

    fn end(&mut self, server: &mut Server, ending: Ending) {
        self.state = State::Over;
        self.end_after(server, ending);
    }

    /// What waits to be written is still written.
    fn end_after(&mut self, server: &mut Server, ending: Ending) {
        if !self.known {
            server.no_stranger_any_more(self.source);
        }
        server.end(self.id, ending);
    }
}

fn name_of(user: &UserName) -> String {
    user.as_str().to_owned()
}
