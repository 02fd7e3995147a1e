//! The crates that people deploy hold no code for a missing defence.
//!
//! Where a defence is a check, the code is `if keeps(Defence::…) { check }`: without the defence the check is skipped, and
//! nothing else happens. Where a defence is a part, these crates have one such part, the real one.

use std::{fs, path::Path};

use latchstring_tests::workspace;

use crate::sources::{code_of, sources};

/// What the deployable programs are built from.
const DEPLOYABLE: [&str; 9] = [
    "protocol",
    "net",
    "keys",
    "store",
    "store-sqlite",
    "client-core",
    "server-core",
    "client",
    "server",
];

/// Lines that ask in another way, each with the reason.
const OTHER: &[(&str, &str, &str)] = &[(
    "crates/protocol/src/hardened/message.rs",
    "match Defence::ALL.iter().all(|defence| defences.keeps(*defence)) {",
    "a peer that lacks any defence must say so in its first bytes, and no part that is handed in may keep it from that",
)];

/// The traits of the parts that stand for defences, and the one type of the deployable crates that has each.
const PARTS: [(&str, &str); 7] = [
    ("Parts", "Full"),
    ("Exchange", "X25519"),
    ("RecordProtection", "EncryptThenMac"),
    ("Lookup", "ByName"),
    ("FailurePolicy", "ChargeSource"),
    ("Enrolment", "ByInvitation"),
    ("PasswordCheck", "Argon2id"),
];

/// The code of a file without tests and comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = code_of(&text).lines();
    let code = code.filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

fn files() -> impl Iterator<Item = (String, String)> {
    let folders = DEPLOYABLE.map(|name| workspace().join("crates").join(name).join("src"));
    let files = folders
        .into_iter()
        .flat_map(|folder| sources(&folder))
        .map(|path| (path.clone(), code(&path)));
    files.map(|(path, code)| {
        let name = path.strip_prefix(workspace()).unwrap();
        (name.display().to_string(), code)
    })
}

/// Where a block ends that begins with the brace at the start.
fn end_of_block(code: &str) -> usize {
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return at + 1,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// Whether the question at this place is `if keeps(Defence::…) { … }`, perhaps with a further condition, without `else`.
fn skips_a_check(before: &str, question: &str) -> bool {
    let receiver = |c: char| c.is_alphanumeric() || "._".contains(c);
    let asked = before.trim_end_matches(receiver).trim_end().ends_with("if");
    let Some((defence, rest)) = question["keeps(".len()..].split_once(')') else {
        return false;
    };
    let rest = rest.trim_start();
    let alone = rest.starts_with('{') || rest.starts_with("&&");
    let block = rest.find('{').map_or("", |at| &rest[at..]);
    let after = block[end_of_block(block)..].trim_start();
    asked && defence.starts_with("Defence::") && alone && !after.starts_with("else")
}

/// The lines of a file that ask whether a defence is kept, and do more than to skip a check.
fn weak_code(code: &str) -> Vec<&str> {
    let questions = code.match_indices("keeps(").filter(|(at, question)| {
        let (before, asked) = code.split_at(*at);
        let passed_on = asked[question.len()..].starts_with("defence)");
        !passed_on && !before.ends_with("fn ") && !skips_a_check(before, asked)
    });
    let line = |at: usize| {
        let from = code[..at].rfind('\n').map_or(0, |end| end + 1);
        code[from..].lines().next().unwrap_or("").trim()
    };
    questions.map(|(at, _)| line(at)).collect()
}

#[test]
fn a_missing_defence_skips_a_check_and_does_nothing_else() {
    let mut found = Vec::new();
    for (file, code) in files() {
        let lines = weak_code(&code);
        found.extend(lines.iter().map(|line| (file.clone(), (*line).to_owned())));
    }
    let listed = |(file, line, _): &(&str, &str, &str)| ((*file).to_owned(), (*line).to_owned());
    assert_eq!(found, OTHER.iter().map(listed).collect::<Vec<_>>());
}

#[test]
fn each_part_that_stands_for_a_defence_is_there_once() {
    for (part, real) in PARTS {
        let (mut found, implements) = (Vec::new(), format!(" {part} for "));
        for (_, code) in files() {
            let lines = code.lines().filter(|line| line.starts_with("impl"));
            let named = lines.filter_map(|line| line.split_once(&implements));
            // What is shared passes each question on.
            let named = named.filter(|(_, of)| !of.starts_with("Arc<"));
            found.extend(named.map(|(_, of)| of.trim_end_matches(" {").to_owned()));
        }
        assert_eq!(found, [real], "{part}");
    }
}

#[test]
fn weak_code_is_found_in_each_of_its_shapes() {
    for good in [
        "if self.keeps(Defence::Mac) && !right {\n    return Err(no);\n}\nok",
        "if keeps(Defence::Mac) { check()?; }",
        "fn keeps(&self, defence: Defence) -> bool { self.all.keeps(defence) }",
    ] {
        assert_eq!(weak_code(good), Vec::<&str>::new());
    }
    for weak in [
        "if !server.keeps(Defence::Mac) { hash(); }",
        "if right || server.keeps(Defence::Mac) { hash(); }",
        "if server.keeps(Defence::Mac) || right { hash(); }",
        "if server.keeps(Defence::Mac) { check()? } else { weak() }",
        "match server.keeps(Defence::Mac) { true => a, false => b }",
        "let strong = server.keeps(Defence::Mac);",
        "Type::AuthOk if !self.keeps(Defence::Mac) => weak(),",
    ] {
        assert_eq!(weak_code(weak), [weak]);
    }
}
