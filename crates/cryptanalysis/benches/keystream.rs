//! How long the many-time-pad solver takes against the number and the length of the messages, and reading its model.
//!
//! `cargo bench -p latchstring-cryptanalysis --bench keystream`. How much it reads is in `docs/src/keystream-solver.md`.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput};
use latchstring_cryptanalysis::{Keystream, Language, Mode, detect, solve, xor};

/// Messages that no model has seen.
const HELD_OUT: &str = include_str!("../tests/held-out.txt");
const MODEL: &[u8] = include_bytes!("../data/english.model");
/// The longest message of the protocol.
const LONGEST: usize = 1024;
/// Modes, numbers of messages and their lengths; `None` leaves messages as long as they were typed.
const CASES: [(Mode, usize, Option<usize>); 12] = [
    (Mode::Fast, 2, None),
    (Mode::Fast, 3, None),
    (Mode::Fast, 5, None),
    (Mode::Fast, 10, None),
    (Mode::Fast, 20, None),
    (Mode::Fast, 100, None),
    (Mode::Fast, 2, Some(LONGEST)),
    (Mode::Fast, 20, Some(LONGEST)),
    (Mode::Fast, 1000, Some(LONGEST)),
    (Mode::Deep, 2, None),
    (Mode::Deep, 3, None),
    (Mode::Deep, 10, None),
];

fn main() {
    // The numbers are for one core.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    pool.expect("one thread can be had").install(run);
}

fn run() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(10)
        .configure_from_args();
    criterion.bench_function("read the English model", |b| {
        b.iter(|| Language::read(black_box(MODEL)));
    });
    let ten = messages(10, None);
    criterion.bench_function("detect the language of 10 messages", |b| {
        b.iter(|| detect(black_box(&ten)).name());
    });
    for (mode, together, length) in CASES {
        let ciphertexts = messages(together, length);
        let bytes: usize = ciphertexts.iter().map(Vec::len).sum();
        let mut group = criterion.benchmark_group(format!("{mode:?}"));
        group.throughput(Throughput::Bytes(bytes as u64));
        let each = length.map_or_else(|| "as typed".to_owned(), |length| format!("{length} bytes"));
        let name = BenchmarkId::new(format!("{together} messages"), each);
        group.bench_function(name, |b| {
            b.iter(|| {
                let certain = Keystream::new();
                solve(black_box(&ciphertexts), Language::english(), &certain, mode)
            });
        });
    }
    criterion.final_summary();
}

/// This number of different ciphertexts under one keystream.
fn messages(together: usize, length: Option<usize>) -> Vec<Vec<u8>> {
    let lines: Vec<&str> = HELD_OUT.lines().collect();
    let key: Vec<u8> = (0..LONGEST as u32)
        .map(|at| (at.wrapping_mul(0x9e37_79b1) >> 13) as u8)
        .collect();
    let message = |i: usize| {
        let first = lines[i % lines.len()];
        let Some(length) = length else {
            return xor(first.as_bytes(), &key);
        };
        // Lines in an order of their own for each message.
        let stride = 1 + i / lines.len();
        let others = (1..).map(|step| lines[(i + step * stride) % lines.len()]);
        let text = others
            .take(length / 20)
            .fold(first.to_owned(), |text, line| text + " " + line);
        xor(&text.as_bytes()[..length.min(text.len())], &key)
    };
    (0..together).map(message).collect()
}
