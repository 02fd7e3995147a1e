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
use argon2::Argon2;
use criterion::{Criterion, Throughput};
use latchstring_cryptanalysis::{
    brute_force::{Cost, Duration as Time, Prices, Round},
    dictionary::variants,
    generators::Generator,
    seeds::{Search, Secrets, Sniffed, crypt, keystream_blocks},
};
use sha2::{Digest, Sha256};

/// Seeds of one iteration: a millisecond or less, so that some run undisturbed on a busy machine.
const SEEDS: u64 = 1 << 13;
/// From this second on: a seed that a server would have had.
const FROM: u64 = 1_700_003_840;

/// The fastest run of each measurement, in seconds for one seed or key: other programs disturb that run the least.
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
    let message = crypt(&secrets, b"see you at noon, then, and bring the book");
    let sniffed = Sniffed::new([message]);
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
    // Blocks of 128, so that reading the clock costs nothing beside them.
    let mut blocks = vec![[[7; 40]; 128]; 16];
    measure(&mut criterion, &best, "aes-256/plain", 16 * 128, || {
        for key in black_box(&mut blocks).as_flattened_mut() {
            let mut block = [0; 16];
            let aes = Aes256Enc::new_from_slice(&key[..32]).expect("32 bytes");
            aes.encrypt_block((&mut block).into());
            key[0] ^= block[0];
        }
    });
    measure(&mut criterion, &best, "aes-256/lanes", 16 * 128, || {
        for candidates in black_box(&blocks) {
            black_box(keystream_blocks(candidates));
        }
    });
    passwords(&mut criterion, &best);
    criterion.final_summary();
    table(&best.borrow());
    dictionary_table(&best.borrow());
}

/// One guess at a password, as the hardened store hashes it (64 MiB, three passes, one lane) and as a fast hash does.
fn passwords(criterion: &mut Criterion, best: &Best) {
    let params = argon2::Params::new(64 * 1024, 3, 1, Some(32)).expect("these are in range");
    let argon2 = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut hash = [0; 32];
    measure(criterion, best, "password/argon2id", 1, || {
        let done = argon2.hash_password_into(black_box(b"correct horse"), &[1; 16], &mut hash);
        done.expect("the salt is long enough");
    });
    let guesses = variants("correct");
    measure(
        criterion,
        best,
        "password/sha-256",
        guesses.len() as u64,
        || {
            for guess in &guesses {
                black_box(
                    Sha256::new()
                        .chain_update([1; 16])
                        .chain_update(guess)
                        .finalize(),
                );
            }
        },
    );
}

fn dictionary_table(best: &BTreeMap<String, f64>) {
    println!(
        "\n| hash | guesses/s, one core | 10^9 guesses | energy | money |\n| --- | --- | --- | --- | --- |"
    );
    for name in ["sha-256", "argon2id"] {
        let Some(guess) = best.get(&format!("password/{name}")) else {
            continue;
        };
        let cost = Cost::of(1e9, 1.0 / guess, &Prices::RENTED_CORE);
        println!(
            "| {name} | {} | {} | {} kWh | {} |",
            Round(1.0 / guess),
            Time(cost.core_seconds),
            Round(cost.kilowatt_hours),
            Round(cost.money)
        );
    }
}

/// Measures `work`, which tries `count` seeds or keys.
fn measure(criterion: &mut Criterion, best: &Best, name: &str, count: u64, mut work: impl FnMut()) {
    let mut group = criterion.benchmark_group("seeds");
    group.throughput(Throughput::Elements(count));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let mut elapsed = Duration::ZERO;
            for _ in 0..iterations {
                let start = Instant::now();
                work();
                let once = start.elapsed();
                elapsed += once;
                let each = once.as_secs_f64() / count as f64;
                let mut best = best.borrow_mut();
                let entry = best.entry(name.to_owned()).or_insert(each);
                *entry = entry.min(each);
            }
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
