//! One session of each rung with every value on the way, for a comparison with a stranger's program.
//!
//! The peers of this crate run the session. The values are cut from its bytes, or drawn again from the peers' generators.

use serde::Serialize;
use x25519_dalek::{PublicKey, StaticSecret};

use crate::{
    accounts::Accounts,
    cast,
    client::Client,
    content::Content,
    frame::{Frame, counter_block, open},
    hello::{HELLO, HOST_PROOF, Half, Transcript},
    keys::{Direction, Way},
    login::{Signed, signed_hash},
    network::{HONEST, Memory, Network},
    path::{Cutter, Piece},
    rung::{Idea, Rung},
    server::Server,
    session::{self, Tap},
    signature::SPKI,
};

/// What is typed in the session.
pub const TEXTS: [&str; 2] = ["hello", "pay bob 10"];
/// The seed of the published vectors.
const SEED: u64 = 2020;

/// A session with every value on the way, all in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Vector {
    /// The rung.
    pub rung: Rung,
    /// What is typed.
    pub texts: Vec<String>,
    /// Everything before the first frame, and the keys.
    pub values: Vec<Value>,
    /// All frames, in order.
    pub frames: Vec<FrameValues>,
}

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Value {
    /// Its name, as on the rung's page.
    pub name: &'static str,
    /// Its bytes.
    pub hex: String,
}

/// A frame and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FrameValues {
    /// `client` or `server`.
    pub from: &'static str,
    /// Its number; rung 0 has none.
    pub number: Option<u32>,
    /// What is encrypted, padding included.
    pub plaintext: String,
    /// The first counter block.
    pub counter_block: String,
    /// The plaintext, encrypted.
    pub ciphertext: String,
    /// The tag, from rung 2 on.
    pub tag: Option<String>,
    /// The bytes of the wire.
    pub frame: String,
}

/// The vector of a rung.
///
/// # Panics
/// When the rung is not [spoken](Rung::is_spoken), or the session fails: then nothing can be published.
pub fn vector(rung: Rung) -> Vector {
    let (client, tap) = session(rung);
    let keys = client.keys().expect("the session was open");
    let mut values = match rung.has(Idea::Exchange) {
        false => in_clear(rung, &tap),
        true => exchanged(rung, &tap),
    };
    if rung.has(Idea::Tag) {
        values.extend(derived(rung, &keys.to_server, &keys.to_client));
    }
    let mut frames = frames_of(rung, &keys.to_server, Way::ToServer, &tap.client);
    let answers = frames_of(
        rung,
        &keys.to_client,
        Way::ToClient,
        std::slice::from_ref(&tap.server),
    );
    for (index, answer) in answers.into_iter().enumerate() {
        // The server answers each frame before the next one comes.
        frames.insert((2 * index + 1).min(frames.len()), answer);
    }
    if rung.has(Idea::Proof) {
        values.extend(proven(rung, &tap, &keys.to_server));
    }
    Vector {
        rung,
        texts: TEXTS.map(str::to_owned).to_vec(),
        values,
        frames,
    }
}

fn session(rung: Rung) -> (Client, Tap) {
    let host = rung.has(Idea::Exchange).then(cast::host);
    let door = Box::new(Accounts::new(cast::accounts(rung)));
    let network = Memory::new(Server::new(
        rung,
        host,
        door,
        cast::rng(SEED, "vector server"),
    ));
    let pin = rung.has(Idea::Exchange).then(cast::pin);
    let rng = cast::rng(SEED, "vector client");
    let mut client = Client::start(rung, pin, Box::new(cast::alice()), rng);
    for text in TEXTS {
        client
            .say(text.as_bytes())
            .expect("the texts fit every rung");
    }
    client.finish();
    let mut line = network.dial(HONEST).expect("memory can always be dialled");
    let mut tap = Tap::default();
    session::run(&mut client, &mut *line, &mut tap);
    let ending = client.ending().expect("it has ended");
    assert!(!ending.is_complaint(), "rung {rung}: {ending:?}");
    (client, tap)
}

fn value(name: &'static str, bytes: &[u8]) -> Value {
    Value {
        name,
        hex: hex::encode(bytes),
    }
}

fn in_clear(rung: Rung, tap: &Tap) -> Vec<Value> {
    let first = &tap.client[0];
    let head = if rung.has(Idea::Numbers) { 2 } else { 0 };
    vec![
        value("name", b"alice"),
        value("login", &first[head..]),
        value("first message", first),
        value("greeting", &tap.server[..26]),
        value("session key", &tap.server[26..58]),
        value("iv", &tap.server[58..66]),
    ]
}

fn exchanged(rung: Rung, tap: &Tap) -> Vec<Value> {
    let ours = Half::draw(&mut cast::rng(SEED, "vector client"));
    let theirs = Half::draw(&mut cast::rng(SEED, "vector server"));
    let client_hello = &tap.client[0];
    let (server_hello, proof) = tap.server[..HELLO + HOST_PROOF].split_at(HELLO);
    let hello = server_hello
        .try_into()
        .expect("it has the length of a hello");
    let secret = ours.agree(rung, &hello).expect("both ends are honest");
    let mut transcript = Transcript::default();
    transcript.add(client_hello);
    transcript.add(server_hello);
    let signed = transcript.hash_with(&proof[..2 + SPKI]);
    transcript.add(proof);
    let share = |half: &Half| PublicKey::from(&StaticSecret::from(half.secret)).to_bytes();
    vec![
        value("client random", &ours.random),
        value("client X25519 secret", &ours.secret),
        value("client X25519 value", &share(&ours)),
        value("client hello", client_hello),
        value("server random", &theirs.random),
        value("server X25519 secret", &theirs.secret),
        value("server X25519 value", &share(&theirs)),
        value("server hello", server_hello),
        value("host SPKI", &proof[2..2 + SPKI]),
        value("pin", &cast::pin()),
        value("TH1", &signed),
        value("host signature", &proof[2 + SPKI + 2..]),
        value("TH2", &transcript.hash()),
        value("Z", &secret),
    ]
}

fn derived(rung: Rung, client: &Direction, server: &Direction) -> Vec<Value> {
    let mac = |direction: &Direction| direction.mac.expect("from rung 2 on there is one");
    let mut values = vec![
        value("enc c2s", &client.enc),
        value("mac c2s", &mac(client)),
        value("enc s2c", &server.enc),
        value("mac s2c", &mac(server)),
    ];
    if rung.has(Idea::Exchange) {
        values.push(value("iv c2s", &client.iv));
        values.push(value("iv s2c", &server.iv));
    }
    values
}

/// From rung 6 on: what is in the login.
fn proven(rung: Rung, tap: &Tap, keys: &Direction) -> Vec<Value> {
    let frame = Frame::decode(rung, &tap.client[1]).expect("the login is a frame");
    let plaintext = open(rung, keys, &frame).expect("the keys are right");
    let content = Content::decode(rung, Way::ToServer, &plaintext);
    let Ok(Content::Login(login)) = content else {
        unreachable!("the first frame is the login");
    };
    let signed = Signed::decode(rung, &login).expect("the login is well-formed");
    let mut transcript = Transcript::default();
    transcript.add(&tap.client[0]);
    transcript.add(&tap.server[..HELLO + HOST_PROOF]);
    let name = signed.name.as_str().as_bytes();
    let mut values = vec![
        value("name", name),
        value("TH3", &signed_hash(&transcript, name)),
        value("user signature", &signed.signature),
    ];
    if rung.has(Idea::Password) {
        values.push(value("password", &signed.password));
    }
    values
}

fn frames_of(rung: Rung, keys: &Direction, way: Way, writes: &[Vec<u8>]) -> Vec<FrameValues> {
    let mut cutter = Cutter::new(rung, way);
    let pieces = writes.iter().flat_map(|bytes| cutter.cut(bytes));
    // Behind the openings in clear everything is a frame, the login and its verdict too.
    let in_clear = match (way, rung.has(Idea::Exchange)) {
        (Way::ToServer, _) => 1,
        (Way::ToClient, true) => 2,
        (Way::ToClient, false) => 3,
    };
    let from = match way {
        Way::ToServer => "client",
        Way::ToClient => "server",
    };
    let frames = pieces.skip(in_clear).map(|piece| match piece {
        Piece::Opening(bytes) | Piece::Frame(bytes) => bytes,
    });
    frames
        .map(|bytes| values_of(rung, keys, from, &bytes))
        .collect()
}

fn values_of(rung: Rung, keys: &Direction, from: &'static str, bytes: &[u8]) -> FrameValues {
    let frame = Frame::decode(rung, bytes).expect("it is a whole frame");
    let plaintext = open(rung, keys, &frame).expect("the keys are right");
    FrameValues {
        from,
        number: rung.has(Idea::Numbers).then_some(frame.number),
        plaintext: hex::encode(plaintext),
        counter_block: hex::encode(counter_block(rung, &keys.iv, frame.number)),
        ciphertext: hex::encode(&frame.ciphertext),
        tag: rung.has(Idea::Tag).then(|| hex::encode(&frame.tag)),
        frame: hex::encode(bytes),
    }
}

/// How the page of the rung shows the vector: names on the left, bytes in lines of 32.
pub fn shown(vector: &Vector) -> String {
    let mut out = "```text\n".to_owned();
    for Value { name, hex } in &vector.values {
        out += &row(name, hex);
    }
    for frame in &vector.frames {
        let number = frame
            .number
            .map_or(String::new(), |number| format!(" {number}"));
        out += &format!("\nframe{number} of the {}\n", frame.from);
        out += &row("  plaintext", &frame.plaintext);
        out += &row("  counter block", &frame.counter_block);
        out += &row("  ciphertext", &frame.ciphertext);
        if let Some(tag) = &frame.tag {
            out += &row("  tag", tag);
        }
        out += &row("  on the wire", &frame.frame);
    }
    out + "```\n"
}

fn row(name: &str, hex: &str) -> String {
    let lines = hex.as_bytes().chunks(64).enumerate().map(|(index, line)| {
        let name = if index == 0 { name } else { "" };
        let line = std::str::from_utf8(line).expect("hexadecimal is ASCII");
        format!("{name:22}{line}\n")
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_is_the_same_twice_and_its_frames_are_the_texts_in_order() {
        for rung in Rung::spoken() {
            let vector = vector(rung);
            assert_eq!(vector, super::vector(rung));
            let client: Vec<_> = (vector.frames.iter())
                .filter(|frame| frame.from == "client")
                .collect();
            let login = usize::from(rung.has(Idea::Exchange));
            assert_eq!(client.len(), login + TEXTS.len() + 1, "rung {rung}");
            for (frame, text) in client[login..].iter().zip(TEXTS) {
                assert!(frame.plaintext.contains(&hex::encode(text)), "rung {rung}");
            }
        }
    }
}
