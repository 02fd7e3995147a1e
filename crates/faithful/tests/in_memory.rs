//! The very same peers in memory: a seed decides every byte, and the paused clock makes the pauses cost nothing.

mod support;

use std::time::Duration;

use latchstring_faithful::{
    client,
    keys::KeyDir,
    server::{Outcome, REPLY_PAUSE, ServerEvent, serve_connection},
};
use rand::{SeedableRng, rngs::ChaCha20Rng};
use support::{enrolled, name};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    time::{Instant, sleep},
};

/// One session from login to `change()`: all ciphertexts and what the server saw.
async fn session(keys: &KeyDir, seed: u64) -> (Vec<Vec<u8>>, Vec<ServerEvent>, Outcome) {
    let (near, mut far) = duplex(4096);
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut events = Vec::new();
    let mut on_event = |event| events.push(event);
    let alice = name("alice");
    let key = keys.public_key(&alice).unwrap();
    let speak = async {
        let mut session = client::login(near, &alice, &key).await.unwrap();
        let mut records = Vec::new();
        for text in ["pay bob 10", "change()"] {
            records.push(session.send(text).await.unwrap());
            sleep(Duration::from_millis(1)).await;
        }
        records
    };
    let serve = serve_connection(&mut far, keys, REPLY_PAUSE, &mut rng, &mut on_event);
    let (records, outcome) = tokio::join!(speak, serve);
    (records, events, outcome)
}

#[tokio::test(start_paused = true)]
async fn a_seed_decides_every_byte() {
    let (_dir, keys) = enrolled(&["bob", "alice"]);
    let (records, events, outcome) = session(&keys, 1).await;
    assert_eq!(outcome, Outcome::Change);
    assert_eq!(
        events,
        [
            ServerEvent::KeyTried,
            ServerEvent::KeyTried,
            ServerEvent::Recognised {
                user: name("alice")
            },
            ServerEvent::LoggedIn {
                user: name("alice")
            },
            ServerEvent::Message {
                ciphertext: records[0].clone(),
                text: "pay bob 10".into()
            },
            ServerEvent::Change {
                ciphertext: records[1].clone()
            },
        ]
    );
    assert_eq!(session(&keys, 1).await.0, records);
    assert_ne!(session(&keys, 2).await.0, records);
}

#[tokio::test(start_paused = true)]
async fn the_replies_come_apart_by_the_pause() {
    let (_dir, keys) = enrolled(&["alice"]);
    let (mut near, mut far) = duplex(4096);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let key = keys.public_key(&name("alice")).unwrap();
    let read = async {
        near.write_all(&key.encrypt(b"alice").unwrap())
            .await
            .unwrap();
        let start = Instant::now();
        let mut arrivals = Vec::new();
        for _ in 0..3 {
            let n = near.read(&mut [0; 1024]).await.unwrap();
            arrivals.push((n, start.elapsed().as_millis()));
        }
        drop(near);
        arrivals
    };
    let pause = Duration::from_millis(100);
    let mut ignore = |_| ();
    let serve = serve_connection(&mut far, &keys, pause, &mut rng, &mut ignore);
    let (arrivals, outcome) = tokio::join!(read, serve);
    assert_eq!(
        arrivals.iter().map(|a| a.0).collect::<Vec<_>>(),
        [26, 32, 8]
    );
    // Tokio's timer counts in milliseconds and rounds up.
    let times: Vec<_> = arrivals.iter().map(|a| a.1).collect();
    assert!(
        times[0] <= 1 && (100..=102).contains(&times[1]) && (200..=204).contains(&times[2]),
        "{times:?}"
    );
    assert_eq!(outcome, Outcome::Vanished);
}
