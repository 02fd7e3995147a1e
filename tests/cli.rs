//! The two programs of the lab as a person runs them: what they print, how they end, and that each command explains
//! itself.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use latchstring_tests::{binary, interrupt};
use serde_json::Value;

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
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The attacks whose stories the demo tells.
const STORIES: [&str; 5] = [
    "impersonate",
    "login-replay",
    "cleartext-key",
    "keystream-reuse",
    "bit-flip",
];

#[test]
fn the_demo_tells_every_story_and_ends_with_the_table() {
    let began = Instant::now();
    let demo = run("latchstring", &["demo"]);
    assert_eq!(demo.code, Some(0), "{}", demo.err);
    for attack in STORIES {
        for target in ["faithful", "hardened", "hardened without"] {
            let heading = format!("{attack} against {target}");
            assert!(demo.out.contains(&heading), "{}", demo.out);
        }
        let mut lines = demo.out.lines();
        let row = lines.find(|line| line.starts_with(&format!("| {attack}")));
        let row = row.unwrap();
        assert!(row.contains("Broke") && row.contains("Held"), "{row}");
    }
    assert!(
        !demo.out.contains('\u{1b}'),
        "no colour where it was not wanted"
    );
    // Not a benchmark: a demo that takes a minute has something wrong with it, on any machine.
    assert!(began.elapsed().as_secs() < 60);
}

fn json(out: &str) -> Value {
    serde_json::from_str(out).unwrap()
}

#[test]
fn the_demo_is_data_too() {
    let demo = run("latchstring", &["demo", "--json", "--over", "memory"]);
    let json = json(&demo.out);
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), STORIES.len());
    for row in rows {
        let cells = row["cells"].as_array().unwrap();
        assert_eq!(cells[0]["verdict"]["outcome"], "broke", "{row:#}");
        assert_eq!(cells[1]["verdict"]["outcome"], "held", "{row:#}");
        assert!(!cells[0]["story"].as_array().unwrap().is_empty());
    }
}

#[test]
fn the_matrix_can_be_asked_for_one_row_and_one_defence() {
    let wanted = ["--attack", "bit-flip", "--defence", "mac"];
    let matrix = run("latchstring", &[&["matrix"][..], &wanted].concat());
    assert_eq!(matrix.code, Some(0), "{}", matrix.err);
    let row = matrix.out.lines().find(|line| line.contains("bit-flip"));
    let cells: Vec<&str> = row.unwrap().split('|').map(str::trim).collect();
    assert_eq!(cells[1..5], ["bit-flip", "Broke", "Held", "mac"]);
    assert!(!matrix.out.contains("impersonate"), "{}", matrix.out);
    assert_eq!(matrix.err, "", "no bar where there is no terminal");

    let over_tcp = [
        &["matrix", "--over", "tcp", "--format", "json"][..],
        &wanted,
    ]
    .concat();
    let data = json(&run("latchstring", &over_tcp).out);
    assert_eq!(data["columns"][2]["without"][0], "mac");
    assert_eq!(data["rows"][0]["cells"][2]["verdict"]["outcome"], "broke");
}

#[test]
fn the_matrix_has_a_page_and_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    for (format, begins) in [("html", "<!DOCTYPE html>"), ("svg", "<svg "), ("grid", " ")] {
        let file = folder.path().join(format);
        let file = file.to_str().unwrap();
        let wanted = ["matrix", "--attack", "bit-flip", "--format", format];
        let ran = run("latchstring", &[&wanted[..], &["--out", file]].concat());
        assert_eq!((ran.code, &ran.out[..]), (Some(0), ""), "{}", ran.err);
        let text = std::fs::read_to_string(file).unwrap();
        assert!(
            text.starts_with(begins) && text.contains("bit-flip"),
            "{format}"
        );
    }
}

#[test]
fn an_attack_runs_against_a_target_of_its_own() {
    let against = |target: &str| {
        let arguments = ["run", "bit-flip", "--against", target];
        run("latchstring-attack", &arguments)
    };
    let broke = against("hardened-minus=mac,fresh-nonce");
    assert_eq!(broke.code, Some(0), "{}{}", broke.out, broke.err);
    assert!(broke.out.contains("Broke: alice typed"), "{}", broke.out);
    assert_eq!(against("hardened").code, Some(1));
    let elsewhere = against("192.0.2.1:22222");
    assert_eq!(elsewhere.code, Some(2));
    assert!(elsewhere.err.contains("is no target"), "{}", elsewhere.err);

    let arguments = ["run", "relay-nothing", "--json"];
    assert_eq!(run("latchstring-attack", &arguments).code, Some(1));
    let arguments = ["run", "bit-flip", "--json", "--over", "tcp", "--seed", "3"];
    let data = json(&run("latchstring-attack", &arguments).out);
    assert_eq!(data["verdict"]["outcome"], "broke");
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
        &["run", "cleartext-key", "--capture", capture],
    );
    assert_eq!(key.code, Some(0));
    assert!(
        key.out.contains("\"do not tell anyone about the money\""),
        "{}",
        key.out
    );

    let reuse = run(
        "latchstring-attack",
        &["run", "keystream-reuse", "--capture", capture, "--json"],
    );
    assert_eq!(reuse.code, Some(0));
    assert_eq!(json(&reuse.out)["sessions"][0]["messages"][1], "pay bob 10");
    assert!(!reuse.out.contains("session key"), "{}", reuse.out);

    let held = run(
        "latchstring-attack",
        &[
            "run",
            "cleartext-key",
            "--capture",
            "captures/hardened-chat.pcap",
        ],
    );
    assert_eq!(held.code, Some(1), "nothing was read: {}", held.out);
}

#[test]
fn a_known_message_is_named_by_its_number() {
    let arguments = [
        "run",
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
            &["run", "cleartext-key", "--capture", "README.md"],
            "no packet capture",
        ),
        (
            "latchstring-attack",
            &["run", "cleartext-key", "--capture", "nowhere.pcap"],
            "nowhere.pcap",
        ),
        (
            "latchstring-attack",
            &[
                "run",
                "bit-flip",
                "--capture",
                "captures/faithful-chat.pcap",
            ],
            "a capture is over",
        ),
        (
            "latchstring",
            &["matrix", "--attack", "nothing"],
            "latchstring-attack list",
        ),
        (
            "latchstring",
            &["matrix", "--defence", "hope"],
            "latchstring-attack list",
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

/// The names under a heading of `latchstring-attack list`.
fn listed(heading: &str) -> Vec<String> {
    let list = run("latchstring-attack", &["list"]).out;
    let lines = list.lines().skip_while(|line| *line != heading).skip(1);
    // What is said of one may go on in the next line, further to the right.
    let names = lines
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with("   "));
    let name = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    names.map(name).collect()
}

#[test]
fn every_attack_is_listed_and_shown_with_a_page_and_a_file_that_exist() {
    let top = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let attacks = listed("attacks:");
    assert_eq!(attacks.len(), latchstring_attacker::attacks::ALL.len());
    for id in attacks {
        let shown = run("latchstring-attack", &["show", &id]).out;
        for what in ["page:", "code:", "capture:"] {
            let mut lines = shown.lines();
            let path = lines.find_map(|line| line.strip_prefix(what)).unwrap();
            assert!(top.join(path.trim()).is_file(), "{path}");
        }
    }
    assert!(listed("defences:").contains(&"mac".to_owned()));
}

#[test]
fn every_command_has_help_with_an_example() {
    for (program, commands) in [
        ("latchstring", &["demo", "matrix", "capture", "read"][..]),
        ("latchstring-attack", &["list", "show", "run"]),
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

/// A file of messages under one keystream, a ciphertext a line.
fn intercepted(texts: &[&str]) -> tempfile::NamedTempFile {
    let key = |at: usize| (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0];
    let encrypt = |text: &&str| -> String {
        let bytes = text.bytes().enumerate();
        bytes
            .map(|(at, byte)| format!("{:02x}", byte ^ key(at)))
            .collect()
    };
    let lines: Vec<String> = texts.iter().map(encrypt).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, lines.join("\n")).unwrap();
    file
}

#[test]
fn messages_under_one_keystream_are_solved_from_a_file() {
    let texts = [
        "are you coming to the party on saturday night?",
        "i don't know yet, i have to work until nine",
        "that's a pity, everybody else will be there",
        "ok, i will try to come a little bit later",
        "great! do you want me to pick you up at work?",
    ];
    let file = intercepted(&texts);
    let path = file.path().to_str().unwrap();
    let solved = run("latchstring", &["solve", "keystream", path]);
    assert_eq!(solved.code, Some(0), "{}", solved.err);
    let right = solved.out.lines().zip(texts).map(|(read, text)| {
        assert_eq!(read.len(), text.len());
        read.bytes()
            .zip(text.bytes())
            .filter(|(a, b)| a == b)
            .count()
    });
    let all: usize = texts.iter().map(|text| text.len()).sum();
    assert!(right.sum::<usize>() * 10 > all * 9, "{}", solved.out);

    let json = run("latchstring", &["solve", "keystream", path, "--json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["language"], "english");
    assert_eq!(json["messages"].as_array().unwrap().len(), texts.len());
    assert_eq!(json.get("pair_confidence"), None);

    // The longest is the only one that reaches its last byte: nothing is invented there.
    assert!(solved.out.lines().next().unwrap().ends_with('_'));
    assert!(
        json["messages"][0]["bytes"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .is_null()
    );
}

#[test]
fn ctrl_c_ends_the_solver_with_what_it_has_read() {
    const LENGTH: usize = 1000;
    let noise =
        |i: usize| (0..LENGTH).map(move |at| format!("{:02x}", (at * at / 7 + i * at + i) % 256));
    let lines = (0..40).map(|i| noise(i).collect::<String>() + "\n");
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), lines.collect::<String>()).unwrap();
    let mut solver = Command::new(binary("latchstring"));
    solver.args([
        "solve",
        "keystream",
        "--mode",
        "deep",
        "--language",
        "english",
    ]);
    solver
        .arg(file.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let solver = solver.spawn().unwrap();
    interrupt(solver.id());
    let ended = solver.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("ended by Ctrl-C after"), "{said}");
    // Noise is no text, and what was looked at is not all: neither is claimed.
    assert_eq!(ended.status.code(), Some(1));
    assert!(said.contains("this is no result"), "{said}");
    assert!(ended.stdout.is_empty());
}

#[test]
fn what_is_no_language_is_not_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    // A generator of Park and Miller's: even its bytes are random enough.
    let mut state = 20_261_126u64;
    let mut random = || {
        state = state * 48_271 % 0x7fff_ffff;
        (state >> 12) as u8
    };
    for (count, length) in [(2, 24), (4, 40), (9, 30)] {
        let line = |_| (0..length).map(|_| format!("{:02x}", random())).collect();
        let lines: Vec<String> = (0..count).map(line).collect();
        fs::write(&file, lines.join("\n")).unwrap();
        let solved = run("latchstring", &["solve", "keystream", path]);
        assert_eq!((solved.code, &*solved.out), (Some(1), ""), "{}", solved.err);
        assert!(solved.err.contains("nothing readable"), "{}", solved.err);
        let json = run("latchstring", &["solve", "keystream", path, "--json"]);
        let json: Value = serde_json::from_str(&json.out).unwrap();
        assert_eq!(json["readable"], false);
        assert_eq!(json["messages"], serde_json::json!([]));
    }
}

#[test]
fn ciphertexts_are_taken_as_people_bring_them() {
    let texts = [
        "are you coming to the party on saturday night?",
        "i don't know yet, i have to work until nine",
        "that's a pity, everybody else will be there",
    ];
    let file = intercepted(&texts);
    let plain = fs::read_to_string(&file).unwrap();
    let bytes: Vec<Vec<String>> = (plain.lines())
        .map(|line| {
            let pairs = line.as_bytes().chunks(2);
            pairs
                .map(|pair| String::from_utf8_lossy(pair).into_owned())
                .collect()
        })
        .collect();
    let joined = |with: &str, before: &str, end: &str| {
        let lines = bytes
            .iter()
            .map(|line| format!("{before}{}{end}", line.join(with)));
        lines.collect::<String>()
    };
    let path = file.path().to_str().unwrap();
    let expected = run("latchstring", &["solve", "keystream", path]).out;
    assert!(expected.contains("party"), "{expected}");
    for text in [
        joined(":", "", "\r\n"),
        format!("\u{feff}# from the wire\n{plain}\n\n"),
    ] {
        fs::write(&file, &text).unwrap();
        let solved = run("latchstring", &["solve", "keystream", path]);
        assert_eq!(solved.out, expected, "{text}: {}", solved.err);
    }
    let mut piped = Command::new(binary("latchstring"))
        .args(["solve", "keystream", "-"])
        .stdin(fs::File::open(&file).unwrap())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&piped.stdout), expected);
    let first = bytes[0].concat();
    fs::write(&file, format!("{first}\n{first}\n")).unwrap();
    piped = Command::new(binary("latchstring"))
        .args(["solve", "keystream", path])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&piped.stderr);
    assert_eq!(piped.status.code(), Some(1));
    assert!(said.contains("are the same"), "{said}");
}

#[test]
fn of_two_messages_the_pairs_are_claimed_and_not_the_texts() {
    let file = intercepted(&[
        "the train leaves at seven in the morning",
        "please remember to bring the tickets with you",
    ]);
    let path = file.path().to_str().unwrap();
    let json = run("latchstring", &["solve", "keystream", path, "--json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["pair_confidence"].as_array().unwrap().len(), 40);
    let sure = json["messages"].as_array().unwrap().iter();
    let mut sure = sure.flat_map(|message| message["confidence"].as_array().unwrap());
    assert!(sure.all(|confidence| confidence.as_f64().unwrap() < 0.95));
}

#[test]
fn what_the_solver_cannot_use_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    for (text, complaint) in [
        ("00ff\nhello\n", "line 2 of"),
        ("00ff\n", "two under one keystream are needed"),
    ] {
        fs::write(&file, text).unwrap();
        let refused = run("latchstring", &["solve", "keystream", path]);
        assert_eq!(refused.code, Some(1));
        assert!(refused.err.contains(complaint), "{}", refused.err);
    }
    fs::write(&file, "00ff\nff00\n").unwrap();
    let own = run(
        "latchstring",
        &["solve", "keystream", path, "--model", "no-such.model"],
    );
    assert_eq!(own.code, Some(1));
    assert!(own.err.contains("cannot read no-such.model"), "{}", own.err);
    let own = run(
        "latchstring",
        &["solve", "keystream", path, "--model", path],
    );
    assert_eq!(own.code, Some(1));
    assert!(own.err.contains("is not a language model"), "{}", own.err);
}
