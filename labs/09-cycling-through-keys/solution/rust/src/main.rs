//! Cycles through the keys of a server that seeds its generator with the time.
//!
//! Usage: cargo run --quiet -- seed CAPTURE FROM TO           the seed, from the first session of the server
//!        cargo run --quiet -- read CAPTURE FROM TO ANOTHER   the messages of its second session, ANOTHER
//!        cargo run --quiet -- show CAPTURE                   what was sent, piece by piece
//!
//! The server was started in one of the seconds from FROM to TO, counted since 1970.

mod aes;
mod capture;
mod random;

use std::{env, error::Error, time::Instant};

use aes::apply_keystream;
use capture::{pieces, show, Sender};
use random::Random;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

type Key = [u8; 32];
type Iv = [u8; 8];

/// The keys and IVs of the first sessions of a server with this seed.
///
/// The server calls `random.seed(seed)` once, and then for each session `randbytes(32)` and `randbytes(8)`.
fn keys_of(seed: u64, sessions: usize) -> Vec<(Key, Iv)> {
    let mut generator = Random::new(seed);
    let session = |_| (generator.randbytes(), generator.randbytes());
    (0..sessions).map(session).collect()
}

/// The seed from first to last that gives this key to the first session; `None` if there is none.
fn find_seed(key: Key, first: u64, last: u64) -> Option<u64> {
    (first..=last).find(|seed| keys_of(*seed, 1)[0].0 == key)
}

/// The messages of the server's second session. `ciphertexts` has the bytes of each message.
fn read_second(seed: u64, ciphertexts: &[Vec<u8>]) -> Result<Vec<String>> {
    let (key, iv) = keys_of(seed, 2)[1];
    let opened = ciphertexts.iter().map(|data| apply_keystream(&key, &iv, data));
    opened.map(|text| Ok(String::from_utf8(text)?)).collect()
}

// ---------------------------------------------------------------------------------- from here on everything is complete

/// What one side sent, piece by piece.
fn from(capture: &str, side: Sender) -> Result<Vec<Vec<u8>>> {
    let sent = pieces(capture)?.into_iter();
    let sent = sent.filter(|(sender, _)| *sender == side);
    Ok(sent.map(|(_, data)| data).collect())
}

/// The seed, from a capture of the first session. Says on the way how fast the search was.
fn search(capture: &str, first: u64, last: u64) -> Result<u64> {
    let server = from(capture, Sender::Server)?;
    let [_greeting, key, _iv] = server.as_slice() else {
        return Err(format!("{capture}: the server did not send three pieces").into());
    };
    let key = Key::try_from(key.as_slice())?;
    let began = Instant::now();
    let seed = find_seed(key, first, last).ok_or("no seed gives the key of this session")?;
    let (tried, took) = ((seed - first + 1) as f64, began.elapsed().as_secs_f64());
    eprintln!("tried {tried} seeds in {took:.2} s: {:.0} a second", tried / took);
    Ok(seed)
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["seed", capture, first, last] => println!("{}", search(capture, first.parse()?, last.parse()?)?),
        ["read", capture, first, last, another] => {
            let seed = search(capture, first.parse()?, last.parse()?)?;
            let client = from(another, Sender::Client)?;
            let (_login, ciphertexts) = client.split_first().ok_or("the client sent no login")?;
            for message in read_second(seed, ciphertexts)? {
                println!("{message}");
            }
        }
        ["show", capture] => show(capture)?,
        _ => return Err("usage: seed CAPTURE FROM TO | read CAPTURE FROM TO ANOTHER | show CAPTURE".into()),
    }
    Ok(())
}

/// `cargo test --quiet` tries `keys_of`.
#[test]
fn one_seed_gives_the_keys_that_python_gives() {
    let keys = keys_of(1_546_300_800, 2);
    let beginnings: Vec<&[u8]> = keys.iter().map(|(key, _)| &key[..4]).collect();
    assert_eq!(beginnings, [[0x91, 0xad, 0xe5, 0x07], [0x56, 0x80, 0x76, 0x68]]);
}
