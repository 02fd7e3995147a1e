//! The whole matrix again, over real TCP and with other seeds: minutes, so it is not part of the everyday run.
//!
//! ```sh
//! cargo test --workspace --test thorough
//! ```

use latchstring_lab::{
    arena::DEFAULT_SEED,
    matrix::{Matrix, Selection},
    wire::Over,
};

fn matrix(over: Over, seed: u64) -> Matrix {
    Matrix::run(&Selection::all(), over, seed, |_| ()).unwrap()
}

#[test]
fn every_attack_returns_without_its_defences_and_no_others_whatever_the_seed() {
    for seed in [1, 2] {
        let matrix = matrix(Over::Memory, seed);
        let broken = matrix.broken_promises();
        let broken: Vec<String> = broken.iter().map(ToString::to_string).collect();
        assert_eq!(broken, Vec::<String>::new(), "seed {seed}");
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
