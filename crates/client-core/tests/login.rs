//! The client against hosts that are honest, false, silent or insane, over an in-memory stream and a paused clock.

mod support;

use std::time::Duration;

use latchstring_client_core::{ClientError, Event, Stage};
use latchstring_net::{
    protocol::hardened::{
        message::{CLIENT_HELLO_LEN, MAX_TEXT},
        session::{self, CloseCode, KIND_TEXT, Session},
    },
    wire::WireError,
};
use support::{ALICE, HOST, ROGUE, alice, greet, host_login, password, pin, read_record, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    join,
    time::{Instant, timeout},
};

/// Far beyond every deadline: on the paused clock, what is still waiting then waits for ever.
const FOR_EVER: Duration = Duration::from_secs(10_000);

fn pair() -> (DuplexStream, DuplexStream) {
    duplex(64 * 1024)
}

#[tokio::test(start_paused = true)]
async fn an_honest_session_ends_in_agreement() {
    let (near, mut far) = pair();
    let client = async {
        let mut connection = alice().login(near, &pin(&HOST), password).await.unwrap();
        assert_eq!(connection.last_message(), 41);
        assert_eq!(connection.send("one").unwrap(), 42);
        assert_eq!(connection.send("zwei, größer").unwrap(), 43);
        connection.wait_acknowledged().await.unwrap();
        assert!(connection.unacknowledged().is_empty());
        connection.close().await.unwrap();
    };
    let host = async {
        let mut session = host_login(&mut far, &HOST, 41).await.unwrap();
        serve(&mut far, &mut session).await
    };
    let ((), said) = join!(client, host);
    assert_eq!(said, [(42, "one".into()), (43, "zwei, größer".into())]);
}

#[tokio::test(start_paused = true)]
async fn neither_end_waits_for_the_other_when_the_buffers_are_small() {
    let (near, mut far) = duplex(512);
    let client = async {
        let mut connection = alice().login(near, &pin(&HOST), password).await.unwrap();
        let text = "x".repeat(MAX_TEXT);
        for _ in 0..100 {
            connection.send(&text).unwrap();
        }
        assert!(connection.send(&"x".repeat(MAX_TEXT + 1)).is_err());
        connection.close().await.unwrap();
    };
    let host = async {
        let mut session = host_login(&mut far, &HOST, 0).await.unwrap();
        serve(&mut far, &mut session).await
    };
    let ((), said) = timeout(FOR_EVER, async { join!(client, host) })
        .await
        .unwrap();
    assert_eq!(said.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_host_with_another_key_sees_74_bytes_and_nothing_of_the_user() {
    let (near, mut far) = pair();
    let asked = std::cell::Cell::new(false);
    let client = async {
        let provider = || {
            asked.set(true);
            password()
        };
        alice().login(near, &pin(&HOST), provider).await.err()
    };
    let host = async {
        // A key of 4096 bits, so that the larger record is read too.
        greet(&mut far, &ROGUE).await.unwrap();
        let mut more = Vec::new();
        far.read_to_end(&mut more).await.unwrap();
        more
    };
    let (error, after_the_hello) = join!(client, host);
    assert!(matches!(
        error,
        Some(ClientError::HostKeyMismatch { expected, presented })
            if expected == pin(&HOST) && presented == pin(&ROGUE)
    ));
    assert!(after_the_hello.is_empty(), "only the 74 bytes of the hello");
    assert!(!asked.get(), "the password is not even asked for");
}

#[tokio::test(start_paused = true)]
async fn meeting_a_host_tells_it_nothing() {
    let (mut near, mut far) = pair();
    let host = async {
        greet(&mut far, &HOST).await.unwrap();
        let mut more = Vec::new();
        far.read_to_end(&mut more).await.unwrap();
        more.len()
    };
    let client = async {
        let met = alice().meet_host(&mut near).await.unwrap();
        drop(near);
        met
    };
    assert_eq!(join!(client, host), (pin(&HOST), 0));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_refused_without_a_reason() {
    let (near, mut far) = pair();
    let wrong = || Ok(zeroize::Zeroizing::new(b"wrong".to_vec()));
    let pin = pin(&HOST);
    let client = alice();
    let (result, session) = join!(
        client.login(near, &pin, wrong),
        host_login(&mut far, &HOST, 0)
    );
    let error = result.err().unwrap();
    assert!(matches!(error, ClientError::Refused));
    assert_eq!(error.exit_code(), 4);
    assert!(session.is_none());
}

/// How far a host goes before it misbehaves.
async fn up_to(stage: Stage, far: &mut DuplexStream) -> Option<Session> {
    match stage {
        Stage::Hello => {
            far.read_exact(&mut [0; CLIENT_HELLO_LEN]).await.unwrap();
        }
        Stage::HostProof => {
            let (mut inner, mut outer) = pair();
            let mut hello = [0; CLIENT_HELLO_LEN];
            far.read_exact(&mut hello).await.unwrap();
            inner.write_all(&hello).await.unwrap();
            greet(&mut outer, &HOST).await.unwrap();
            let mut answer = [0; 66];
            inner.read_exact(&mut answer).await.unwrap();
            far.write_all(&answer).await.unwrap();
        }
        Stage::Verdict => {
            greet(far, &HOST).await.unwrap();
            far.read_exact(&mut [0; 1060]).await.unwrap();
        }
        Stage::Session => return host_login(far, &HOST, 0).await,
    }
    None
}

const BEFORE_THE_SESSION: [Stage; 3] = [Stage::Hello, Stage::HostProof, Stage::Verdict];

/// A login, with keys made beforehand so that making them is not on the clock.
async fn login_against(stage: Stage, then: &[u8], hang_up: bool) -> (ClientError, Duration) {
    let _ = (&*HOST, &*ALICE);
    let (near, mut far) = pair();
    let began = Instant::now();
    let pin = pin(&HOST);
    let user = alice();
    let client = async {
        let error = user.login(near, &pin, password).await.err().unwrap();
        (error, began.elapsed())
    };
    let host = async {
        up_to(stage, &mut far).await;
        far.write_all(then).await.unwrap();
        if hang_up {
            far.shutdown().await.unwrap();
        }
        let mut rest = Vec::new();
        far.read_to_end(&mut rest).await.unwrap();
    };
    join!(client, host).0
}

#[tokio::test(start_paused = true)]
async fn a_host_that_falls_silent_costs_ten_seconds() {
    for stage in BEFORE_THE_SESSION {
        let (error, took) = login_against(stage, b"", false).await;
        let is = matches!(&error, ClientError::Wire { stage: s, source: WireError::Deadline { .. } } if *s == stage);
        assert!(is, "{stage:?}: {error}");
        assert_eq!(took.as_secs(), 10, "{stage:?}");
        // One byte, and then nothing: that is a record which has begun.
        let (error, took) = login_against(stage, &[2], false).await;
        assert!(
            matches!(error, ClientError::Wire { .. }),
            "{stage:?}: {error}"
        );
        assert_eq!(took.as_secs(), 5, "{stage:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn garbage_at_each_stage_is_an_error_at_that_stage() {
    for stage in BEFORE_THE_SESSION {
        for garbage in [
            [0; 4200],
            [0xff; 4200],
            *b"HTTP/1.1 400 Bad Request\r\n\r\n.."
                .repeat(140)
                .first_chunk()
                .unwrap(),
        ] {
            let (error, took) = login_against(stage, &garbage, false).await;
            let at = match &error {
                ClientError::Wire { stage, .. } | ClientError::Protocol { stage, .. } => {
                    Some(*stage)
                }
                _ => None,
            };
            assert_eq!(at, Some(stage), "{error}");
            assert_eq!(took.as_secs(), 0, "known at once: {error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_length_that_the_stage_does_not_allow_is_refused_before_the_body() {
    // Right lengths of the protocol, at the wrong stage.
    for (stage, len) in [
        (Stage::HostProof, 64 + 32),
        (Stage::HostProof, 16384 + 32),
        (Stage::Verdict, 1024 + 32),
    ] {
        let (error, took) = login_against(stage, &u32::to_be_bytes(len), false).await;
        let is =
            matches!(error, ClientError::Wire { source: WireError::BadLength(n), .. } if n == len);
        assert!(is, "{stage:?} {len}: {error}");
        assert_eq!(took.as_secs(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_hangs_up_is_an_error_at_that_stage() {
    for stage in BEFORE_THE_SESSION {
        let (error, _) = login_against(stage, b"", true).await;
        let is = matches!(&error, ClientError::Wire { stage: s, source: WireError::Closed } if *s == stage);
        assert!(is, "{stage:?}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_without_close_names_what_is_in_doubt() {
    let (near, mut far) = pair();
    let client = async {
        let mut connection = alice().login(near, &pin(&HOST), password).await.unwrap();
        for text in ["one", "two", "three"] {
            connection.send(text).unwrap();
        }
        connection.close().await.unwrap_err()
    };
    let host = async move {
        let mut session = host_login(&mut far, &HOST, 0).await.unwrap();
        session
            .receive(&read_record(&mut far).await.unwrap())
            .unwrap();
        let ack = session.acknowledge(1).unwrap();
        far.write_all(&ack).await.unwrap();
    };
    let (error, ()) = join!(client, host);
    assert!(
        matches!(&error, ClientError::Truncated { unacknowledged } if unacknowledged == &[2, 3]),
        "{error}"
    );
    assert_eq!(error.exit_code(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_open_session_notices_garbage_silence_and_half_records() {
    for (bytes, seconds) in [
        (vec![], 90),
        (vec![0, 0], 5),
        (vec![0xff; 4], 0),
        ([&[0, 0, 0, 96][..], &[7; 96]].concat(), 0),
    ] {
        let (near, mut far) = pair();
        let client = async {
            let mut connection = alice().login(near, &pin(&HOST), password).await.unwrap();
            connection.send("is anybody there?").unwrap();
            let began = Instant::now();
            let error = connection.wait_acknowledged().await.unwrap_err();
            (error, began.elapsed().as_secs())
        };
        let host = async {
            host_login(&mut far, &HOST, 0).await.unwrap();
            far.write_all(&bytes).await.unwrap();
            while read_record(&mut far).await.is_some() {}
        };
        let ((error, took), ()) = join!(client, host);
        assert_eq!((took, error.exit_code()), (seconds, 5), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_host_that_answers_pings_is_kept() {
    let (near, mut far) = pair();
    let client = async {
        let mut connection = alice().login(near, &pin(&HOST), password).await.unwrap();
        let quiet = timeout(Duration::from_secs(3600), connection.event()).await;
        assert!(quiet.is_err(), "an hour of pings and nothing to tell");
        assert!(connection.epoch() >= 4, "new keys each quarter of an hour");
        connection.close().await.unwrap();
    };
    let host = async {
        let mut session = host_login(&mut far, &HOST, 0).await.unwrap();
        serve(&mut far, &mut session).await
    };
    join!(client, host);
}

#[tokio::test(start_paused = true)]
async fn the_hosts_messages_are_acknowledged_and_its_close_is_answered() {
    let (near, mut far) = pair();
    let client = async {
        let mut connection = alice().login(near, &pin(&HOST), password).await.unwrap();
        let said = connection.event().await.unwrap();
        let text = "maintenance at noon".to_owned();
        assert_eq!(said, Event::Message { id: 1, text });
        connection.acknowledge(1).unwrap();
        connection.event().await.unwrap()
    };
    let host = async {
        let mut session = host_login(&mut far, &HOST, 0).await.unwrap();
        let (_, record) = session.send(KIND_TEXT, "maintenance at noon").unwrap();
        far.write_all(&record).await.unwrap();
        let ack = read_record(&mut far).await.unwrap();
        session.receive(&ack).unwrap();
        let close = session.close(CloseCode::Stopping).unwrap();
        far.write_all(&close).await.unwrap();
        let answer = read_record(&mut far).await.unwrap();
        session.receive(&answer).unwrap()
    };
    let (last, agreed) = join!(client, host);
    assert_eq!(
        last,
        Event::Closed {
            code: CloseCode::Stopping
        }
    );
    assert_eq!(agreed, session::Event::CloseAgreed);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_never_agrees_to_the_close_is_given_up() {
    let (near, mut far) = pair();
    let client = async {
        let connection = alice().login(near, &pin(&HOST), password).await.unwrap();
        let began = Instant::now();
        let error = connection.close().await.unwrap_err();
        (error, began.elapsed().as_secs())
    };
    let host = async {
        host_login(&mut far, &HOST, 0).await.unwrap();
        while read_record(&mut far).await.is_some() {}
    };
    let ((error, took), ()) = join!(client, host);
    assert!(matches!(error, ClientError::Truncated { .. }), "{error}");
    assert_eq!(took, 10);
}

#[tokio::test(start_paused = true)]
async fn nothing_follows_our_close_not_even_the_answer_to_a_ping() {
    let (near, mut far) = pair();
    let client = async {
        let connection = alice().login(near, &pin(&HOST), password).await.unwrap();
        connection.close().await.unwrap();
    };
    let host = async {
        let mut session = host_login(&mut far, &HOST, 0).await.unwrap();
        let close = read_record(&mut far).await.unwrap();
        let ping = session.ping().unwrap().unwrap();
        far.write_all(&ping).await.unwrap();
        let Ok(session::Event::Closed { answer, .. }) = session.receive(&close) else {
            panic!("that was not a CLOSE");
        };
        far.write_all(&answer).await.unwrap();
        read_record(&mut far).await
    };
    let ((), after_the_close) = join!(client, host);
    assert_eq!(after_the_close, None);
}
