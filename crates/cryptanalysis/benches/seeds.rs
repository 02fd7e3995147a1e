//! Seeds and keys a second on one core, and how much faster the lanes are than the plain loop.
//!
//! `cargo bench -p latchstring-cryptanalysis --bench seeds` ends with the table of `docs/src/guessable-keys.md`.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    hint::black_box,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use aes::{
    Aes256Enc,
    cipher::{BlockCipherEncrypt, KeyInit},
};
use criterion::{Criterion, Throughput};
use latchstring_cryptanalysis::{
    brute_force::{Cost, Prices},
    generators::Generator,
    seeds::{Search, Secrets, Sniffed, keystream_blocks},
};

/// Seeds of one iteration.
const SEEDS: u64 = 1 << 16;
/// From this second on: a seed that a server would have had.
const FROM: u64 = 1_700_003_840;

/// The fastest run of each measurement, in seconds for one seed or key: what is left when other programs do not disturb.
type Best = RefCell<BTreeMap<String, f64>>;

fn main() {
    // The numbers are for one core.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    pool.expect("one thread can be had").install(run);
}

fn run() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(20)
        .configure_from_args();
    let best = Best::default();
    // A message as long as people type them, under secrets that none of the seeds gives.
    let secrets: Secrets = Generator::JavaRandom.bytes(1);
    let text = Sniffed::new([b"see you at noon, then, and bring the book".to_vec()]);
    let sniffed = Sniffed::new(text.decrypt(&secrets));
    for generator in Generator::ALL {
        for plain in [true, false] {
            let search = Search {
                plain,
                ..Search::new(generator)
            };
            let way = if plain { "plain" } else { "lanes" };
            measure(
                &mut criterion,
                &best,
                &format!("{generator}/{way}"),
                SEEDS,
                || {
                    let go_on = |_: latchstring_cryptanalysis::seeds::Progress<'_>| {
                        ControlFlow::Continue(())
                    };
                    let found = search.run(FROM..=FROM + SEEDS - 1, &sniffed, go_on);
                    assert!(found.hits.is_empty());
                },
            );
        }
    }
    let mut candidates = [[7; 40]; 128];
    measure(&mut criterion, &best, "aes-256/plain", 128, || {
        for key in black_box(&mut candidates) {
            let mut block = [0; 16];
            let aes = Aes256Enc::new_from_slice(&key[..32]).expect("32 bytes");
            aes.encrypt_block((&mut block).into());
            key[0] ^= block[0];
        }
    });
    measure(&mut criterion, &best, "aes-256/lanes", 128, || {
        black_box(keystream_blocks(black_box(&candidates)));
    });
    criterion.final_summary();
    table(&best.borrow());
}

/// Measures `work`, which tries `count` seeds or keys.
fn measure(criterion: &mut Criterion, best: &Best, name: &str, count: u64, mut work: impl FnMut()) {
    let mut group = criterion.benchmark_group("seeds");
    group.throughput(Throughput::Elements(count));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let start = Instant::now();
            for _ in 0..iterations {
                work();
            }
            let elapsed = start.elapsed();
            let each = elapsed.as_secs_f64() / (iterations * count) as f64;
            let mut best = best.borrow_mut();
            let entry = best.entry(name.to_owned()).or_insert(each);
            *entry = entry.min(each);
            elapsed
        });
    });
    group.finish();
}

fn table(best: &BTreeMap<String, f64>) {
    println!(
        "\n| tried | plain, millions/s | lanes, millions/s | ratio | a day of seconds | a day of microseconds |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    let names = Generator::ALL.map(Generator::name);
    for name in names.into_iter().chain(["aes-256"]) {
        let of = |way: &str| best.get(&format!("{name}/{way}"));
        let (Some(plain), Some(lanes)) = (of("plain"), of("lanes")) else {
            continue;
        };
        print!(
            "| {name} | {:.2} | {:.1} | {:.1} |",
            1e-6 / plain,
            1e-6 / lanes,
            plain / lanes
        );
        if name == "aes-256" {
            println!(" | |");
        } else {
            println!(
                " {:.0} ms | {:.1} h |",
                86_400e3 * lanes,
                86_400e6 * lanes / 3600.0
            );
        }
    }
    if let Some(key) = best.get("aes-256/lanes") {
        println!(
            "\n2^256 keys: {}",
            Cost::of_keys(256, 1.0 / key, &Prices::RENTED_CORE)
        );
    }
}
