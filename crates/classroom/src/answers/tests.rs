//! What is clearly meant in a sheet is taken, and everything else is named with its line.

use super::*;

fn options() -> Vec<Choice> {
    [
        "it lets you in",
        "it closes the connection",
        "it asks",
        "nothing",
    ]
    .map(|text| Choice {
        text: text.to_owned(),
        value: text.to_owned(),
    })
    .to_vec()
}

#[test]
fn what_is_clearly_meant_is_taken_and_everything_else_is_named() {
    let choices = options();
    let options: Vec<(char, &Choice)> = ('a'..='z').zip(&choices).collect();
    for meant in [
        "b",
        "B",
        " b ",
        "b)",
        "B)",
        "(b)",
        "b.",
        "b:",
        "[b]",
        "'b'",
        "b) it closes the connection",
        "b. It closes the connection",
        "it closes the connection",
    ] {
        assert_eq!(letter(meant, &options), Ok('b'), "{meant}");
    }
    for wrong in [
        "e",
        "ab",
        "abcd",
        "a or b",
        "2",
        "b or c",
        "b) it asks",
        "ä",
        "bb",
        "-",
    ] {
        let why = letter(wrong, &options).unwrap_err();
        assert_eq!(why, format!("{wrong:?} is not one of a-d"));
    }
}

fn refused(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE), text).unwrap();
    let question = |id: &str| Question {
        id: id.to_owned(),
        kind: Answer::Text,
        text: String::new(),
        answer: String::new(),
        options: Vec::new(),
        trial: None,
        after: None,
        points: 1,
    };
    let questions = ["session-key", "iv"].map(question);
    match Answers::read_for(folder.path(), &questions, &["mend"]) {
        Ok(answers) => format!("taken: {:?}", answers.answers),
        Err(why) => format!("{why:#}"),
    }
}

#[test]
fn a_slip_is_named_with_its_line_and_with_what_to_write() {
    for (text, line, says) in [
        ("[answers]\niv = \n", 2, "iv = \"...\""),
        ("[answers]\niv = a1b2\n", 2, "iv = \"a1b2\""),
        ("[answers]\niv = \"a1\n", 2, "closing quote"),
        ("[answers]\niv = a1\"\n", 2, "iv = \"a1\""),
        ("[answers]\niv = \u{201c}a1\u{201d}\n", 2, "straight quotes"),
        ("[answers]\niv: \"a1\"\n", 2, "= and not :"),
        ("[answers]\nthe iv is a1\n", 2, "begin the line with #"),
        ("[answers]\niv = \"a\"\niv = \"b\"\n", 3, "twice"),
        (
            "[answers]\niv = \"say \"hello\" to me\"\n",
            2,
            "single quotes",
        ),
        ("[answers]\niv = \"C:\\dir\"\n", 2, "single quotes"),
        ("[answers\niv = \"a1\"\n", 1, "[answers]"),
        ("[answers]\nvi = \"00\"\n", 2, "did you mean iv?"),
        ("[anwsers]\niv = \"00\"\n", 1, "did you mean answers?"),
        ("[answers]\niv = [\"a\", \"b\"]\n", 2, "one answer"),
        ("[answers]\niv = true\n", 2, "iv = \"true\""),
        (
            "run = \"python3 attack.py\"\n",
            1,
            "run = [\"python3\", \"attack.py\"]",
        ),
        ("run = []\n", 1, "run = [\"python3\", \"attack.py\"]"),
        ("run = [\"\"]\n", 1, "run = [\"python3\", \"attack.py\"]"),
        (
            "run-mend = 7\n",
            1,
            "run-mend = [\"python3\", \"attack.py\"]",
        ),
        ("run-mand = [\"x\"]\n", 1, "did you mean run-mend?"),
        ("[answers]\niv = 0x1f\n", 2, "iv = \"0x1f\""),
        ("[answers]\niv = 1_0 # x\n", 2, "iv = \"1_0\""),
        ("[answers]\niv = 1e500\n", 2, "iv = \"1e500\""),
        ("[answers]\niv == \"a1\"\n", 2, "write iv = \"a1\""),
        ("[answers]\niv = \"a1\",\n", 2, "only a comment"),
        ("[answers]\niv = \"a1\" // mine\n", 2, "only a comment"),
        ("[answers]\niv \"a1\"\n", 2, "write iv = \"a1\""),
        ("[answers]\n// iv = \"a1\"\n", 2, "a comment begins with #"),
        ("[answers]\nthe iv = \"a1\"\n", 2, "must stay as they are"),
        ("[answers]\niv = \"\"\"a1\n\nmore\n", 2, "closing quotes"),
        ("[answers]\niv.x = \"a1\"\n", 2, "one answer"),
        ("[answers]\nx.iv = \"a1\"\n", 2, "no question"),
        ("[[answers]]\niv = \"a1\"\n", 1, "a heading is"),
    ] {
        let error = refused(text);
        let place = format!("answers.toml, line {line}: ");
        assert!(
            error.contains(&place) && error.contains(says),
            "{text:?}: {error}"
        );
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn what_is_no_slip_is_taken() {
    for text in [
        "\u{feff}[answers]\r\niv = \"a1\"\r\n",
        "iv = 'a1'\n",
        "[predict]\niv = \"a1\"\n",
        "[answers]\niv = 12\n",
    ] {
        assert!(
            refused(text).starts_with("taken"),
            "{text:?}: {}",
            refused(text)
        );
    }
    assert!(refused("[answers]\niv = \"\0\"").contains("line 2"));
}

#[test]
fn a_sheet_that_is_gone_or_not_text_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let error = Answers::read_for(folder.path(), &[], &[])
        .unwrap_err()
        .to_string();
    assert!(error.contains("latchstring lab reset"), "{error}");
    for other in ["/dev/zero", "/"] {
        std::os::unix::fs::symlink(other, folder.path().join(FILE)).unwrap();
        let error = Answers::read_for(folder.path(), &[], &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("not a file"), "{error}");
        fs::remove_file(folder.path().join(FILE)).unwrap();
    }
    fs::write(folder.path().join(FILE), b"\xff\xfei\0v\0").unwrap();
    let error = Answers::read_for(folder.path(), &[], &[])
        .unwrap_err()
        .to_string();
    assert!(error.contains("save it as UTF-8"), "{error}");
}
