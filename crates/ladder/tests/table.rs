//! The whole table, run: each rung ends exactly the attacks that its line names, and none of them comes back.

use std::sync::LazyLock;

use latchstring_arena::{DEFAULT_SEED, against::Against, verdict::Outcome, wire::Over};
use latchstring_ladder::{Rung, table::Table};

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::run(DEFAULT_SEED, |_| ()).unwrap());

#[test]
fn each_rung_kills_and_opens_what_its_line_says_and_nothing_comes_back() {
    assert_eq!(TABLE.surprises(), Vec::<String>::new());
}

#[test]
fn from_the_bottom_an_attack_does_not_apply_then_works_then_is_dead_for_ever() {
    let place = |outcome| match outcome {
        Outcome::DoesNotApply => 0,
        Outcome::Broke => 1,
        Outcome::Held => 2,
        Outcome::Inconclusive => panic!("a run that shows nothing"),
    };
    for row in &TABLE.rows {
        let places: Vec<_> = Rung::ALL.map(|rung| place(row.outcome(rung))).to_vec();
        assert!(places.is_sorted(), "{}: {places:?}", row.attack);
        let top = row.outcome(Rung::HARDENED);
        assert_eq!(
            top == Outcome::Broke,
            row.attack == "seeded-keys",
            "{}",
            row.attack
        );
    }
}

#[test]
fn rung_0_is_as_weak_as_the_reports_programs_are_in_the_arena() {
    for row in &TABLE.rows {
        let attack = latchstring_attacker::attacks::find(row.attack).unwrap();
        let run = latchstring_arena::run(attack, Against::Faithful, Over::Memory, DEFAULT_SEED);
        let arena = run.unwrap().verdict.outcome;
        assert_eq!(row.outcome(Rung::FAITHFUL), arena, "{}", row.attack);
    }
}

#[test]
fn the_rest_of_the_catalogue_fails_on_rung_9() {
    assert!(TABLE.rest.len() > 5);
    for rest in &TABLE.rest {
        assert_eq!(rest.hardened.outcome, Outcome::Held, "{}", rest.attack);
    }
}

#[test]
fn a_table_that_is_not_as_its_lines_say_is_found() {
    let mut table = TABLE.clone();
    let dead = table.rows.iter_mut().find(|row| row.attack == "bit-flip");
    dead.unwrap().cells[5].verdict.outcome = Outcome::Broke;
    let found = table.surprises().join("\n");
    assert!(found.contains("revives [\"bit-flip\"]"), "{found}");
}
