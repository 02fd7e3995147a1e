//! What the programs print for people: it fits the terminal, it is prose and no name of the code, a slip is answered with
//! what was meant, and every program completes itself and has manual pages.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
};

use latchstring_tests::{binary, interrupt, workspace};

const PROGRAMS: [&str; 7] = [
    "latchstring",
    "latchstring-attack",
    "latchstring-client",
    "latchstring-server",
    "latchstring-corpus",
    "faithful-client",
    "faithful-server",
];

/// What a program printed on its standard output and on its standard error, and its exit code.
fn run_in(columns: Option<&str>, program: &str, arguments: &[&str]) -> (String, String, i32) {
    let mut command = Command::new(binary(program));
    command
        .args(arguments)
        .current_dir(workspace())
        .env_remove("COLUMNS")
        .env("NO_COLOR", "1");
    if let Some(columns) = columns {
        command.env("COLUMNS", columns);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (text(output.stdout), text(output.stderr), code)
}

fn run(program: &str, arguments: &[&str]) -> (String, String, i32) {
    run_in(None, program, arguments)
}

fn fits(text: &str, columns: usize, of: &str) {
    for line in text.lines() {
        let width = line.chars().count();
        assert!(width <= columns, "{of}: {width} columns: {line}");
    }
}

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // A description that is folded goes on further to the right.
    let commands = lines.filter(|line| !line.starts_with("   "));
    let names = commands.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Every command of a program, as what is typed behind its name.
fn commands(program: &str) -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    let mut next = 0;
    while next < all.len() {
        let command = all[next].clone();
        let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        arguments.push("--help");
        for name in listed(&run(program, &arguments).0) {
            all.push([&command[..], &[name]].concat());
        }
        next += 1;
    }
    all
}

#[test]
fn every_help_text_fits_has_an_example_and_begins_with_what_to_do() {
    let mut read = 0;
    for program in PROGRAMS {
        for command in commands(program) {
            let name = format!("{program} {}", command.join(" "));
            for flag in ["--help", "-h"] {
                let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
                arguments.push(flag);
                let (help, err, code) = run(program, &arguments);
                assert_eq!((code, &err[..]), (0, ""), "{name}");
                fits(&help, 80, &name);
                assert!(help.contains(&format!("Usage: {}", name.trim())), "{help}");
            }
            read += 1;
        }
    }
    assert!(read > 30, "only {read} help texts were found");
}

/// Programs and commands whose first words are those of this part of the project.
#[test]
fn the_commands_of_the_front_door_begin_with_an_imperative_verb() {
    for (program, of) in [
        ("latchstring", vec![]),
        ("latchstring", vec!["lab"]),
        ("latchstring-attack", vec![]),
    ] {
        let help = run(program, &[&of[..], &["--help"]].concat()).0;
        let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        for line in lines.take_while(|line| !line.is_empty()) {
            let Some((_, about)) = line
                .trim_start()
                .split_once("  ")
                .filter(|_| !line.starts_with("   "))
            else {
                continue;
            };
            let verb = about.trim_start().split(' ').next().unwrap();
            assert!(!verb.ends_with('s') && verb != "The", "{program}: {line}");
        }
    }
}

#[test]
fn every_program_has_its_own_name_completes_itself_and_has_manual_pages() {
    let folder = tempfile::tempdir().unwrap();
    for program in PROGRAMS {
        let (version, _, code) = run(program, &["--version"]);
        assert_eq!(code, 0);
        assert!(version.starts_with(&format!("{program} 0.")), "{version}");
        for shell in ["bash", "zsh", "fish"] {
            let (script, err, code) = run(program, &["completions", shell]);
            assert_eq!(code, 0, "{err}");
            assert!(
                script.contains(program) && script.contains("help"),
                "{shell}: {script}"
            );
            if shell == "bash" {
                let file = folder.path().join("script");
                std::fs::write(&file, &script).unwrap();
                let checked = Command::new("bash").arg("-n").arg(&file).status();
                assert!(
                    checked.unwrap().success(),
                    "bash cannot read the script of {program}"
                );
            }
        }
        let pages = folder.path().join(program).join("man1");
        let (out, err, code) = run(program, &["man", pages.to_str().unwrap()]);
        assert_eq!((code, &out[..]), (0, ""), "{err}");
        let page = std::fs::read_to_string(pages.join(format!("{program}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{page}");
        for command in commands(program)
            .iter()
            .filter(|command| !command.is_empty())
        {
            let name = format!("{program}-{}.1", command.join("-"));
            assert!(pages.join(&name).is_file(), "{name}");
        }
        let nowhere = run(program, &["man", "/dev/null/pages"]);
        assert_eq!(nowhere.2, 1);
        assert!(
            nowhere.1.contains("name a folder that you may write to"),
            "{}",
            nowhere.1
        );
    }
}

/// Words that are names of the code and not prose, and numbers of one thing in the plural.
fn slips(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        // What stands between quotes was said by somebody.
        let told: String = line.split('"').step_by(2).collect::<Vec<_>>().join(" ");
        // A fingerprint is no word.
        let words = told.split(' ').filter(|word| !word.starts_with("SHA256:"));
        let told = words.collect::<Vec<_>>().join(" ");
        for pattern in [" { ", "[\"", "Some(", "None,", "Ok(", "Err("] {
            if line.contains(pattern) {
                found.insert(line.to_owned());
            }
        }
        let words: Vec<&str> = told.split(|c: char| !c.is_alphanumeric()).collect();
        for word in &words {
            let mut letters = word.chars();
            let first = letters.next().is_some_and(char::is_uppercase);
            let humps = letters.clone().filter(|c| c.is_uppercase()).count();
            let small = letters.filter(|c| c.is_lowercase()).count();
            if first && humps > 0 && small > 1 {
                found.insert((*word).to_owned());
            }
        }
        for pair in words.windows(2) {
            let things = [
                "connections",
                "messages",
                "bytes",
                "records",
                "lines",
                "packets",
                "sessions",
                "seconds",
            ];
            if pair[0] == "1" && things.contains(&pair[1]) {
                found.insert(pair.join(" "));
            }
        }
    }
    found
}

#[test]
fn slips_are_found() {
    let text = "the end: TurnedAway { why: 1 }\nthe end: LoginRefused\non 1 connections\nread: [\"hello\"]\n";
    let found = slips(text);
    for slip in [
        "TurnedAway",
        "LoginRefused",
        "1 connections",
        "read: [\"hello\"]",
    ] {
        assert!(found.contains(slip), "{found:?}");
    }
    assert!(slips("alice -> server: \"HelloWorld\", 1 byte, AES-256, OK\n").is_empty());
}

#[test]
fn the_demo_and_the_attacks_fit_the_terminal_and_speak_in_words() {
    for columns in [None, Some("60")] {
        let width = columns.map_or(80, |columns| columns.parse().unwrap());
        let (demo, err, code) = run_in(columns, "latchstring", &["demo", "--over", "memory"]);
        assert_eq!(code, 0, "{err}");
        fits(&demo, width, "demo");
        assert_eq!(slips(&demo), BTreeSet::new());
        assert!(
            demo.contains("The server has read:\n     \"hello my name is alice\"\n"),
            "{demo}"
        );
        fits(
            &run_in(columns, "latchstring-attack", &["list"]).0,
            width,
            "list",
        );
        for attack in ["relay", "hog", "impersonate", "retrospective"] {
            let (story, err, _) = run_in(columns, "latchstring-attack", &["run", attack]);
            assert_eq!(err, "");
            fits(&story, width, attack);
            let (shown, _, _) = run_in(columns, "latchstring-attack", &["show", attack]);
            fits(&shown, width, attack);
        }
        let table = ["matrix", "--attack", "bit-flip", "--defence", "mac"];
        for format in ["text", "grid"] {
            let (matrix, _, _) = run_in(
                columns,
                "latchstring",
                &[&table[..], &["--format", format]].concat(),
            );
            fits(&matrix, width, format);
        }
        fits(
            &run_in(columns, "latchstring", &["lab", "list"]).0,
            80,
            "lab list",
        );
    }
}

#[test]
fn every_published_transcript_speaks_in_words() {
    let mut read = 0;
    for entry in std::fs::read_dir(workspace().join("tests/snapshots")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.contains("-against-") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let body = text.splitn(3, "---\n").nth(2).unwrap();
        assert_eq!(slips(body), BTreeSet::new(), "{name}");
        read += 1;
    }
    assert!(read > 50, "only {read}");
}

#[test]
fn ctrl_c_ends_the_matrix_with_a_line() {
    let mut command = Command::new(binary("latchstring"));
    let matrix = command
        .args([
            "matrix",
            "--attack",
            "offline-dictionary",
            "--attack",
            "relay",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    interrupt(matrix.id());
    let ended = matrix.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert_eq!(said, "ended by Ctrl-C; no table was made\n");
    assert!(ended.stdout.is_empty());
}

#[test]
fn an_attack_that_does_not_apply_to_faithful_runs_where_it_does_and_says_so() {
    for (attack, target) in [
        ("bleichenbacher", "hardened-minus=oracle-free-exchange"),
        ("downgrade", "hardened-minus=no-fallback"),
        ("reflection", "hardened-minus=direction-keys"),
    ] {
        let (story, err, code) = run("latchstring-attack", &["run", attack]);
        assert_eq!(code, 0, "{story}{err}");
        let told = story.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            told.contains(&format!("{attack} does not apply to faithful: ")),
            "{story}"
        );
        assert!(
            told.contains(&format!("It runs against {target}")),
            "{story}"
        );
        assert!(told.contains("Broke: "), "{story}");
        let (_, _, code) = run(
            "latchstring-attack",
            &["run", attack, "--against", "faithful"],
        );
        assert_eq!(code, 1, "what is asked for is what is run");
    }
    let (json, err, code) = run("latchstring-attack", &["run", "downgrade", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (code, &json["against"]),
        (0, &"hardened-minus=no-fallback".into())
    );
    assert!(err.contains("does not apply to faithful"), "{err}");
}

#[test]
fn a_slip_in_a_name_is_answered_with_what_was_meant() {
    for (program, arguments, meant) in [
        (
            "latchstring-attack",
            &["run", "bleichenbacker"][..],
            "did you mean bleichenbacher?",
        ),
        (
            "latchstring-attack",
            &["show", "keystream"],
            "did you mean keystream-reuse?",
        ),
        (
            "latchstring-attack",
            &["run", "bit-flip", "--against", "hardned"],
            "did you mean hardened?",
        ),
        (
            "latchstring-attack",
            &["run", "bit-flip", "--against", "hardened-minus=mca"],
            "did you mean mac?",
        ),
        ("latchstring-attack", &["lsit"], "'list'"),
        (
            "latchstring",
            &["matrix", "--attack", "bitflip"],
            "did you mean bit-flip?",
        ),
        (
            "latchstring",
            &["matrix", "--defence", "padings"],
            "did you mean padding?",
        ),
        (
            "latchstring",
            &["lab", "start", "first-contakt"],
            "did you mean 00-first-contact?",
        ),
        ("latchstring", &["matirx"], "'matrix'"),
    ] {
        let (_, err, code) = run(program, arguments);
        assert_ne!(code, 0);
        assert!(err.contains(meant), "{program} {arguments:?}: {err}");
    }
}
