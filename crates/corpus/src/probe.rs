//! The cost of a whole process: start, model, detection of the language, solution. This program calls itself for it, so
//! that nothing is warm and no other text is in memory.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use latchstring_cryptanalysis::{Keystream, Language, Mode, detect, solve};

use crate::cases::{Case, Suite};

/// The number of runs, of which the best counts: other programs use the machine too.
const RUNS: usize = 5;
/// The sessions that are looked at.
const TOGETHER: [usize; 3] = [2, 10, 20];

/// The figures of the other process.
struct Cost {
    /// Reading the English model.
    model: Duration,
    /// From its start to its end.
    whole: Duration,
    /// The most memory that it held.
    kilobytes: u64,
}

/// Solves `ciphertexts` (in hexadecimal, with commas between them). Prints the time for reading the model, in
/// microseconds, and the highest use of memory, in kB.
///
/// # Errors
/// If they are not hexadecimal.
pub(crate) fn run(ciphertexts: &str) -> Result<()> {
    let start = Instant::now();
    Language::english();
    let model = start.elapsed();
    let decoded: Result<Vec<Vec<u8>>, _> = ciphertexts.split(',').map(hex::decode).collect();
    let ciphertexts = decoded.context("the ciphertexts are not hexadecimal")?;
    let language = detect(&ciphertexts);
    let found = solve(&ciphertexts, language, &Keystream::new(), Mode::Fast);
    ensure!(found.messages.len() == ciphertexts.len(), "not solved");
    println!("{} {}", model.as_micros(), peak_memory());
    Ok(())
}

/// The most memory that this process held, in kB; 0 where the system does not tell.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn cost(case: &Case) -> Result<Cost> {
    let hex: Vec<String> = case.ciphertexts.iter().map(hex::encode).collect();
    let program = std::env::current_exe().context("finding this program")?;
    let start = Instant::now();
    let output = Command::new(program)
        .arg("--probe")
        .arg(hex.join(","))
        .output();
    let output = output.context("calling this program once more")?;
    let whole = start.elapsed();
    let said = String::from_utf8_lossy(&output.stdout);
    let numbers = said.trim().split_once(' ');
    let (model, kilobytes) = numbers.context("this program failed when it called itself")?;
    Ok(Cost {
        model: Duration::from_micros(model.parse()?),
        whole,
        kilobytes: kilobytes.parse()?,
    })
}

/// The cost of whole processes, as a paragraph and a table in Markdown.
///
/// # Errors
/// If this program fails when it calls itself.
pub(crate) fn report(suites: &[Suite]) -> Result<String> {
    let mut rows = String::new();
    let (mut model, mut memory) = (Duration::MAX, 0);
    for together in TOGETHER {
        let suite = suites.iter().find(|suite| suite.together == together);
        let case = suite.and_then(|suite| suite.cases.first());
        let case = case.context("no case to call this program with")?;
        let bytes: usize = case.ciphertexts.iter().map(Vec::len).sum();
        let mut best = Duration::MAX;
        for _ in 0..RUNS {
            let cost = cost(case)?;
            best = best.min(cost.whole);
            model = model.min(cost.model);
            memory = memory.max(cost.kilobytes / 1000);
        }
        let whole = best.as_secs_f64() * 1000.0;
        let each = whole / bytes as f64;
        rows += &format!("| {together} | {bytes} | {whole:.0} | {each:.3} |\n");
    }
    let model = model.as_millis();
    Ok(format!(
        "The time of one process from start to end, with the detection of the language (the best of {RUNS}). Of \
         that, reading the English model takes {model} ms. The peak of its memory is {memory} MB.\n\n\
         | messages | bytes | ms | ms a byte |\n| --- | --- | --- | --- |\n{rows}"
    ))
}
