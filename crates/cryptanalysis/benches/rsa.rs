//! The cost of breaking RSA: the tables of `docs/src/broken-rsa.md`.
//!
//! `cargo bench -p latchstring-cryptanalysis --bench rsa` prints them all, in some ten minutes. `-- sieve`, `-- batch` or
//! `-- oracle` prints one of them. Single runs, not averages: each takes long enough to be measured once.

use std::{
    hint::black_box,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use dashu_int::ops::{BitTest, Gcd};
use latchstring_cryptanalysis::{
    bleichenbacher::{Bleichenbacher, expected_queries, unpad},
    brute_force::Duration as Time,
    generators::Generator,
    rsa::{
        Effort, Shared, UBig, batch_gcd, factor, fermat, is_probable_prime, next_prime,
        pollard_p_minus_1, pollard_rho, quadratic_sieve, shared_primes, wiener,
    },
};

fn main() {
    // Cargo passes `--bench` as well.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let print = |name: &str| wanted.is_empty() || wanted.iter().any(|arg| arg == name);
    for (name, table) in [
        ("methods", methods as fn()),
        ("sieve", sieve),
        ("batch", batch),
        ("oracle", oracle),
    ] {
        if print(name) {
            table();
            println!();
        }
    }
}

/// An odd random number of exactly `bits` bits, with its two upper bits set.
fn random(bits: usize, seed: u64) -> UBig {
    let mut bytes = vec![0; bits.div_ceil(8)];
    Generator::Mt19937.fill(seed, &mut bytes);
    let mut number = UBig::from_le_bytes(&bytes);
    number.clear_high_bits(bits);
    for bit in [0, bits - 2, bits - 1] {
        number.set_bit(bit);
    }
    number
}

fn prime(bits: usize, seed: u64) -> UBig {
    next_prime(&random(bits, seed))
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

fn time(duration: Duration) -> Time {
    Time(duration.as_secs_f64())
}

/// Each method on a modulus of 1024 bits that was made for it.
fn methods() {
    println!("| modulus of 1024 bits | method | time |\n| --- | --- | --- |");
    let p = prime(512, 1);
    let q = prime(512, 2);
    let e = UBig::from(65_537u32);
    let row = |what: &str, name: &str, (found, took): (bool, Duration)| {
        assert!(found, "{what}");
        println!("| {what} | {name} | {} |", time(took));
    };

    let close = &p * next_prime(&(&p + UBig::ONE));
    row(
        "q is the prime after p",
        "Fermat",
        timed(|| fermat(&close, 10).is_some()),
    );
    let distance = &p * next_prime(&(&p + (UBig::ONE << 264)));
    row(
        "q - p has 265 bits",
        "Fermat",
        timed(|| fermat(&distance, 1 << 20).is_some()),
    );
    let small = prime(40, 3) * prime(984, 4);
    row(
        "p has 40 bits",
        "Pollard rho",
        timed(|| pollard_rho(&small, 1 << 24).is_some()),
    );
    let smooth = smooth_prime(512) * &q;
    row(
        "all primes of p - 1 are below 2^16",
        "Pollard p - 1",
        timed(|| pollard_p_minus_1(&smooth, 1 << 16).is_some()),
    );
    let n = &p * &q;
    let key = factor(&close, &Effort::QUICK).expect("its primes are close");
    let d = prime(240, 5);
    let weak_e = key.private_exponent(&d).expect("a prime has an inverse");
    row(
        "d has 240 bits",
        "Wiener",
        timed(|| wiener(&close, &weak_e).is_some()),
    );
    let (none, took) = timed(|| factor(&n, &Effort::QUICK).is_none() && wiener(&n, &e).is_none());
    row("sound", "all of the above, without success", (none, took));
}

/// A prime p where p - 1 is 2 times a product of distinct primes, the largest just below 2^16.
fn smooth_prime(bits: usize) -> UBig {
    let mut next = UBig::from(60_000u32);
    let mut product = UBig::from(2u8);
    while product.bit_len() < bits - 16 {
        next = next_prime(&(next + UBig::ONE));
        product *= &next;
    }
    loop {
        next = next_prime(&(next + UBig::ONE));
        let candidate = &product * &next + UBig::ONE;
        if is_probable_prime(&candidate) {
            return candidate;
        }
    }
}

/// The quadratic sieve over the sizes.
fn sieve() {
    println!("| bits of n | quadratic sieve | pollard rho |\n| --- | --- | --- |");
    for bits in [64, 96, 128, 160, 192, 224, 256] {
        let n = prime(bits / 2, 1) * prime(bits - bits / 2, 2);
        let (found, took) = timed(|| quadratic_sieve(&n, |_, _| ControlFlow::Continue(())));
        assert!(found.is_some());
        let rho = if bits <= 96 {
            let (found, took) = timed(|| pollard_rho(&n, 1 << 32));
            assert!(found.is_some());
            time(took).to_string()
        } else {
            "-".to_owned()
        };
        println!("| {bits} | {} | {rho} |", time(took));
    }
}

/// Batch GCD against comparing every pair.
///
/// The moduli are random odd numbers, as the time does not depend on the way they were made. Among them are two pairs
/// of RSA keys that share a prime, which must be found.
fn batch() {
    println!(
        "| moduli of 1024 bits | all pairs | batch GCD, one core | batch GCD, all cores |\n| --- | --- | --- | --- |"
    );
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let one = one.expect("one thread can be had");
    for count in [100, 1_000, 10_000, 100_000] {
        let (p, q) = (prime(512, 1), prime(512, 2));
        let mut moduli: Vec<UBig> = (0..count as u64)
            .map(|seed| random(1024, seed + 1_000))
            .collect();
        for (at, other) in [(7, 3), (count / 2, 4)] {
            moduli[at] = &p * prime(512, other);
        }
        moduli[count - 1] = &q * prime(512, 5);

        let pairs = if count <= 1_000 {
            let (_, took) = timed(|| {
                for (i, n) in moduli.iter().enumerate() {
                    for other in &moduli[..i] {
                        black_box(n.gcd(other));
                    }
                }
            });
            time(took).to_string()
        } else {
            let sample = 20_000;
            let (_, took) = timed(|| {
                for i in 0..sample {
                    black_box((&moduli[i % count]).gcd(&moduli[(i + 1) % count]));
                }
            });
            let pairs = count as f64 * (count - 1) as f64 / 2.0;
            format!(
                "{} (estimated)",
                Time(took.as_secs_f64() / sample as f64 * pairs)
            )
        };
        let (_, alone) = timed(|| one.install(|| black_box(batch_gcd(&moduli))));
        let (divisors, together) = timed(|| batch_gcd(&moduli));
        println!(
            "| {count} | {pairs} | {} | {} |",
            time(alone),
            time(together)
        );

        assert!((&divisors[7]).gcd(&p) == p && (&divisors[count / 2]).gcd(&p) == p);
        assert!((&divisors[count - 1]).gcd(&q) == UBig::ONE);
        let three = [&moduli[7], &moduli[count / 2], &moduli[count - 1]].map(UBig::clone);
        assert!(matches!(
            &shared_primes(&three)[..],
            [Shared::Prime(_), Shared::Prime(_), Shared::No]
        ));
    }
}

/// Queries of Bleichenbacher's attack.
///
/// The oracle gets the multiplier instead of decrypting: the answers are the same, and a million of them take seconds.
fn oracle() {
    println!(
        "| bits of n | the oracle checks | queries: median of 51 | mean | lowest | highest | estimate |\n| --- | --- | --- | --- | --- | --- | --- |"
    );
    let e = UBig::from(65_537u32);
    for bits in [505, 512, 1_017, 1_024, 2_048] {
        let n = prime(bits / 2, 1) * prime(bits - bits / 2, 2);
        let k = bits.div_ceil(8);
        for (strict, name) in [(true, "all of the padding"), (false, "the first two bytes")] {
            let mut all: Vec<u64> = (0..51)
                .map(|seed| queries(&n, &e, &message(k, seed), strict))
                .collect();
            all.sort_unstable();
            println!(
                "| {bits} | {name} | {} | {} | {} | {} | {:.0} |",
                all[25],
                all.iter().sum::<u64>() / 51,
                all[0],
                all[50],
                expected_queries(&n, strict)
            );
        }
    }
}

/// A padded block with 32 bytes of key in it.
fn message(k: usize, seed: u64) -> Vec<u8> {
    let mut block = vec![0; k];
    Generator::Mt19937.fill(seed, &mut block);
    block[..2].copy_from_slice(&[0, 2]);
    block[2..k - 33].iter_mut().for_each(|byte| *byte |= 1);
    block[k - 33] = 0;
    block
}

fn queries(n: &UBig, e: &UBig, block: &[u8], strict: bool) -> u64 {
    let m = UBig::from_be_bytes(block);
    // It conforms, so it needs no blinding, and any ciphertext will do: nothing decrypts it.
    let mut attack = Bleichenbacher::new(n, e, &[2], 0).expect("2 is below n");
    while attack.message().is_none() {
        assert!(!attack.failed());
        let product = &m * attack.multiplier() % n;
        let bytes = product.to_be_bytes();
        let full = [&vec![0; block.len() - bytes.len()][..], &bytes].concat();
        attack.answer(if strict {
            unpad(&full).is_some()
        } else {
            full.starts_with(&[0, 2])
        });
    }
    attack.queries().total()
}
