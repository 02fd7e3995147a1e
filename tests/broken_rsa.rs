//! Short keys, factored by `latchstring solve factor`: also one that is left in the middle and taken up again.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use latchstring_attacker::cryptanalysis::rsa::{UBig, next_prime};
use latchstring_tests::{binary, interrupt};
use serde_json::Value;

fn solve(modulus: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary("latchstring"));
    command
        .args(["solve", "factor", "--json", modulus])
        .args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn a_sieve_that_ctrl_c_ended_goes_on_and_finds_the_primes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sieve.json");
    let kept = ["--resume", file.to_str().unwrap()];
    let (p, q) = (
        next_prime(&(UBig::from(3u8) << 94)),
        next_prime(&(UBig::from(5u8) << 94)),
    );
    let modulus = (&p * &q).to_string();

    let sieve = solve(&modulus, &kept).spawn().unwrap();
    interrupt(sieve.id());
    let ended = sieve.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        said.contains("relations found") && said.contains("goes on"),
        "{said}"
    );
    assert_eq!(ended.status.code(), Some(1));
    assert!(file.exists());

    let resumed = solve(&modulus, &kept).output().unwrap();
    let found: Value = serde_json::from_slice(&resumed.stdout).unwrap();
    assert_eq!(
        (&found["p"], &found["q"]),
        (&p.to_string().into(), &q.to_string().into())
    );
    assert!(!file.exists(), "all is done: nothing is left to go on from");
}

#[test]
fn ctrl_c_ends_a_list_of_keys_with_what_was_found() {
    // The first falls at once, each of the others keeps the cheap methods busy for a second.
    let hard = |i: u32| next_prime(&((UBig::from(3u8) << 510) + (UBig::from(i) << 400)));
    let mut keys = vec!["0x23".to_owned()];
    keys.extend((1..20).map(|i| (hard(i) * hard(1_000_003 * i)).to_string()));
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let mut factoring = solve(keys[0], &keys[1..]).spawn().unwrap();
    let mut first = String::new();
    let mut out = BufReader::new(factoring.stdout.take().unwrap());
    out.read_line(&mut first).unwrap();
    interrupt(factoring.id());
    let ended = factoring.wait_with_output().unwrap();
    let found: Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&found["p"], &found["q"]), (&"5".into(), &"7".into()));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        said.contains("ended by Ctrl-C after") && said.contains("of 20 keys are left"),
        "{said}"
    );
    assert_eq!(ended.status.code(), Some(0));
}

#[test]
fn a_damaged_file_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sieve.json");
    let kept = ["--resume", file.to_str().unwrap()];
    let (p, q) = (
        next_prime(&(UBig::from(3u8) << 94)),
        next_prime(&(UBig::from(5u8) << 94)),
    );
    let modulus = (p * q).to_string();
    let run = serde_json::json!({ "command": "solve factor", "modulus": modulus });
    let wrong = serde_json::json!({ "steps": 1, "relations": [["7", [4_000_000], 1]] });
    let text = serde_json::json!({ "run": run, "state": wrong }).to_string();
    std::fs::write(&file, &text).unwrap();
    let refused = solve(&modulus, &kept).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("damaged"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}
