//! Logins in memory with a virtual clock: who gets in, and how little everybody else learns or costs.

mod support;

use std::{
    future::ready,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use futures_util::future::BoxFuture;

use latchstring_keys::AwsLc;
use latchstring_net::protocol::hardened::{
    handshake::{
        ExpectServerHello,
        RefusalReason::{self, BadKeyProof, UnknownUserOrKey, WrongPassword},
    },
    keys::{Ephemeral, HandshakeSecrets},
    message::{ClientAuth, SERVER_HELLO_LEN, Type},
    primitives::hash,
    record::{BUCKETS, Sealer},
    signature::Verifier,
};
use latchstring_server_core::{
    Argon2id, Event, Limits, PasswordCheck,
    cost::{CostModel, Work, WorkCount},
    serve_connection,
};
use latchstring_store::{
    Accounts, Memory,
    password::{Cost, PasswordError},
};
use support::{
    ALICE, Faulty, Impostor, Login, MALLORY, PASSWORD, World, account, alice_kid, assert_saw, name,
    rest, seconds,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, sleep},
};
use zeroize::Zeroizing;

fn failed_because(event: &Event, word: &str) -> bool {
    matches!(event, Event::HandshakeFailed { why } if why.to_string().contains(word))
}

#[tokio::test(start_paused = true)]
async fn key_and_password_let_alice_in_after_400_ms() {
    let world = World::new().await;
    let began = Instant::now();
    let chat = world.open().await;
    assert_eq!(began.elapsed(), Duration::from_millis(400));
    assert_eq!(chat.last_message, 0);
    assert_eq!(world.passwords.spent(), 1);
    let logged_in = Event::LoggedIn {
        user: name("alice"),
        session_id: chat.session.id(),
        last_message: 0,
    };
    assert_saw(&world.seen.last_of(1), &logged_in);
}

/// A login that must fail, what it costs, and what only the server's own log may say.
fn bad_logins() -> Vec<(Login, usize, RefusalReason)> {
    let alice = Login::alice;
    vec![
        (
            Login {
                password: "Correct horse battery staple".to_owned(),
                ..alice()
            },
            1,
            WrongPassword,
        ),
        (
            Login {
                key: MALLORY.clone(),
                ..alice()
            },
            0,
            UnknownUserOrKey,
        ),
        (
            Login {
                key: Arc::new(Impostor),
                ..alice()
            },
            0,
            BadKeyProof,
        ),
        (
            Login {
                user: name("nobody"),
                ..alice()
            },
            0,
            UnknownUserOrKey,
        ),
        (
            Login {
                user: name("mallory"),
                ..alice()
            },
            0,
            UnknownUserOrKey,
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn all_refusals_are_one_on_the_wire_and_only_key_holders_cost_a_hash() {
    for (login, hashes, reason) in bad_logins() {
        let world = World::new().await;
        world
            .store
            .add(&account("mallory", &MALLORY))
            .await
            .unwrap();
        let began = Instant::now();
        let answer = login.refused(world.connect()).await;
        assert_eq!(answer.len(), 100, "{reason}: one record and the end");
        assert_eq!(began.elapsed(), Duration::from_millis(400), "{reason}");
        assert_eq!(world.passwords.spent(), hashes, "{reason}");
        let user = login.user.clone();
        assert_saw(&world.seen.last_of(1), &Event::Refused { user, reason });
    }
}

/// Writes down what each connection cost, and how many signatures were really checked.
#[derive(Default)]
struct Bill {
    spent: Mutex<Vec<(u64, Work)>>,
    checked: AtomicUsize,
}

impl CostModel for Bill {
    fn spend(&self, connection: u64, work: Work) -> BoxFuture<'_, ()> {
        self.spent.lock().unwrap().push((connection, work));
        Box::pin(ready(()))
    }
}

impl Verifier for Bill {
    fn verify(&self, spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
        self.checked.fetch_add(1, Ordering::SeqCst);
        AwsLc.verify(spki, message, signature)
    }
}

/// Otherwise the time of the answer, or the load of the server, would tell who exists.
#[tokio::test(start_paused = true)]
async fn who_does_not_exist_costs_the_same_work_as_who_does() {
    for (login, hashes, reason) in bad_logins() {
        let bill = Arc::new(Bill::default());
        let world = World::with(|setup| {
            setup.cost_model = bill.clone();
            setup.verifier = bill.clone();
        })
        .await;
        let mallory = account("mallory", &MALLORY);
        world.store.add(&mallory).await.unwrap();
        login.refused(world.connect()).await;
        let mut expected = vec![(1, Work::Sign), (1, Work::Verify)];
        expected.extend(vec![(1, Work::Hash); hashes]);
        assert_eq!(*bill.spent.lock().unwrap(), expected, "{reason}");
        assert_eq!(bill.checked.load(Ordering::SeqCst), 1, "{reason}");
    }
}

/// The server's own word, under the right tag, from a client that proves nothing: CVE-2018-10933 let it in.
#[tokio::test(start_paused = true)]
async fn a_client_that_says_it_is_let_in_is_hung_up_on_without_a_word() {
    for typ in [Type::AuthOk, Type::Msg, Type::CloseAck] {
        let world = World::new().await;
        let mut stream = world.connect();
        let hello = Ephemeral::new(&Zeroizing::new([7; 64]));
        let (expect, sent) = ExpectServerHello::start(Ephemeral::new(&Zeroizing::new([7; 64])));
        stream.write_all(&sent).await.unwrap();
        let mut answer = [0; SERVER_HELLO_LEN];
        stream.read_exact(&mut answer).await.unwrap();
        expect.server_hello(&answer).unwrap();
        let mut proof = [0; 1060];
        stream.read_exact(&mut proof).await.unwrap();

        let prk = hello.agree(&answer[34..]).unwrap();
        let secrets = HandshakeSecrets::derive(&prk, &hash(&[&sent, &answer]));
        let nothing = ClientAuth {
            user: name("alice"),
            kid: support::alice_kid(),
            signature: vec![0; 384],
            password: Zeroizing::new(b"none".to_vec()),
            finished: [0; 32],
            enrolment: None,
        };
        let record = Sealer::new(&secrets.client, 0).seal(typ, &nothing.encode());
        stream.write_all(&record.unwrap()).await.unwrap();
        assert!(rest(&mut stream).await.is_empty());
        assert!(failed_because(&world.seen.last_of(1), "another state"));
        assert_eq!(world.passwords.spent(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_recorded_login_opens_nothing() {
    let world = World::new().await;
    let mut stream = world.connect();
    let (proven, hello) = Login::hello(&mut stream).await;
    let (_, auth) = Login::alice().auth(proven);
    stream.write_all(&auth).await.unwrap();
    drop(stream);

    let mut replay = world.connect();
    replay.write_all(&hello).await.unwrap();
    replay.write_all(&auth).await.unwrap();
    let answer = rest(&mut replay).await;
    assert_eq!(answer.len(), 66 + 1060, "the host's proof and nothing else");
    assert!(failed_because(&world.seen.last_of(2), "record tag"));
    assert!(world.passwords.spent() <= 1, "the replay cost no hash");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_lasts_10_seconds_at_most() {
    let world = World::new().await;
    let began = Instant::now();
    let mut silent = world.connect();
    assert!(rest(&mut silent).await.is_empty());
    assert_eq!(began.elapsed(), seconds(10));

    let began = Instant::now();
    let mut stream = world.connect();
    sleep(seconds(4)).await;
    let _proven = Login::hello(&mut stream).await;
    assert!(rest(&mut stream).await.is_empty());
    assert_eq!(began.elapsed(), seconds(10), "in all, not for each step");
    for connection in [1, 2] {
        assert!(failed_because(&world.seen.last_of(connection), "longer"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_hello_in_single_bytes_has_5_seconds() {
    let world = World::new().await;
    let mut stream = world.connect();
    let began = Instant::now();
    for byte in *b"latch/2\n\x02\x00" {
        if stream.write_all(&[byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_millis(700)).await;
    }
    assert!(rest(&mut stream).await.is_empty());
    assert!(began.elapsed() <= seconds(7));
    assert!(failed_because(&world.seen.last_of(1), "(8 of 74 bytes)"));
}

#[tokio::test(start_paused = true)]
async fn a_length_that_is_neither_of_a_login_nor_of_an_enrolment_ends_it_before_the_body() {
    let others = (BUCKETS.into_iter()).filter(|bucket| ![1024, 4096].contains(bucket));
    let lengths = others.map(|bucket| bucket as u32 + 32);
    for length in lengths.chain([0, 1024, 1055, 1057, 4127, 4129, u32::MAX]) {
        let world = World::new().await;
        let mut stream = world.connect();
        let _proven = Login::hello(&mut stream).await;
        let began = Instant::now();
        stream.write_all(&length.to_be_bytes()).await.unwrap();
        assert!(rest(&mut stream).await.is_empty(), "{length}");
        assert_eq!(began.elapsed(), Duration::ZERO, "{length}");
        assert!(failed_because(&world.seen.last_of(1), "not allowed here"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_foreign_hello_is_closed_without_a_word() {
    let world = World::new().await;
    let mut lab = b"latchLAB".to_vec();
    lab.extend([2, 0]);
    lab.resize(74, 0x41);
    for hello in [vec![b'A'; 74], lab] {
        let mut stream = world.connect();
        stream.write_all(&hello).await.unwrap();
        assert!(rest(&mut stream).await.is_empty());
    }
    assert!(failed_because(&world.seen.last_of(2), "magic"));
}

/// Takes its time, which the test measures out.
struct Slow(Mutex<mpsc::Receiver<()>>);

impl PasswordCheck for Slow {
    fn verify(&self, _: &str, _: &[u8]) -> Result<bool, PasswordError> {
        self.0.lock().unwrap().recv().expect("the test lives");
        Ok(false)
    }
    fn hash(&self, _: &[u8], _: [u8; 16]) -> Result<String, PasswordError> {
        unreachable!("nobody is enrolled")
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_when_the_password_queue_is_full_is_dropped() {
    let (release, wait) = mpsc::channel();
    let spent = Arc::new(WorkCount::default());
    let world = World::with(|setup| {
        setup.passwords = Arc::new(Slow(Mutex::new(wait)));
        setup.cost_model = spent.clone();
        setup.limits.password_permits = 1;
        setup.limits.password_queue = 1;
    })
    .await;
    // Three users, since one user's passwords are looked at one after the other anyway.
    let login = |user: &str| Login {
        user: name(user),
        ..Login::alice()
    };
    for user in ["bob", "carol"] {
        world.store.add(&account(user, &ALICE)).await.unwrap();
    }
    let mut logins = Vec::new();
    for (source, user) in [(1, "alice"), (2, "bob")] {
        let (stream, login) = (world.connect_from(source).0, login(user));
        logins.push(tokio::spawn(async move { login.refused(stream).await }));
    }
    // One computes and one waits, however long their signatures took.
    while !spent.to_string().ends_with("2 password hashes") {
        tokio::task::yield_now().await;
    }
    let mut third = world.connect_from(3).0;
    let (proven, _) = Login::hello(&mut third).await;
    third
        .write_all(&login("carol").auth(proven).1)
        .await
        .unwrap();
    assert!(rest(&mut third).await.is_empty());
    assert!(failed_because(&world.seen.last_of(3), "password_queue"));
    // The operator makes more room.
    world.server.set_limits(&Limits::default());
    let (stream, login) = (world.connect_from(4).0, login("carol"));
    logins.push(tokio::spawn(async move { login.refused(stream).await }));
    for _ in 1..=3 {
        release.send(()).unwrap();
    }
    for login in logins {
        assert_eq!(login.await.unwrap().len(), 100);
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_has_few_places_until_it_logs_in() {
    let world = World::with(|setup| {
        setup.limits = Limits {
            max_unauthenticated_per_source: 2,
            ..Limits::default()
        };
    })
    .await;
    let _idle = world.connect();
    let chat = world.open().await;
    let _another = world.open().await; // it supersedes the first, and both had a place while they logged in
    let _idle_too = world.connect();
    let mut over = world.connect();
    assert!(rest(&mut over).await.is_empty());
    assert!(matches!(world.seen.last_of(5), Event::TurnedAway { .. }));
    let (mut elsewhere, _) = world.connect_from(2);
    let _proven = Login::hello(&mut elsewhere).await;
    drop(chat);
}

/// Over TCP more threads serve, and any of them may begin first. Who has called first has the place all the same.
#[tokio::test(start_paused = true)]
async fn places_are_given_in_the_order_of_arrival() {
    let world = World::with(|setup| setup.limits.max_unauthenticated_per_source = 1).await;
    let call = || {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let served = serve_connection(
            Arc::clone(&world.server),
            theirs,
            ([192, 0, 2, 1], 4000).into(),
        );
        (ours, served)
    };
    let (mut first, served_first) = call();
    let (mut second, served_second) = call();
    served_second.await;
    assert!(matches!(world.seen.last_of(2), Event::TurnedAway { .. }));
    assert!(rest(&mut second).await.is_empty());
    tokio::spawn(served_first);
    Login::hello(&mut first).await;
}

#[tokio::test(start_paused = true)]
async fn a_stranger_costs_little_memory() {
    let world = World::new().await;
    let (_ours, theirs) = tokio::io::duplex(64);
    let peer = ([192, 0, 2, 1], 4000).into();
    let served = serve_connection(Arc::clone(&world.server), theirs, peer);
    // Besides, the handshake holds a transcript of 1.3 kB, and at one time at most 4.2 kB more: the answer of a host
    // with 4096 bits, or later the login's record and its inside.
    let size = size_of_val(&served);
    assert!(size <= 2048, "{size}");
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_one_connection_and_no_other() {
    let world = World::with(|setup| {
        let store = Arc::new(Memory::new());
        setup.accounts = Arc::new(Faulty::new(store));
    })
    .await;
    let (mut stream, served) = world.connect_from(1);
    let (proven, _) = Login::hello(&mut stream).await;
    let crash = Login {
        user: name("crash"),
        ..Login::alice()
    };
    stream.write_all(&crash.auth(proven).1).await.unwrap();
    assert!(rest(&mut stream).await.is_empty());
    served.await.expect("the panic was caught");
    assert!(matches!(world.seen.last_of(1), Event::Panicked));
    assert_eq!(Login::alice().refused(world.connect()).await.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_the_store_holds_up_ends_after_10_seconds_too() {
    let world = World::with(|setup| setup.accounts = Arc::new(Faulty::new(Arc::default()))).await;
    let mut stream = world.connect();
    let began = Instant::now();
    let (proven, _) = Login::hello(&mut stream).await;
    let hang = Login {
        user: name("hang"),
        ..Login::alice()
    };
    stream.write_all(&hang.auth(proven).1).await.unwrap();
    assert!(rest(&mut stream).await.is_empty());
    assert_eq!(began.elapsed(), seconds(10));
    assert!(failed_because(&world.seen.last_of(1), "10 s"));
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_waits_for_the_disk() {
    let store = Arc::new(Memory::new());
    store.add(&account("alice", &ALICE)).await.unwrap();
    let faulty = Arc::new(Faulty::new(Arc::clone(&store)));
    let world = World::with(|setup| setup.accounts = faulty).await;
    let mut chat = world.open().await;
    let began = Instant::now();
    chat.say_and_hear_back(PASSWORD).await;
    assert_eq!(began.elapsed(), seconds(1));
}

#[tokio::test(start_paused = true)]
async fn a_newer_login_waits_for_what_the_older_is_storing() {
    let store = Arc::new(Memory::new());
    store.add(&account("alice", &ALICE)).await.unwrap();
    let slow = Arc::new(Faulty::new(Arc::clone(&store)));
    let world = World::with(|setup| setup.accounts = slow).await;
    let mut older = world.open().await;
    let began = Instant::now();
    older.say("one").await;
    sleep(Duration::from_millis(10)).await;
    // On its way to the disk now, where it arrives 990 ms later; a login takes 400 ms.
    let newer = world.open().await;
    assert_eq!(newer.last_message, 1);
    assert_eq!(
        began.elapsed(),
        Duration::from_millis(1010),
        "at the next multiple of 50"
    );
    let log = store.messages(&name("alice"), &support::alice_kid()).await;
    assert_eq!(log.unwrap().len(), 1);
}

/// The cost of alice's stored hash.
async fn cost_of_alice(world: &World) -> Cost {
    let stored = world
        .store
        .find(&name("alice"), &alice_kid())
        .await
        .unwrap();
    Cost::of(&stored.unwrap().password_hash).unwrap()
}

#[tokio::test]
async fn the_next_login_stores_a_password_at_the_new_cost_and_a_wrong_password_does_not() {
    let cost = Cost::new(19, 2).unwrap();
    let world = World::with(|setup| setup.passwords = Arc::new(Argon2id::new(cost))).await;
    let renewals = |world: &World| {
        let all = world.seen.all().into_iter();
        all.filter(|(_, event)| matches!(event, Event::HashRenewed { .. }))
            .count()
    };
    let wrong = Login {
        password: "a wrong password".to_owned(),
        ..Login::alice()
    };
    wrong.refused(world.connect()).await;
    assert_eq!(
        cost_of_alice(&world).await,
        Cost::TOO_CHEAP_FOR_REAL_PASSWORDS
    );
    assert_eq!(renewals(&world), 0);

    world.open().await.close().await;
    assert_eq!(cost_of_alice(&world).await, cost);
    assert_eq!(renewals(&world), 1);
    // The new hash is one of the same password, and stays.
    world.open().await.close().await;
    assert_eq!(renewals(&world), 1);
}

#[tokio::test]
async fn a_password_that_is_stored_as_new_ones_are_is_hashed_once() {
    let world = World::new().await;
    world.open().await.close().await;
    assert_eq!(world.passwords.spent(), 1);
}
