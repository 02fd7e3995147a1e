//! The two programs of the lab as a person runs them: what they print, how they end, and that each command explains
//! itself.

use std::{path::PathBuf, process::Command, time::Instant};

use latchstring_tests::binary;

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(program: &str, arguments: &[&str]) -> Ran {
    let output = Command::new(binary(program))
        .args(arguments)
        .current_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".."))
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn the_demo_tells_every_story_and_ends_with_the_table() {
    let began = Instant::now();
    let demo = run("latchstring", &["demo"]);
    assert_eq!(demo.code, Some(0), "{}", demo.err);
    for attack in [
        "impersonate",
        "login-replay",
        "cleartext-key",
        "keystream-reuse",
        "bit-flip",
    ] {
        for target in ["faithful", "hardened"] {
            assert!(
                demo.out.contains(&format!("{attack} against {target}")),
                "{}",
                demo.out
            );
        }
        let row = demo
            .out
            .lines()
            .find(|line| line.starts_with(&format!("| {attack}")))
            .unwrap();
        assert!(row.contains("Broke") && row.contains("Held"), "{row}");
    }
    assert!(
        !demo.out.contains('\u{1b}'),
        "no colour where it was not wanted"
    );
    // Not a benchmark: a demo that takes a minute has something wrong with it, on any machine.
    assert!(began.elapsed().as_secs() < 60);
}

#[test]
fn the_demo_is_data_too() {
    let demo = run("latchstring", &["demo", "--json", "--over", "memory"]);
    let json: serde_json::Value = serde_json::from_str(&demo.out).unwrap();
    let runs = json["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 10);
    for run in runs {
        let promised = if run["target"] == "faithful" {
            "broke"
        } else {
            "held"
        };
        assert_eq!(run["verdict"]["outcome"], promised, "{run:#}");
        assert!(!run["story"].as_array().unwrap().is_empty());
    }
}

#[test]
fn the_matrix_prints_its_table() {
    let matrix = run("latchstring", &["matrix", "--over", "memory"]);
    assert_eq!(matrix.code, Some(0), "{}", matrix.err);
    assert_eq!(
        matrix
            .out
            .lines()
            .filter(|line| line.contains("Broke"))
            .count(),
        5
    );
}

#[test]
fn a_capture_is_read_and_attacked_from_the_command_line() {
    let capture = "captures/faithful-chat.pcap";
    let read = run("latchstring", &["read", capture]);
    assert!(
        read.out.contains("session key, in clear"),
        "{}{}",
        read.out,
        read.err
    );

    let key = run(
        "latchstring-attack",
        &["cleartext-key", "--capture", capture],
    );
    assert_eq!(key.code, Some(0));
    assert!(
        key.out.contains("\"do not tell anyone about the money\""),
        "{}",
        key.out
    );

    let reuse = run(
        "latchstring-attack",
        &["keystream-reuse", "--capture", capture, "--json"],
    );
    assert_eq!(reuse.code, Some(0));
    let json: serde_json::Value = serde_json::from_str(&reuse.out).unwrap();
    assert_eq!(json["sessions"][0]["messages"][1], "pay bob 10");
    assert!(!reuse.out.contains("session key"), "{}", reuse.out);

    let held = run(
        "latchstring-attack",
        &["cleartext-key", "--capture", "captures/hardened-chat.pcap"],
    );
    assert_eq!(held.code, Some(2), "nothing was read: {}", held.out);
}

#[test]
fn a_known_message_is_named_by_its_number() {
    let arguments = [
        "keystream-reuse",
        "--capture",
        "captures/faithful-chat.pcap",
        "--known",
    ];
    let known = "4=please send me the report before then";
    let read = run("latchstring-attack", &[&arguments[..], &[known]].concat());
    assert!(
        read.out.contains("\"do not tell anyone about the money\""),
        "{}",
        read.out
    );
    for wrong in ["0=x", "hello", "one=x"] {
        let refused = run("latchstring-attack", &[&arguments[..], &[wrong]].concat());
        assert_eq!(refused.code, Some(2), "{wrong}");
    }
}

#[test]
fn bad_input_gets_a_line_that_says_what_to_do() {
    for (program, arguments, says) in [
        (
            "latchstring-attack",
            &["show", "nothing"][..],
            "latchstring-attack list",
        ),
        (
            "latchstring-attack",
            &["cleartext-key", "--capture", "README.md"],
            "no packet capture",
        ),
        (
            "latchstring-attack",
            &["cleartext-key", "--capture", "nowhere.pcap"],
            "nowhere.pcap",
        ),
        ("latchstring", &["read", "nowhere.pcap"], "nowhere.pcap"),
        (
            "latchstring",
            &[
                "capture",
                "--iface",
                "nosuch0",
                "--out",
                "/nonexistent/x.pcap",
            ],
            "",
        ),
    ] {
        let refused = run(program, arguments);
        assert_eq!(refused.code, Some(1), "{program} {arguments:?}");
        assert!(
            refused.err.contains(says),
            "{program} {arguments:?}: {}",
            refused.err
        );
        assert_eq!(refused.err.trim().lines().count(), 1, "{}", refused.err);
    }
}

#[test]
fn every_attack_is_listed_and_shown_with_a_page_and_a_file_that_exist() {
    let top = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let list = run("latchstring-attack", &["list"]).out;
    assert_eq!(list.lines().count(), 5);
    for line in list.lines() {
        let id = line.split_whitespace().next().unwrap();
        let shown = run("latchstring-attack", &["show", id]).out;
        let paths = shown.lines().filter_map(|line| {
            line.split_whitespace()
                .nth(1)
                .filter(|path| path.contains('/'))
        });
        let paths: Vec<_> = paths.collect();
        assert_eq!(paths.len(), 2, "{shown}");
        for path in paths {
            assert!(top.join(path).is_file(), "{path}");
        }
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    for (program, commands) in [
        ("latchstring", &["demo", "matrix", "capture", "read"][..]),
        (
            "latchstring-attack",
            &["list", "show", "cleartext-key", "keystream-reuse"],
        ),
        ("latchstring-client", &["keygen", "connect"]),
        ("latchstring-server", &["init", "serve"]),
        ("faithful-client", &[]),
        ("faithful-server", &[]),
    ] {
        let whole = run(program, &["--help"]);
        assert!(whole.out.contains("Example"), "{program}: {}", whole.out);
        for command in commands {
            let help = run(program, &[command, "--help"]);
            assert!(
                help.out.contains("Example"),
                "{program} {command}: {}",
                help.out
            );
        }
    }
}
