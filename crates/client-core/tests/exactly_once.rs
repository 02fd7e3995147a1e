//! Whatever is cut, whoever is killed, and however many computers send with one key: each line that a client has kept is
//! in the server's store once, at the end.

mod support;
#[path = "support/world.rs"]
mod world;

use std::{collections::VecDeque, path::PathBuf};

use latchstring_client_core::{Delivery, delivery::Event};
use latchstring_net::protocol::hardened::session::CloseCode;
use proptest::prelude::*;
use support::{HOST, alice, password, pin};
use world::{DOWN, Fate, KIND, RECORD, UP, World, on_a_paused_clock, open, start};

fn fate() -> impl Strategy<Value = Fate> {
    let near = |whole: usize| {
        prop_oneof![
            Just(usize::MAX),
            whole.saturating_sub(150)..whole + 12 * RECORD
        ]
    };
    (
        near(UP),
        near(DOWN),
        prop_oneof![Just(usize::MAX), 0..9_usize],
        any::<bool>(),
    )
        .prop_map(|(up, down, events, restart)| Fate {
            up,
            down,
            events,
            restart,
        })
}

/// One visit: which computer, how many new lines it has, and how that ends.
fn visit() -> impl Strategy<Value = (usize, usize, Fate)> {
    (0..2_usize, 0..6_usize, fate())
}

/// One run of the client on a computer: sends what waits and then `lines`, until it is done, cut off or killed.
async fn run(world: &mut World, computer: usize, mut lines: VecDeque<String>, fate: &Fate) {
    let stream = world.connect(fate);
    let dir: PathBuf = world.computers[computer].dir.path().to_owned();
    let outbox = open(&dir);
    let Ok(connection) = alice().login(stream, &pin(&HOST), password).await else {
        return;
    };
    let mut delivery = Delivery::begin(connection, outbox).unwrap();
    let mut closing = false;
    for _ in 0..fate.events.min(10_000) {
        if delivery.has_room()
            && let Some(line) = lines.pop_front()
        {
            delivery.send(&line).unwrap();
            world.computers[computer].kept.push(line);
            continue;
        }
        if delivery.is_done() && lines.is_empty() && !closing {
            delivery.begin_close().unwrap();
            closing = true;
        }
        match delivery.event().await {
            Ok(Event::CloseAgreed | Event::Closed { .. }) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// Tells by which computer a line was typed, except for those that both type.
fn line(computer: usize, number: usize) -> String {
    match number % 3 {
        0 => "yes".to_owned(),
        _ => format!("{} {number}", ["anna", "ben"][computer]),
    }
}

async fn nothing_is_lost_or_doubled(
    visits: Vec<(usize, usize, Fate)>,
) -> Result<(), TestCaseError> {
    let mut world = World::new().await;
    let mut typed = [0, 0];
    for (computer, count, fate) in visits {
        let lines = (0..count).map(|n| line(computer, typed[computer] + n));
        let lines: VecDeque<String> = lines.collect();
        let before = world.computers[computer].kept.len();
        run(&mut world, computer, lines, &fate).await;
        typed[computer] += world.computers[computer].kept.len() - before;
        if fate.restart {
            world.kill_server();
        }
    }
    for computer in [0, 1] {
        run(&mut world, computer, VecDeque::new(), &KIND).await;
        let outbox = open(world.computers[computer].dir.path());
        prop_assert_eq!(outbox.waiting().len(), 0);
    }
    let stored = world.texts().await;
    let mut expected: Vec<_> = world
        .computers
        .iter()
        .flat_map(|one| one.kept.clone())
        .collect();
    let mut sorted = stored.clone();
    expected.sort();
    sorted.sort();
    prop_assert_eq!(sorted, expected);
    for (computer, name) in world.computers.iter().zip(["anna", "ben"]) {
        let of = |texts: &[String]| -> Vec<String> {
            texts
                .iter()
                .filter(|text| text.starts_with(name))
                .cloned()
                .collect()
        };
        prop_assert_eq!(
            of(&stored),
            of(&computer.kept),
            "in the order in which they were typed"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn every_line_is_stored_once_whatever_is_cut(visits in prop::collection::vec(visit(), 1..9)) {
        on_a_paused_clock(nothing_is_lost_or_doubled(visits))?;
    }
}

/// Cuts at every record of a conversation, each followed by another computer that says the same.
#[test]
fn a_cut_at_any_record_neither_loses_nor_doubles_a_line() {
    for cut in 0..7 {
        for (up, down) in [
            (UP + cut * RECORD, usize::MAX),
            (UP + cut * RECORD + 50, usize::MAX),
            (usize::MAX, DOWN + cut * RECORD),
        ] {
            let cut = Fate {
                up,
                down,
                restart: true,
                ..KIND
            };
            let visits = vec![
                (0, 6, cut.clone()),
                (1, 4, KIND),
                (0, 0, cut.clone()),
                (1, 1, cut),
                (0, 2, KIND),
            ];
            on_a_paused_clock(nothing_is_lost_or_doubled(visits)).unwrap();
        }
    }
}

/// Two servers on one store, without the lock that keeps the second one off: nobody is told that a line is stored which
/// is not.
#[test]
fn a_conflict_is_settled_by_the_next_session() {
    let test = async {
        let mut world = World::new().await;
        let stream = world.connect(&KIND);
        let connection = alice().login(stream, &pin(&HOST), password).await.unwrap();
        let dir = world.computers[0].dir.path().to_owned();
        let mut delivery = Delivery::begin(connection, open(&dir)).unwrap();
        assert!(matches!(delivery.event().await, Ok(Event::Settled(_))));
        // Meanwhile, through another server that numbers the same log.
        let first = std::mem::replace(&mut world.server, start(&world.store));
        run(&mut world, 1, ["yes".to_owned()].into(), &KIND).await;
        world.server = first;
        delivery.send("yes").unwrap();
        delivery.send("no").unwrap();
        let error = loop {
            match delivery.event().await {
                Ok(Event::Stored { .. }) => panic!("that was not stored"),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        let said = error.to_string();
        assert!(said.contains("another message under this number"), "{said}");
        assert_eq!(CloseCode::from_byte(3), Some(CloseCode::Conflict));
        drop(delivery);
        run(&mut world, 0, VecDeque::new(), &KIND).await;
        assert_eq!(world.texts().await, ["yes", "yes", "no"]);
        Ok(())
    };
    on_a_paused_clock(test).unwrap();
}
