//! Either end of an open session against a peer that holds the right keys and says anything, in any order.
//!
//! Besides "no panic": an end takes a record exactly when a plain model of the rules does, and means the same by it. So
//! no message is taken twice, out of order or after the end; no acknowledgement or account that lies is believed; and a
//! session ends in agreement only if both ends hold the same texts.

use std::collections::VecDeque;

use arbitrary::{Arbitrary, Unstructured};
use latchstring_protocol::hardened::{
    message::{Close, Held, MAX_TEXT, Message, Type},
    session::{CloseCode, Event, KIND_TEXT, MAX_QUERIES, MAX_UNACKNOWLEDGED, Session},
};

use super::{
    account::Account,
    field::{Field, Padding},
    opened::{self, Opened},
};

#[derive(Debug, Arbitrary)]
struct Script {
    server: bool,
    last_message: u32,
    steps: Vec<Step>,
}

#[derive(Debug, Arbitrary)]
enum Step {
    Send(String),
    Receive(Said, Padding),
    Acknowledge(u8),
    Ping,
    /// A question at a client, and the answer to the oldest one at a server.
    Query(u8),
    Close,
    /// A record that came before.
    Replay(u8),
}

/// What the peer says; numbers are how far they are from the right ones.
#[derive(Debug, Arbitrary)]
enum Said {
    Message {
        id: i8,
        kind: u8,
        text: Vec<u8>,
    },
    Ack {
        id: i8,
        chain: Field,
    },
    Ping(u64),
    Pong(i8),
    Query(u8),
    Held {
        /// How far it is from the oldest question.
        id: i8,
        held: Option<([u8; 16], [u8; 32])>,
    },
    Close {
        code: u8,
        sent: i8,
        acked: i8,
        chain: Field,
    },
    CloseAck,
    Other {
        typ: u8,
        body: Vec<u8>,
    },
}

/// Runs one input.
pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let opened = opened::session(script.server, script.last_message.into());
    let mut end = End::new(script.server, opened);
    for step in &script.steps {
        if end.step(step).is_none() {
            break;
        }
    }
}

struct End {
    server: bool,
    session: Session,
    opened: opened::Peer,
    sent: Account,
    received: Account,
    ping: Option<u64>,
    pings: u64,
    queries: VecDeque<u64>,
    /// Whether a client waits for the answer to its `REKEY1`. This end never gives one.
    wants_keys: bool,
    /// Records that the peer sent, to be sent again.
    before: Vec<Vec<u8>>,
}

impl End {
    fn new(server: bool, opened: Opened) -> Self {
        Self {
            server,
            session: opened.session,
            opened: opened.peer,
            sent: opened.sent,
            received: opened.received,
            ping: None,
            pings: 0,
            queries: VecDeque::new(),
            wants_keys: false,
            before: Vec::new(),
        }
    }

    /// `None` once the session is over.
    fn step(&mut self, step: &Step) -> Option<()> {
        match step {
            Step::Send(text) => self.send(text),
            Step::Receive(said, padding) => return self.receive(said, padding),
            Step::Acknowledge(back) => self.acknowledge(*back),
            Step::Ping => {
                let record = self
                    .session
                    .ping()
                    .expect("a session has keys for millions");
                assert_eq!(record.is_some(), self.ping.is_none());
                if let Some(record) = record {
                    self.pings += 1;
                    self.ping = Some(self.pings);
                    assert_eq!(self.opened.read(&record), Message::Ping(self.pings));
                }
            }
            Step::Query(id) => self.query((*id).into()),
            Step::Close => self.close(),
            Step::Replay(which) => {
                let record = self.before.get(usize::from(*which))?.clone();
                assert!(
                    self.session.receive(&record).is_err(),
                    "a record was taken twice"
                );
                return None;
            }
        }
        Some(())
    }

    fn send(&mut self, text: &str) {
        let allowed =
            !self.sent.closed && text.len() <= MAX_TEXT && self.sent.open() < MAX_UNACKNOWLEDGED;
        let sent = self.session.send(KIND_TEXT, text);
        assert_eq!(sent.is_ok(), allowed);
        if let Ok((id, record)) = sent {
            self.sent.append(KIND_TEXT, text);
            assert_eq!(id, self.sent.last());
            let (kind, text) = (KIND_TEXT, text.to_owned());
            assert_eq!(self.opened.read(&record), Message::Msg { id, kind, text });
        }
    }

    fn acknowledge(&mut self, back: u8) {
        let id = self.received.last().saturating_sub(back.into());
        let record = self.session.acknowledge(id);
        assert_eq!(record.is_ok(), self.received.waits(id));
        if let Ok(record) = record {
            self.received.acknowledge(id);
            let chain = self.received.chain(id);
            assert_eq!(self.opened.read(&record), Message::Ack { up_to: id, chain });
        }
    }

    fn query(&mut self, id: u64) {
        if self.server {
            let held = self.session.held(id, None);
            let asked = self.queries.front() == Some(&id) && !self.sent.closed;
            assert_eq!(held.is_ok(), asked);
            if let Ok(record) = held {
                self.queries.pop_front();
                let held = None;
                assert_eq!(self.opened.read(&record), Message::Held { id, held });
            }
            return;
        }
        let record = self.session.query(id);
        let allowed = !self.sent.closed && self.queries.len() < MAX_QUERIES;
        assert_eq!(record.is_ok(), allowed);
        if let Ok(record) = record {
            self.queries.push_back(id);
            assert_eq!(self.opened.read(&record), Message::Query(id));
        }
    }

    fn close(&mut self) {
        let record = self.session.close(CloseCode::Done);
        assert_eq!(record.is_ok(), !self.sent.closed);
        if let Ok(record) = record {
            self.sent.closed = true;
            let account = Close {
                code: 0,
                last_sent: self.sent.last(),
                last_acked: self.received.acked(),
                chain: self.sent.chain(self.sent.last()),
            };
            assert_eq!(self.opened.read(&record), Message::Close(account));
        }
    }

    fn receive(&mut self, said: &Said, padding: &Padding) -> Option<()> {
        let (typ, body) = self.say(said);
        let (record, padded) = self.opened.forger.seal(typ, &body, padding)?;
        let expected = Type::from_byte(typ)
            .filter(|_| padded)
            .and_then(|typ| Message::decode(typ, &body).ok().flatten())
            .and_then(|message| self.means(&message));
        let event = self.session.receive(&record);
        self.before.push(record);
        match (event, expected) {
            (Err(_), None) => None,
            (Ok(Event::Reply(answer)), Some(Means::Reply(message))) => {
                assert_eq!(self.opened.read(&answer), message);
                Some(())
            }
            (Ok(Event::Closed { code, answer }), Some(Means::Closed)) => {
                assert_eq!(code as u8, body[0]);
                assert_eq!(self.opened.read(&answer), Message::CloseAck);
                Some(())
            }
            (Ok(Event::CloseAgreed), Some(Means::Event(Event::CloseAgreed))) => None,
            (Ok(event), Some(Means::Event(expected))) => {
                assert_eq!(event, expected);
                Some(())
            }
            (event, expected) => panic!("{event:?} and not {expected:?}"),
        }
    }

    /// The bytes of what the peer says.
    fn say(&self, said: &Said) -> (u8, Vec<u8>) {
        let near = |number: u64, by: i8| number.saturating_add_signed(by.into());
        let chain = |field: &Field, account: &Account, id| field.fixed(account.chain(id));
        let message = match said {
            Said::Message { id, kind, text } => {
                let id = near(self.received.last() + 1, *id);
                let kind = kind.saturating_sub(200);
                return (
                    Type::Msg as u8,
                    [&id.to_be_bytes()[..], &[kind], text].concat(),
                );
            }
            Said::Ack { id, chain: field } => {
                let up_to = near(self.sent.last(), *id);
                let chain = chain(field, &self.sent, up_to);
                Message::Ack { up_to, chain }
            }
            Said::Ping(number) => Message::Ping(*number),
            Said::Pong(by) => Message::Pong(near(self.pings, *by)),
            Said::Query(id) => Message::Query((*id).into()),
            Said::Held { id, held } => {
                let id = near(self.queries.front().copied().unwrap_or(0), *id);
                let held = held.map(|(session, content)| Held { session, content });
                Message::Held { id, held }
            }
            Said::Close {
                code,
                sent,
                acked,
                chain: field,
            } => Message::Close(Close {
                code: code.saturating_sub(200),
                last_sent: near(self.received.last(), *sent),
                last_acked: near(self.sent.acked(), *acked),
                chain: chain(field, &self.received, self.received.last()),
            }),
            Said::CloseAck => Message::CloseAck,
            Said::Other { typ, body } => return (*typ, body.clone()),
        };
        let (typ, body) = message.encode();
        (typ as u8, body)
    }

    /// What a message should mean; `None` when it is against the rules. The model takes it in.
    fn means(&mut self, message: &Message) -> Option<Means> {
        let event = match message {
            Message::CloseAck if self.sent.closed && self.sent.open() == 0 => Event::CloseAgreed,
            Message::CloseAck => return None,
            _ if self.received.closed => return None,
            Message::Msg { id, kind, text } => {
                let next = *id == self.received.last() + 1 && *kind == KIND_TEXT;
                if !next || self.received.open() >= MAX_UNACKNOWLEDGED {
                    return None;
                }
                self.received.append(*kind, text);
                let (id, kind, text) = (*id, *kind, text.clone());
                Event::Message { id, kind, text }
            }
            Message::Ack { up_to, chain } => {
                if !self.sent.waits(*up_to) || *chain != self.sent.chain(*up_to) {
                    return None;
                }
                self.sent.acknowledge(*up_to);
                Event::Acknowledged { up_to: *up_to }
            }
            Message::Ping(_) if self.sent.closed => Event::TooLate,
            Message::Query(_) if self.sent.closed => Event::TooLate,
            Message::Ping(number) => return Some(Means::Reply(Message::Pong(*number))),
            Message::Pong(number) => {
                self.ping.take_if(|asked| *asked == *number)?;
                Event::Pong
            }
            Message::Query(id) => {
                if !self.server || self.queries.len() >= MAX_QUERIES {
                    return None;
                }
                self.queries.push_back(*id);
                Event::Query { id: *id }
            }
            Message::Held { id, held } => {
                if self.server || self.queries.front() != Some(id) {
                    return None;
                }
                self.queries.pop_front();
                let (id, held) = (*id, *held);
                Event::Held { id, held }
            }
            Message::Rekey1(_) if !self.server || self.wants_keys => return None,
            Message::Rekey1(_) if self.sent.closed => Event::TooLate,
            Message::Rekey1(_) => {
                self.wants_keys = true;
                Event::NewKeysWanted
            }
            Message::RekeyAsk if self.server => return None,
            Message::RekeyAsk if self.sent.closed => Event::TooLate,
            Message::RekeyAsk => Event::NewKeysAsked,
            // No end has begun a change.
            Message::Rekey2(_) | Message::Rekey3 => return None,
            Message::Close(close) => {
                if close.code > if self.server { 0 } else { 3 } {
                    return None;
                }
                let honest = Close {
                    code: close.code,
                    last_sent: self.received.last(),
                    last_acked: self.sent.acked(),
                    chain: self.received.chain(self.received.last()),
                };
                if *close != honest {
                    return None;
                }
                self.received.closed = true;
                return Some(Means::Closed);
            }
        };
        Some(Means::Event(event))
    }
}

#[derive(Debug)]
enum Means {
    Event(Event),
    Reply(Message),
    Closed,
}
