//! One message over as many sessions as it takes: wherever the connection is cut, the server holds it once.

mod support;
#[path = "support/world.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod world;

use std::path::Path;

use latchstring_client_core::{
    outbox::Outbox,
    send_text::{Broken, Message, SendTextError},
};
use proptest::prelude::*;
use support::{HOST, alice, password, pin};
use world::{DOWN, Fate, KIND, RECORD, UP, World, on_a_paused_clock, open};

const TEXT: &str = "yes";

fn cut() -> impl Strategy<Value = Fate> {
    let near = |whole: usize| {
        prop_oneof![
            Just(usize::MAX),
            whole.saturating_sub(150)..whole + 8 * RECORD
        ]
    };
    (near(UP), near(DOWN), any::<bool>()).prop_map(|(up, down, restart)| Fate {
        up,
        down,
        restart,
        ..KIND
    })
}

/// One session of a sender. Returns its outbox if it has to come again.
async fn visit(
    world: &mut World,
    message: &mut Message<'_>,
    outbox: Outbox,
    fate: &Fate,
) -> Option<Outbox> {
    let stream = world.connect(fate);
    let kept = match alice().login(stream, &pin(&HOST), password).await {
        Err(_) => Some(outbox),
        Ok(connection) => match message.session(connection, outbox, &mut |_| {}).await {
            Ok(()) => None,
            Err(Broken { outbox, why }) => {
                assert!(outbox.is_some(), "{why}");
                outbox
            }
        },
    };
    if fate.restart {
        world.kill_server();
    }
    kept
}

/// Another computer sends the same text with the same key, and is not disturbed.
async fn meanwhile(world: &mut World, dir: &Path) {
    let mut message = Message::new(TEXT).unwrap();
    let left = visit(world, &mut message, open(dir), &KIND).await;
    assert!(left.is_none());
}

async fn stored_once(visits: Vec<(Fate, bool)>) -> Result<(), TestCaseError> {
    let mut world = World::new().await;
    let [here, there] = [0, 1].map(|n| world.computers[n].dir.path().to_owned());
    let mut message = Message::new(TEXT).unwrap();
    let mut outbox = Some(open(&here));
    let mut others = 0;
    for (fate, other) in visits.into_iter().chain([(KIND, false)]) {
        let Some(kept) = outbox.take() else { break };
        outbox = visit(&mut world, &mut message, kept, &fate).await;
        if other {
            meanwhile(&mut world, &there).await;
            others += 1;
        }
    }
    prop_assert!(outbox.is_none(), "the last session is not cut");
    prop_assert_eq!(open(&here).waiting().len(), 0);
    let stored = world.texts().await;
    prop_assert_eq!(stored.len(), 1 + others, "{:?}", stored);
    let id = message.id().unwrap();
    prop_assert!((1..=stored.len() as u64).contains(&id), "{}", id);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn a_message_is_stored_once_whatever_is_cut(visits in prop::collection::vec((cut(), any::<bool>()), 0..7)) {
        on_a_paused_clock(stored_once(visits))?;
    }
}

/// Nothing reaches the client after the login: the server stores the message, and its acknowledgement is lost.
fn without_acknowledgement() -> Fate {
    Fate { down: DOWN, ..KIND }
}

#[test]
fn a_lost_acknowledgement_does_not_double_the_message() {
    let visits = vec![(without_acknowledgement(), false); 3];
    on_a_paused_clock(stored_once(visits)).unwrap();
}

/// What the test above would see of a sender that just begins again.
#[test]
fn a_sender_without_its_outbox_doubles_it() {
    let test = async {
        let mut world = World::new().await;
        for fate in [without_acknowledgement(), KIND] {
            let forgotten = tempfile::tempdir().unwrap();
            let mut message = Message::new(TEXT).unwrap();
            let outbox = open(forgotten.path());
            drop(visit(&mut world, &mut message, outbox, &fate).await);
        }
        assert_eq!(world.texts().await, [TEXT, TEXT]);
        Ok(())
    };
    on_a_paused_clock(test).unwrap();
}

#[test]
fn a_text_that_is_no_message_is_refused_before_any_login() {
    for bytes in [0, 16_373] {
        let text = "x".repeat(bytes);
        let error = Message::new(&text).unwrap_err();
        assert!(matches!(error, SendTextError::Length(_)));
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("--file"), "{error}");
    }
    assert!(Message::new(&"x".repeat(16_372)).is_ok());
}
