//! The matrix: every attack breaks faithful and is held by hardened, in memory and over real TCP, and the run in memory
//! is the same to the byte every time.

use latchstring_attacker::{Target, attacks};
use latchstring_lab::{
    arena::{self, DEFAULT_SEED, Run},
    matrix::Matrix,
    truth::Outcome,
    wire::Over,
};

fn matrix(over: Over, seed: u64) -> Matrix {
    Matrix::run(over, seed, |_, _| ()).unwrap()
}

fn transcript(run: &Run) -> String {
    let mut text = format!(
        "{} against {}\n\non the honest connection:\n",
        run.attack, run.target
    );
    for line in &run.wire {
        text += &format!("  {line}\n");
    }
    text += "\nthe attacker:\n";
    for line in &run.story {
        text += &format!("  {line}\n");
    }
    text + &format!("\n{}: {}\n", run.verdict.outcome, run.verdict.statement)
}

#[test]
fn the_table_and_each_transcript_are_the_published_ones() {
    let matrix = matrix(Over::Memory, DEFAULT_SEED);
    insta::assert_snapshot!("matrix", matrix);
    for run in &matrix.runs {
        insta::assert_snapshot!(
            format!("{}-against-{}", run.attack, run.target),
            transcript(run)
        );
    }
}

#[test]
fn in_memory_a_run_is_the_same_every_time_and_another_seed_is_another_run() {
    for attack in attacks::ALL {
        for target in Target::ALL {
            let run = |seed| transcript(&arena::run(attack, target, Over::Memory, seed).unwrap());
            assert_eq!(run(7), run(7), "{} against {target}", attack.id);
        }
    }
    let wire = |seed| {
        arena::honest(Target::Hardened, Over::Memory, seed)
            .unwrap()
            .trace
    };
    assert_eq!(wire(7), wire(7));
    assert_ne!(wire(7), wire(8));
}

#[test]
fn every_attack_breaks_faithful_and_is_held_by_hardened_whatever_the_seed() {
    for seed in [1, 2, 3] {
        for run in matrix(Over::Memory, seed).runs {
            let promised = if run.target == "faithful" {
                Outcome::Broke
            } else {
                Outcome::Held
            };
            assert_eq!(
                run.verdict.outcome,
                promised,
                "seed {seed}: {}",
                transcript(&run)
            );
        }
    }
}

#[test]
fn over_real_tcp_the_verdicts_are_the_same() {
    let (memory, tcp) = (
        matrix(Over::Memory, DEFAULT_SEED),
        matrix(Over::Tcp, DEFAULT_SEED),
    );
    assert_eq!(memory.verdicts(), tcp.verdicts());
    assert!(memory.as_promised());
}
