//! Every defence earns its place: what the attacks say of themselves is complete and minimal, and honest people can do
//! without any defence at all. (That each verdict is as promised is `verdicts.rs` and `matrix.rs`.)

use std::collections::BTreeSet;

use latchstring_arena::{
    self as arena, DEFAULT_SEED, Honest, SCRIPT,
    against::Against,
    seen::{Ending, HONEST, Seen},
    verdict::Outcome,
    wire::Over,
};
use latchstring_attacker::{Attack, Faithful, attacks, protocol::hardened::defence::Defence};
use latchstring_matrix::{Selection, cells};

/// The attacks that return without a defence alone, by their own lists.
fn returning_without(defence: Defence) -> Vec<&'static str> {
    let returns = |attack: &&&Attack| attack.returns_without.contains(&&[defence][..]);
    let ids = attacks::ALL.iter().filter(returns).map(|attack| attack.id);
    ids.collect()
}

#[test]
fn for_every_defence_an_attack_returns_or_a_reason_is_given() {
    let in_a_set = |defence: &Defence| {
        let sets = attacks::ALL
            .iter()
            .flat_map(|attack| attack.returns_without);
        sets.copied().any(|set| set.contains(defence))
    };
    for defence in Defence::ALL {
        let needed = in_a_set(defence);
        let reason = defence.kept_because();
        assert_ne!(
            needed,
            reason.is_some(),
            "{defence}: {:?}",
            returning_without(*defence)
        );
    }
}

#[test]
fn the_sets_are_minimal_and_every_attack_has_one() {
    for attack in attacks::ALL {
        let sets: Vec<BTreeSet<Defence>> = (attack.returns_without.iter())
            .map(|set| set.iter().copied().collect())
            .collect();
        let held_by_departure = matches!(attack.faithful, Faithful::Held(_));
        assert!(!sets.is_empty() || held_by_departure, "{}", attack.id);
        for (i, set) in sets.iter().enumerate() {
            assert!(!set.is_empty(), "{}", attack.id);
            let others = sets.iter().enumerate().filter(|(j, _)| *j != i);
            for (_, other) in others {
                assert!(!other.is_subset(set), "{}: {other:?} is enough", attack.id);
            }
        }
    }
}

#[test]
fn each_cell_that_the_rules_name_is_in_the_matrix() {
    let cells = Selection::all().cells();
    let has = |attack: &Attack, against| {
        let same = |cell: &&cells::Cell| cell.0.id == attack.id && cell.1 == against;
        cells.iter().find(same).is_some()
    };
    for attack in attacks::ALL {
        assert!(has(attack, Against::Faithful) && has(attack, Against::hardened()));
        for defence in Defence::ALL {
            assert!(has(attack, Against::without(&[*defence])));
        }
        for set in attack.returns_without {
            assert!(has(attack, Against::without(set)));
            assert_eq!(
                cells::promised(attack, Against::without(set)),
                Outcome::Broke
            );
            // What is missing one of the set is a set of its own, and named above or empty; either way it must hold,
            // unless another set is within it, which minimality forbids.
            for kept in *set {
                let rest: Vec<Defence> = set.iter().copied().filter(|d| d != kept).collect();
                assert!(
                    has(attack, Against::without(&rest)),
                    "{}: {rest:?}",
                    attack.id
                );
                assert_eq!(
                    cells::promised(attack, Against::without(&rest)),
                    Outcome::Held
                );
            }
        }
    }
}

/// A pair of weakened peers with nobody on the path: everything arrives, once and in order, and both ends agree.
fn comes_through(against: Against) {
    let Honest { truth, .. } = arena::honest(against, Over::Memory, DEFAULT_SEED).unwrap();
    assert_eq!(truth.trouble, None, "{against}");
    assert_eq!(truth.received_on(HONEST), SCRIPT, "{against}");
    let agreed = |seen: &Seen| {
        matches!(
            seen,
            Seen::Ended {
                on: HONEST,
                how: Ending::Agreed
            }
        )
    };
    assert!(truth.seen.iter().any(agreed), "{against}: {:?}", truth.seen);
}

#[test]
fn an_honest_session_needs_none_of_the_defences() {
    for against in Against::columns() {
        if against != Against::Faithful {
            comes_through(against);
        }
    }
    comes_through(Against::without(Defence::ALL));
}
