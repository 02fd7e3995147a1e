//! What failing costs, and whom: the source of a login without a key, the key of a wrong password, and nobody else.

mod support;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use latchstring_net::protocol::hardened::{
    handshake::RefusalReason,
    signature::{SignError, Signer},
};
use latchstring_server_core::{
    AdmissionError, Event, HandshakeError,
    throttle::{MOST_GUESSES, delay_after, most_guesses_within},
};
use latchstring_store::{Accounts, Memory};
use support::{
    ALICE, Faulty, HOST, Impostor, Login, PASSWORD, World, account, alice_kid, assert_saw, name,
    rest, seconds,
};
use tokio::{
    io::{AsyncWriteExt, DuplexStream},
    task::JoinSet,
    time::{Instant, advance, sleep},
};

fn stranger() -> Login {
    Login {
        key: Arc::new(Impostor),
        ..Login::alice()
    }
}

fn guess(password: &str) -> Login {
    Login {
        password: password.to_owned(),
        ..Login::alice()
    }
}

/// Whether the server has hung up without a word, and why, by its own log.
async fn turned_away(world: &World, connection: u64, mut stream: DuplexStream) -> AdmissionError {
    assert!(rest(&mut stream).await.is_empty());
    match world.seen.last_of(connection) {
        Event::TurnedAway { why } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn logins_without_the_key_cost_their_source_and_not_the_user() {
    let world = World::new().await;
    let mut alice = Login::alice().open(world.connect_from(2).0).await;
    let began = Instant::now();
    // 5 s each, and each takes 0.4 s; from a minute on the source is turned away.
    for _ in 0..13 {
        stranger().refused(world.connect_from(1).0).await;
    }
    let why = turned_away(&world, 15, world.connect_from(1).0).await;
    assert_eq!(why, AdmissionError::Penalty);

    alice.say_and_hear_back("who is in stays in").await;
    let mut elsewhere = Login::alice().open(world.connect_from(2).0).await;
    elsewhere.say_and_hear_back("and gets in from there").await;
    let kid = alice_kid();
    let counted = world.store.failures(&name("alice"), &kid).await;
    assert_eq!(counted.unwrap(), 0);

    sleep(seconds(64) - began.elapsed()).await;
    turned_away(&world, 17, world.connect_from(1).0).await;
    sleep(seconds(1)).await;
    Login::alice().open(world.connect_from(1).0).await;
}

/// A class behind one address, of which a few have the wrong key and try again and again.
#[tokio::test(start_paused = true)]
async fn the_wrong_keys_of_a_few_do_not_keep_out_the_others_behind_their_address() {
    let world = World::new().await;
    Login::alice()
        .open(world.connect_from(1).0)
        .await
        .close()
        .await;
    for _ in 0..100 {
        stranger().refused(world.connect_from(1).0).await;
    }
    Login::alice()
        .open(world.connect_from(1).0)
        .await
        .close()
        .await;
    // Nobody has logged in from there for an hour, so nobody speaks for that source any more.
    advance(seconds(3601)).await;
    for _ in 0..13 {
        stranger().refused(world.connect_from(1).0).await;
    }
    turned_away(&world, 116, world.connect_from(1).0).await;
}

#[tokio::test(start_paused = true)]
async fn guesses_side_by_side_are_looked_at_one_after_the_other_and_no_more_than_promised() {
    let world = World::with(|setup| setup.limits.early_drop_from = 50).await;
    let mut guesses = JoinSet::new();
    for source in 1..=20 {
        let stream = world.connect_from(source).0;
        guesses.spawn(async move {
            let began = Instant::now();
            let answer = guess("12345678").refused(stream).await;
            (answer.len(), began.elapsed())
        });
    }
    while let Some(guess) = guesses.join_next().await {
        let (len, took) = guess.unwrap();
        assert_eq!(len, 100, "one record, whether it was looked at or not");
        assert_eq!(took, seconds(1) * 4 / 10);
    }
    assert_eq!(world.passwords.spent(), 3);
    let count = |wanted| {
        let events = world.seen.all();
        let reasons = events.iter().filter(
            |(_, event)| matches!(event, Event::Refused { reason, .. } if *reason == wanted),
        );
        reasons.count()
    };
    assert_eq!(count(RefusalReason::WrongPassword), 3);
    assert_eq!(count(RefusalReason::TooSoon), 17);
}

#[tokio::test(start_paused = true)]
async fn a_password_that_cannot_be_counted_is_not_looked_at() {
    let mut store = None;
    let world = World::with(|setup| {
        let faulty = Arc::new(Faulty::new(Arc::new(Memory::new())));
        setup.accounts = faulty.clone();
        store = Some(faulty);
    })
    .await;
    let store = store.unwrap();
    store.add(&account("alice", &ALICE)).await.unwrap();
    store.full.store(true, Ordering::SeqCst);
    for password in ["12345678", "87654321", PASSWORD] {
        let mut stream = world.connect();
        let (proven, _) = Login::hello(&mut stream).await;
        let (_, login) = guess(password).auth(proven);
        stream.write_all(&login).await.unwrap();
        assert!(rest(&mut stream).await.is_empty(), "no answer to a guess");
    }
    assert_eq!(world.passwords.spent(), 0);
    match world.seen.last_of(1) {
        Event::LoginFailed { why } => assert!(matches!(*why, HandshakeError::Store(_)), "{why}"),
        other => panic!("{other:?}"),
    }
    // There is room again: the guesses were not counted, since nobody looked at them.
    store.full.store(false, Ordering::SeqCst);
    Login::alice().open(world.connect()).await;
}

#[tokio::test(start_paused = true)]
async fn in_an_hour_and_in_a_day_no_more_guesses_are_looked_at_than_promised() {
    let world = World::new().await;
    let began = Instant::now();
    let mut after_an_hour = 0;
    // As fast as it can be: each as soon as it is due.
    for failures in 0..MOST_GUESSES + 3 {
        sleep(delay_after(failures)).await;
        if began.elapsed() <= seconds(3600) {
            after_an_hour = world.passwords.spent() + 1;
        }
        guess("12345678").refused(world.connect()).await;
    }
    assert_eq!(after_an_hour, most_guesses_within(seconds(3600)) as usize);
    assert_eq!(world.passwords.spent(), MOST_GUESSES as usize);
    assert!(began.elapsed() < seconds(24 * 3600));
    // The key is of no use now, not even with the right password.
    Login::alice().refused(world.connect()).await;
    let (user, reason) = (name("alice"), RefusalReason::Disabled);
    let (_, last) = world.seen.all().pop().unwrap();
    assert_saw(&last, &Event::Refused { user, reason });
}

#[tokio::test(start_paused = true)]
async fn the_right_password_too_soon_is_answered_like_a_wrong_one_and_in_time_it_clears_the_count()
{
    let world = World::new().await;
    for _ in 0..4 {
        guess("12345678").refused(world.connect()).await;
        advance(seconds(1)).await;
    }
    let began = Instant::now();
    let answer = guess(PASSWORD).refused(world.connect()).await;
    assert_eq!((answer.len(), began.elapsed()), (100, seconds(1) * 4 / 10));
    assert_eq!(world.passwords.spent(), 4);
    advance(delay_after(4)).await;
    Login::alice().open(world.connect()).await;
    let kid = alice_kid();
    let counted = world.store.failures(&name("alice"), &kid).await;
    assert_eq!(counted.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_hangs_up_before_the_answer_pays_like_who_waits_for_it() {
    let world = World::new().await;
    for _ in 0..13 {
        let (mut stream, served) = world.connect_from(1);
        let (proven, _) = Login::hello(&mut stream).await;
        let (_, login) = stranger().auth(proven);
        stream.write_all(&login).await.unwrap();
        drop(stream);
        served.await.unwrap();
    }
    let why = turned_away(&world, 14, world.connect_from(1).0).await;
    assert_eq!(why, AdmissionError::Penalty);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_connects_too_fast_waits_for_the_next_token() {
    let world = World::new().await;
    for _ in 0..250 {
        let (stream, served) = world.connect_from(1);
        drop(stream);
        served.await.unwrap();
    }
    let why = turned_away(&world, 251, world.connect_from(1).0).await;
    assert_eq!(why, AdmissionError::Rate);
    Login::alice().open(world.connect_from(2).0).await;
    advance(Duration::from_millis(250)).await;
    Login::alice().open(world.connect_from(1).0).await;
}

/// A host key that signs when it is told to.
struct Slow {
    told: Mutex<mpsc::Receiver<()>>,
    at_work: AtomicUsize,
    most: AtomicUsize,
}

impl Signer for Slow {
    fn public_key(&self) -> &[u8] {
        HOST.public_key()
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let now = self.at_work.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.told.lock().unwrap().recv().expect("the test lives");
        self.at_work.fetch_sub(1, Ordering::SeqCst);
        HOST.sign(message)
    }
}

#[tokio::test(start_paused = true)]
async fn few_signatures_are_made_at_a_time_and_who_comes_when_the_queue_is_full_is_dropped() {
    let (tell, told) = mpsc::channel();
    let host = Arc::new(Slow {
        told: Mutex::new(told),
        at_work: AtomicUsize::default(),
        most: AtomicUsize::default(),
    });
    let world = World::with(|setup| {
        setup.host = host.clone();
        setup.limits.signing_permits = 1;
        setup.limits.signing_queue = 1;
    })
    .await;
    world.store.add(&account("bob", &ALICE)).await.unwrap();
    let mut logins = JoinSet::new();
    for (source, user) in [(1, "alice"), (2, "bob")] {
        let stream = world.connect_from(source).0;
        let login = Login {
            user: name(user),
            ..Login::alice()
        };
        logins.spawn(async move { login.open(stream).await.session.id() });
        tokio::task::yield_now().await;
    }
    let mut third = world.connect_from(3).0;
    let mut hello = b"latch/2\n".to_vec();
    hello.extend([2, 0]);
    hello.resize(74, 0x41);
    third.write_all(&hello).await.unwrap();
    assert!(rest(&mut third).await.is_empty());
    match world.seen.last_of(3) {
        Event::HandshakeFailed { why } => {
            assert!(matches!(*why, HandshakeError::SigningBusy), "{why}");
        }
        other => panic!("{other:?}"),
    }
    for _ in 1..=2 {
        tell.send(()).unwrap();
    }
    assert_eq!(logins.join_all().await.len(), 2);
    assert_eq!(host.most.load(Ordering::SeqCst), 1);
}
