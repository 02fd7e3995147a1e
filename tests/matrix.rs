//! The whole matrix: every verdict is the one that the registry promises, in memory and over real TCP, with this seed and
//! with another; every published transcript is the one of this run; and a run is the same to the byte every time. It takes
//! minutes, so the everyday run plays `verdicts.rs` instead:
//!
//! ```sh
//! cargo test --workspace --test matrix
//! ```

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, LazyLock, RwLock},
};

use latchstring_arena::{
    self as arena, DEFAULT_SEED, Run,
    against::Against,
    keys::PublishedKey,
    provider::{Provider, Setting},
    wire::Over,
};
use latchstring_attacker::{
    attacks,
    protocol::hardened::signature::{Signer, Verifier},
};
use latchstring_keys::{AwsLc, RsaKey};
use latchstring_ladder::table::Table;
use latchstring_matrix::{Matrix, Selection, grid, tables};
use latchstring_tests::workspace;

/// The published matrix.
static PUBLISHED: LazyLock<Matrix> = LazyLock::new(|| matrix(Over::Memory, DEFAULT_SEED));

/// Over TCP the clock is the machine's, and some attacks measure it. So a run over TCP waits for the others, which compute
/// on all cores, and they wait for it.
static MACHINE: RwLock<()> = RwLock::new(());

fn matrix(over: Over, setting: impl Into<Setting>) -> Matrix {
    let (_alone, _shared);
    match over {
        Over::Tcp => _alone = MACHINE.write(),
        Over::Memory => _shared = MACHINE.read(),
    }
    Matrix::run(&Selection::all(), over, setting, |_| ()).unwrap()
}

/// The RSA of the programs that people deploy.
struct Deployed;

impl Provider for Deployed {
    fn signer(&self, key: PublishedKey) -> Arc<dyn Signer> {
        Arc::new(RsaKey::from_pkcs8(key.to_pkcs8().as_bytes()).unwrap())
    }

    fn verifier(&self) -> Arc<dyn Verifier> {
        Arc::new(AwsLc)
    }
}

fn broken_promises(matrix: &Matrix) -> Vec<String> {
    let broken = matrix.broken_promises();
    broken.iter().map(ToString::to_string).collect()
}

/// The cells whose transcripts are published: faithful, hardened, and each minimal set that brings the attack back.
fn published(matrix: &Matrix) -> impl Iterator<Item = &Run> {
    matrix.rows.iter().flat_map(|row| {
        let sets = matrix.returns_without(row).into_iter();
        let columns = ["faithful", "hardened"].into_iter();
        let columns = columns.chain(sets.map(|column| column.id.as_str()));
        columns.filter_map(|column| matrix.cell(row, column))
    })
}

#[test]
fn the_table_and_each_transcript_are_the_published_ones() {
    let matrix = &*PUBLISHED;
    for text in [tables(matrix, 80), grid(matrix, 80)] {
        let wide = text.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "too wide for a terminal");
    }
    insta::assert_snapshot!(
        "matrix",
        format!("{}\n{}", tables(matrix, 100), grid(matrix, 200))
    );
    for run in published(matrix) {
        insta::assert_snapshot!(snapshot(run), run);
    }
}

/// The name of a published transcript. A file name holds neither `=` nor `,` everywhere.
fn snapshot(run: &Run) -> String {
    format!("{}-against-{}", run.attack, run.against).replace(['=', ','], "-")
}

#[test]
fn no_transcript_is_left_of_a_run_that_is_published_no_more() {
    let files = std::fs::read_dir(workspace().join("tests/snapshots")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let there: BTreeSet<String> = names.filter(|name| name.contains("-against-")).collect();
    let published = published(&PUBLISHED).map(|run| format!("matrix__{}.snap", snapshot(run)));
    assert_eq!(there, published.collect(), "run .ci/regenerate");
}

#[test]
fn nothing_that_is_made_from_runs_has_drifted() {
    let ladder = Table::run(DEFAULT_SEED, |_| ()).unwrap();
    let made = latchstring_book::artefacts(workspace(), &PUBLISHED, &ladder).unwrap();
    let drifted = latchstring_book::drifted(workspace(), &made).unwrap();
    assert_eq!(drifted, Vec::<PathBuf>::new(), "run .ci/regenerate");
}

#[test]
fn in_memory_a_run_is_the_same_every_time_and_another_seed_is_another_run() {
    let _shared = MACHINE.read();
    for attack in attacks::ALL {
        for against in [Against::Faithful, Against::hardened()] {
            let run = |seed| {
                arena::run(attack, against, Over::Memory, seed)
                    .unwrap()
                    .to_string()
            };
            assert_eq!(run(7), run(7), "{} against {against}", attack.id);
        }
    }
    let wire = |seed| {
        arena::honest(Against::hardened(), Over::Memory, seed)
            .unwrap()
            .trace
    };
    assert_eq!(wire(7), wire(7));
    assert_ne!(wire(7), wire(8));
}

#[test]
fn every_verdict_is_the_promised_one_with_another_seed_too() {
    assert_eq!(broken_promises(&PUBLISHED), Vec::<String>::new());
    let other = matrix(Over::Memory, 1);
    assert_eq!(broken_promises(&other), Vec::<String>::new());
}

#[test]
fn every_verdict_is_the_same_over_real_tcp() {
    let published = PUBLISHED.verdicts();
    let tcp = matrix(Over::Tcp, DEFAULT_SEED);
    assert_eq!(broken_promises(&tcp), Vec::<String>::new());
    assert_eq!(published, tcp.verdicts());
}

#[test]
fn every_verdict_is_the_same_with_the_rsa_of_the_programs_that_people_deploy() {
    let (seed, provider) = (DEFAULT_SEED, &Deployed);
    let deployed = matrix(Over::Memory, Setting { seed, provider });
    assert_eq!(broken_promises(&deployed), Vec::<String>::new());
    assert_eq!(PUBLISHED.verdicts(), deployed.verdicts());
}
