//! Each failure gets the advice that fits it.

use std::time::Duration;

use latchstring_arena::seen::Refusal;
use latchstring_attacker::protocol_faithful::handshake::RefusalReason;

use super::{program::named, *};

fn ran(end: End, stdout: &str, stderr: &str) -> Ran {
    Ran {
        stdout: stdout.to_owned(),
        stderr: stderr.to_owned(),
        end,
        flooded: false,
        in_force: None,
    }
}

/// What is advised for `python3 attack.py` in a folder that holds it.
fn advised(end: End, stderr: &str) -> Trouble {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("attack.py"), "").unwrap();
    let command = ["python3", "attack.py"].map(str::to_owned);
    let started = Started {
        command: &command,
        folder: folder.path(),
    };
    started.trouble(&ran(end, "", stderr)).unwrap()
}

#[test]
fn each_failure_of_the_program_has_its_own_advice() {
    let seconds = Duration::from_secs(20);
    let syntax =
        "  File \"/x/attack.py\", line 12\n    def f(:\n          ^\nSyntaxError: invalid syntax\n";
    let crash = "Traceback (most recent call last):\n  File \"/x/attack.py\", line 40, in <module>\n    main()\n  File \"/x/attack.py\", line 16, in make_login\n    return 1 / 0\n  File \"/usr/lib/python3.11/base64.py\", line 3, in x\nZeroDivisionError: division by zero\n";
    let cases = [
        (
            advised(End::Missing, ""),
            "python3 is not installed",
            "apt install python3",
        ),
        (
            advised(End::OutOfTime(seconds), ""),
            "stopped after 20 seconds",
            "a loop that never ends",
        ),
        (
            advised(End::Status(1), syntax),
            "Python cannot read the program in attack.py, line 12",
            "mend line 12 of attack.py",
        ),
        (
            advised(End::Status(1), crash),
            "in attack.py, line 16: ZeroDivisionError",
            "mend line 16 of attack.py",
        ),
        (
            advised(
                End::Status(1),
                "ModuleNotFoundError: No module named 'numpy'",
            ),
            "No module named 'numpy'",
            "standard library",
        ),
        (advised(End::Signal(11), ""), "signal 11", "run it yourself"),
    ];
    let mut advice: Vec<String> = Vec::new();
    for (trouble, found, next) in cases {
        assert!(trouble.found.contains(found), "{trouble:?}");
        let said = trouble.next.unwrap();
        assert!(said.contains(next), "{said}");
        advice.push(said);
    }
    advice.sort();
    advice.dedup();
    assert_eq!(advice.len(), 6, "each has its own: {advice:#?}");
}

#[test]
fn what_python_raises_is_found_whatever_its_name_and_however_long_it_is() {
    let from = "Traceback (most recent call last):\n  File \"/x/attack.py\", line 16, in f\n    g()\n    ^^^\n";
    for (raised, advice) in [
        ("struct.error: unpack requires 8 bytes\n", "mend line 16"),
        ("socket.gaierror: [Errno -2] Name unknown\n", "mend line 16"),
        ("StopIteration\n", "mend line 16"),
        (
            "ValueError: two lines:\n  the second\nand a third\n",
            "mend line 16",
        ),
        (
            "EOFError: EOF when reading a line\n",
            "do not ask for input",
        ),
    ] {
        let trouble = advised(End::Status(1), &format!("{from}{raised}"));
        let first = raised.lines().next().unwrap();
        assert!(trouble.found.ends_with(first), "{trouble:?}");
        assert!(trouble.next.unwrap().contains(advice), "{raised}");
    }
    let encoding = "SyntaxError: Non-UTF-8 code starting with '\\xdc' in file /x/attack.py on line 1, but no encoding declared\n";
    let next = advised(End::Status(1), encoding).next.unwrap();
    assert_eq!(next, "save attack.py as UTF-8 in your editor");
    let long = format!("{from}ValueError: {}\n", "x".repeat(60_000));
    assert!(advised(End::Status(1), &long).found.len() < 400);
}

#[test]
fn a_command_that_is_written_wrong_is_told_from_a_program_that_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("attack.py"), "").unwrap();
    let trouble = |command: &[&str], end: End| {
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        let started = Started {
            command: &command,
            folder: folder.path(),
        };
        started.trouble(&ran(end, "", ""))
    };
    for command in ["attack.py", "python3 attack.py"] {
        let next = trouble(&[command], End::Missing).unwrap().next.unwrap();
        assert!(next.contains("[\"python3\", \"attack.py\"]"), "{next}");
    }
    let python = trouble(&["python3.6", "attack.py"], End::Missing);
    assert!(
        python
            .unwrap()
            .next
            .unwrap()
            .contains("apt install python3)")
    );
    let folder_itself = trouble(&["."], End::NotExecutable).unwrap();
    assert!(folder_itself.found.contains("is a folder"));
    // A line for a shell, and a variable, are no files.
    for command in [["sh", "-c", "python3 other.py"], ["env", "P=lib.x", "sh"]] {
        assert_eq!(trouble(&command, End::Status(1)), None);
    }
}

#[test]
fn a_program_that_gives_up_before_it_connects_is_told_to_read_what_it_says() {
    let given_up = ran(End::Status(1), "", "I have no idea\n");
    let trouble = not_logged_in("amalia", &[], gave_up(&given_up)).unwrap();
    assert!(trouble.found.contains("exit status 1"), "{trouble:?}");
    assert!(trouble.next.unwrap().contains("complained"));
    assert_eq!(gave_up(&ran(End::Well, "", "")), None);
    assert_eq!(named(11), " (SIGSEGV)");
}

#[test]
fn a_missing_file_is_told_from_a_missing_interpreter_and_from_one_that_may_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let found = |command: &[&str], end: End| {
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        let started = Started {
            command: &command,
            folder: folder.path(),
        };
        started
            .trouble(&ran(end, "", "python3: can't open file"))
            .unwrap()
    };
    let script = found(&["python3", "attack.py"], End::Status(2));
    assert!(
        script.found.contains("attack.py is not in your folder"),
        "{script:?}"
    );
    let own = found(&["./attack"], End::Missing);
    assert!(
        own.found.contains("./attack is not in your folder"),
        "{own:?}"
    );
    let locked = found(&["./attack"], End::NotExecutable);
    assert!(locked.next.unwrap().contains("chmod +x ./attack"));
}

fn visit(recognised: Option<&str>, user: Option<&str>, refused: Option<RefusalReason>) -> Visit {
    Visit {
        recognised: recognised.map(str::to_owned),
        user: user.map(str::to_owned),
        refused: refused.map(|why| Refusal::Faithful(why.into())),
        ..Visit::default()
    }
}

#[test]
fn the_advice_goes_by_what_the_target_saw() {
    let amalia = |visits: &[Visit]| not_logged_in("amalia", visits, None);
    assert_eq!(amalia(&[visit(Some("amalia"), Some("amalia"), None)]), None);
    let left = amalia(&[visit(Some("amalia"), None, None)]).unwrap();
    assert!(
        left.next.unwrap().contains("your login is right"),
        "{}",
        left.found
    );
    let refused = amalia(&[visit(
        None,
        None,
        Some(RefusalReason::UnknownUser { tried: 3 }),
    )])
    .unwrap();
    assert_eq!(refused.next, None, "the lab's own advice");
    let other = amalia(&[visit(Some("bertram"), Some("bertram"), None)]).unwrap();
    assert!(other.next.unwrap().contains("that your program is given"));
    assert!(
        amalia(&[])
            .unwrap()
            .next
            .unwrap()
            .contains("connect to the host")
    );
    let silent = amalia(&[visit(None, None, Some(RefusalReason::SentNothing))]).unwrap();
    assert!(
        silent
            .next
            .unwrap()
            .contains("the server says nothing before")
    );
}

#[test]
fn lines_are_compared_as_a_whole_and_the_missing_ones_are_not_told() {
    let wanted = "1+3 at 13: this is a secret\n3+4 at 13: another secret\n";
    let of = |printed: &str| other_lines(&ran(End::Well, printed, ""), wanted);
    assert_eq!(of(wanted), None);
    let reversed: String = wanted
        .lines()
        .rev()
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(of(&reversed), None, "their order does not count");
    let one_more = of(&format!("{wanted}x\n")).unwrap().found;
    assert!(one_more.ends_with("none is missing"), "{one_more}");
    for wrong in [
        "",
        "1+3 at 13: this is a secret\n",
        &format!("{wanted}1+3 at 14: x\n"),
        &format!("{wanted}1+3 at 13: this is a secret\n"),
        "nonsense\n",
    ] {
        let trouble = of(wrong).unwrap();
        assert!(!trouble.found.contains("another secret"), "{trouble:?}");
    }
}

/// What is advised for a program of a part of the lab that has a folder of its own.
#[test]
fn a_file_in_a_folder_is_named_with_it_and_a_missing_package_with_its_list() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("mend")).unwrap();
    for name in ["mend/server.py", "mend/frames.py"] {
        std::fs::write(at(name), "").unwrap();
    }
    let command = ["python3", "mend/server.py"].map(str::to_owned);
    let started = Started {
        command: &command,
        folder: folder.path(),
    };
    let advised = |error: &str| {
        let stderr = format!(
            "Traceback (most recent call last):\n  File \"/tmp/copy/work/mend/frames.py\", line 9, in receive\n    x\n{error}\n"
        );
        started.trouble(&ran(End::Status(1), "", &stderr)).unwrap()
    };
    let crash = advised("ZeroDivisionError: division by zero");
    assert!(
        crash.found.contains("in mend/frames.py, line 9"),
        "{crash:?}"
    );
    let missing = "ModuleNotFoundError: No module named 'cryptography'";
    let without = advised(missing).next.unwrap();
    assert!(without.contains("standard library only"), "{without}");
    std::fs::write(at("mend/requirements.txt"), "cryptography").unwrap();
    let with = advised(missing).next.unwrap();
    assert!(
        with.contains("pip install -r mend/requirements.txt"),
        "{with}"
    );
}
