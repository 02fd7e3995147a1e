//! Enrolments in memory with a virtual clock: who becomes a user, who does not, and what it costs.

mod support;

use std::{sync::Arc, time::Duration};

use latchstring_net::{
    hygiene::WeakKey,
    keyfile::public_from_pem,
    protocol::hardened::{
        handshake::{ExpectVerdict, RefusalReason, Verdict},
        message::{Fingerprint, Token},
        signature::Signer,
    },
    wire::read_record,
};
use latchstring_server_core::{Argon2id, Event, PasswordRules, config::Passwords};
use latchstring_store::{Accounts, INVITE_LASTS, Invite, password::Cost};
use support::{
    ALICE, HOST, Impostor, Login, MALLORY, NOW, PASSWORD, World, assert_saw, name, rest,
};
use tokio::{
    io::{AsyncWriteExt, DuplexStream},
    time::Instant,
};
use zeroize::Zeroizing;

const TOKEN: [u8; 16] = [7; 16];

/// A server that knows alice and has invited somebody to become bob.
async fn world() -> World {
    let world = World::new().await;
    invite(&world, "bob", NOW).await;
    world
}

async fn invite(world: &World, user: &str, at: u64) {
    let invite = Invite::new(name(user), Token::new(TOKEN).hash(), at);
    world.store.invite(&invite).await.unwrap();
}

/// What a newcomer shows; each field can be turned against the server.
struct Newcomer {
    user: &'static str,
    key: Arc<dyn Signer>,
    password: &'static str,
    token: [u8; 16],
}

impl Newcomer {
    fn bob() -> Self {
        Self {
            user: "bob",
            key: MALLORY.clone(),
            password: PASSWORD,
            token: TOKEN,
        }
    }

    async fn present(&self, stream: &mut DuplexStream) -> (ExpectVerdict, Vec<u8>) {
        let (proven, _) = Login::hello(stream).await;
        let trusted = proven.pinned(&Fingerprint::of(HOST.public_key())).unwrap();
        let password = Zeroizing::new(self.password.as_bytes().to_vec());
        let token = Token::new(self.token);
        let enrol = trusted.enrol(&name(self.user), &*self.key, &password, &token);
        let (expect, record) = enrol.unwrap();
        assert_eq!(record.len(), 4132);
        stream.write_all(&record).await.unwrap();
        let answer = read_record(stream, &[64], None).await.unwrap();
        (expect, answer.expect("an answer"))
    }

    async fn let_in(&self, world: &World) -> bool {
        let mut stream = world.connect();
        let (expect, answer) = self.present(&mut stream).await;
        match expect.verdict(&answer).unwrap() {
            Verdict::Accepted { .. } => true,
            Verdict::Refused(said) => {
                assert_eq!(said, "");
                assert!(rest(&mut stream).await.is_empty(), "and the end");
                false
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_invited_becomes_a_user_and_is_logged_in() {
    let world = world().await;
    let began = Instant::now();
    assert!(Newcomer::bob().let_in(&world).await);
    assert_eq!(began.elapsed(), Duration::from_millis(400));
    let kid = Fingerprint::of(MALLORY.public_key());
    let user = name("bob");
    let seen = world.seen.of(1);
    assert_saw(&seen[1], &Event::Enrolled { user, kid });
    assert!(
        seen.iter()
            .any(|event| matches!(event, Event::LoggedIn { .. }))
    );
    let account = world.store.find(&name("bob"), &kid).await.unwrap().unwrap();
    assert_eq!(account.created_at, NOW);
    assert!(account.password_hash.starts_with("$argon2id$"));

    let login = Login {
        user: name("bob"),
        key: MALLORY.clone(),
        ..Login::alice()
    };
    login.open(world.connect()).await.close().await;
    assert!(
        !Newcomer::bob().let_in(&world).await,
        "the token is used up"
    );
}

/// A public key that its holder can sign with as little as anybody: the server looks at the proof first.
struct Weak(Vec<u8>);

impl Signer for Weak {
    fn public_key(&self) -> &[u8] {
        &self.0
    }
    fn sign(
        &self,
        message: &[u8],
    ) -> Result<Vec<u8>, latchstring_net::protocol::hardened::signature::SignError> {
        MALLORY.sign(message)
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_else_is_refused_alike_and_costs_no_hash() {
    let weak = include_bytes!("../../net/tests/keys/weak/close-primes.pub.pem");
    let weak = Weak(public_from_pem(weak).unwrap());
    let cases = [
        (
            Newcomer {
                token: [8; 16],
                ..Newcomer::bob()
            },
            RefusalReason::NotInvited,
        ),
        (
            Newcomer {
                user: "carol",
                ..Newcomer::bob()
            },
            RefusalReason::NotInvited,
        ),
        (
            Newcomer {
                user: "alice",
                ..Newcomer::bob()
            },
            RefusalReason::NotInvited,
        ),
        (
            // Alice's public key under another name.
            Newcomer {
                key: Arc::new(Impostor),
                ..Newcomer::bob()
            },
            RefusalReason::BadKeyProof,
        ),
        (
            Newcomer {
                key: Arc::new(weak),
                ..Newcomer::bob()
            },
            RefusalReason::BadKeyProof,
        ),
    ];
    for (newcomer, reason) in cases {
        let world = world().await;
        let began = Instant::now();
        assert!(!newcomer.let_in(&world).await, "{reason}");
        assert_eq!(began.elapsed(), Duration::from_millis(400), "{reason}");
        assert_eq!(world.passwords.spent(), 0, "{reason}");
        let user = name(newcomer.user);
        assert_saw(&world.seen.last_of(1), &Event::Refused { user, reason });
        assert_eq!(world.store.list().await.unwrap().len(), 1, "{reason}");
        assert!(Newcomer::bob().let_in(&world).await, "the invitation holds");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_enrolled_already_is_told_to_the_operator_alone() {
    for key in [ALICE.clone(), HOST.clone()] {
        let world = world().await;
        let kid = Fingerprint::of(key.public_key());
        let newcomer = Newcomer {
            key,
            ..Newcomer::bob()
        };
        assert!(!newcomer.let_in(&world).await);
        let seen = world.seen.of(1);
        let told = |event: &Event| matches!(event, Event::WeakKey { why: WeakKey::SameKey(other), .. } if *other == kid);
        assert!(seen.iter().any(told), "{seen:?}");
        assert_eq!(world.passwords.spent(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_that_nobody_should_have_is_refused_and_the_invitation_holds() {
    let world = world().await;
    let short = Newcomer {
        password: "1234567",
        ..Newcomer::bob()
    };
    assert!(!short.let_in(&world).await);
    let reason = RefusalReason::BadPassword;
    let user = name("bob");
    assert_saw(&world.seen.last_of(1), &Event::Refused { user, reason });
    assert!(Newcomer::bob().let_in(&world).await);
}

/// A server with a list of breached passwords, which holds `password` alone, and an invitation for bob.
async fn world_with_list() -> (World, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let breached = dir.path().join("list");
    std::fs::write(
        &breached,
        "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:10434004\r\n",
    )
    .unwrap();
    let settings = Passwords {
        cost: Cost::new(19, 2).unwrap(),
        breached: Some(breached),
        ..Passwords::default()
    };
    let rules = PasswordRules::load(&settings).unwrap();
    let world = World::with(|setup| setup.passwords = Arc::new(Argon2id::with(rules))).await;
    invite(&world, "bob", NOW).await;
    (world, dir)
}

#[tokio::test(start_paused = true)]
async fn a_breached_password_is_refused_like_everything_else_and_the_invitation_holds() {
    let (world, _dir) = world_with_list().await;
    let breached = Newcomer {
        password: "password",
        ..Newcomer::bob()
    };
    let began = Instant::now();
    assert!(!breached.let_in(&world).await);
    assert_eq!(began.elapsed(), Duration::from_millis(400));
    let reason = RefusalReason::BreachedPassword;
    let user = name("bob");
    assert_saw(&world.seen.last_of(1), &Event::Refused { user, reason });
    assert_eq!(world.store.list().await.unwrap().len(), 1);
    assert!(Newcomer::bob().let_in(&world).await);
}

#[tokio::test(start_paused = true)]
async fn without_a_list_the_same_password_is_taken() {
    let world = world().await;
    let breached = Newcomer {
        password: "password",
        ..Newcomer::bob()
    };
    assert!(breached.let_in(&world).await);
}

#[tokio::test(start_paused = true)]
async fn while_the_list_is_gone_nobody_gets_an_account_and_the_log_says_why() {
    let (world, dir) = world_with_list().await;
    let list = dir.path().join("list");
    std::fs::rename(&list, dir.path().join("aside")).unwrap();
    let mut stream = world.connect();
    let (proven, _) = Login::hello(&mut stream).await;
    let trusted = proven.pinned(&Fingerprint::of(HOST.public_key())).unwrap();
    let password = Zeroizing::new(PASSWORD.as_bytes().to_vec());
    let enrol = trusted.enrol(&name("bob"), &**MALLORY, &password, &Token::new(TOKEN));
    stream.write_all(&enrol.unwrap().1).await.unwrap();
    assert!(rest(&mut stream).await.is_empty(), "closed without a word");
    let Event::LoginFailed { why } = world.seen.last_of(1) else {
        panic!("{:?}", world.seen.of(1));
    };
    let why = why.to_string();
    assert!(
        why.contains("breached") && why.contains("cannot read"),
        "{why}"
    );
    assert_eq!(world.store.list().await.unwrap().len(), 1);
    // Whoever has an account already is not kept out.
    Login::alice().open(world.connect()).await.close().await;
    std::fs::rename(dir.path().join("aside"), &list).unwrap();
    assert!(Newcomer::bob().let_in(&world).await, "the invitation holds");
}

#[tokio::test(start_paused = true)]
async fn an_invitation_ends_after_a_day() {
    let world = World::new().await;
    invite(&world, "bob", NOW - INVITE_LASTS).await;
    assert!(!Newcomer::bob().let_in(&world).await);
    invite(&world, "bob", NOW - INVITE_LASTS + 1).await;
    assert!(Newcomer::bob().let_in(&world).await);
}

#[tokio::test(start_paused = true)]
async fn who_tries_tokens_is_turned_away_at_the_door() {
    let world = world().await;
    // Each adds 5 s to a debt of which 60 are too many, and takes 0.4 s.
    for _ in 0..13 {
        let guess = Newcomer {
            token: [8; 16],
            ..Newcomer::bob()
        };
        assert!(!guess.let_in(&world).await);
    }
    assert!(rest(&mut world.connect()).await.is_empty());
    assert!(matches!(world.seen.last_of(14), Event::TurnedAway { .. }));
    let (mut elsewhere, _) = world.connect_from(2);
    let (expect, answer) = Newcomer::bob().present(&mut elsewhere).await;
    let verdict = expect.verdict(&answer).unwrap();
    assert!(matches!(verdict, Verdict::Accepted { .. }));
}
