//! The two ends of the matrix in memory: what every attack comes to against the faithful and against the hardened protocol.
//! `matrix.rs` plays all of it.

use latchstring_arena::{DEFAULT_SEED, against::Against, wire::Over};
use latchstring_attacker::attacks;
use latchstring_matrix::{Matrix, Selection};

#[test]
fn every_attack_comes_to_what_it_says_against_faithful_and_hardened() {
    let ends = Selection {
        attacks: attacks::ALL.to_vec(),
        columns: vec![Against::Faithful, Against::hardened()],
    };
    let matrix = Matrix::run(&ends, Over::Memory, DEFAULT_SEED, |_| ()).unwrap();
    let broken = matrix.broken_promises();
    let broken: Vec<String> = broken.iter().map(ToString::to_string).collect();
    assert_eq!(broken, Vec::<String>::new());
    for row in &matrix.rows {
        assert!(matrix.cell(row, "faithful").is_some() && matrix.cell(row, "hardened").is_some());
    }
}
