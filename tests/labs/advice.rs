//! What a check says of a program, how long it waits for one, and which part of a lab it looks at.

use std::collections::BTreeSet;

use super::*;

/// Replaces a piece of a student's program, which must be there.
fn edit(desk: &Desk, file: &str, old: &str, new: &str) {
    let text = fs::read_to_string(desk.path(file)).unwrap();
    assert!(text.contains(old), "{file} does not contain {old:?}");
    fs::write(desk.path(file), text.replace(old, new)).unwrap();
}

fn next<'a>(report: &'a Report, id: &str) -> &'a str {
    item(report, id).next.as_deref().unwrap_or_default()
}

/// `make_login` as the solution has it.
const LOGIN: &str = "c = pow(int.from_bytes(user.encode(), 'big'), e, n)\n    return c.to_bytes((c.bit_length() + 7) // 8, 'big')";

#[tokio::test]
async fn with_make_login_alone_the_server_lets_the_student_in() {
    let mut desk = Desk::new(lab("01"), 21).await;
    desk.predict();
    edit(&desk, "attack.py", "return b\"please let me in\"", LOGIN);
    let report = desk.check(31).await;
    assert!(
        item(&report, "admitted").passed,
        "{:?}",
        item(&report, "admitted")
    );
    assert!(!item(&report, "words").passed);
    assert!(next(&report, "words").contains("say_words"), "{report:?}");
}

#[tokio::test]
async fn a_client_that_leaves_too_early_is_not_told_that_its_login_is_wrong() {
    let mut desk = Desk::new(lab("01"), 22).await;
    desk.predict();
    edit(&desk, "attack.py", "return b\"please let me in\"", LOGIN);
    edit(
        &desk,
        "attack.py",
        "    key, iv = receive_exactly(server, 32), receive_exactly(server, 8)\n",
        "",
    );
    let report = desk.check(32).await;
    let admitted = item(&report, "admitted");
    assert!(
        admitted.found.contains("knew your login for"),
        "{admitted:?}"
    );
    assert!(
        next(&report, "admitted").starts_with("your login is right"),
        "{admitted:?}"
    );
}

#[tokio::test]
async fn the_advice_goes_by_the_failure() {
    let mut desk = Desk::solved(lab("01"), 23).await;
    desk.student.lab.trials[0].timeout_seconds = 2;
    let program = fs::read_to_string(desk.path("attack.py")).unwrap();
    let with = |line: &str| program.replace("def main():\n", &format!("def main():\n    {line}\n"));
    let cases = [
        (
            program.replace("def make_login(", "def make_login(("),
            "SyntaxError",
            "mend line",
        ),
        (
            with("import numpy_of_nobody"),
            "No module named",
            "standard library",
        ),
        (with("[][1]"), "IndexError", "mend line"),
        (
            with("import time; time.sleep(60)"),
            "stopped after 2 seconds",
            "never ends",
        ),
        (
            with("sys.exit()"),
            "nobody connected",
            "the host and the port",
        ),
        (
            program.replace("server.sendall(make_login(user, n, e))", "pass"),
            "sent no login",
            "as soon as the connection is open",
        ),
        (
            program.replace("pow(m, e, n)", "pow(m, e, n) ^ 1"),
            "refused",
            "lab hint",
        ),
    ];
    let mut advice = Vec::new();
    for (program, found, advised) in &cases {
        fs::write(desk.path("attack.py"), program).unwrap();
        let report = desk.check(33).await;
        let admitted = item(&report, "admitted");
        assert!(admitted.found.contains(found), "{admitted:#?}");
        assert!(next(&report, "admitted").contains(advised), "{admitted:#?}");
        advice.push(next(&report, "admitted").to_owned());
    }
    fs::remove_file(desk.path("attack.py")).unwrap();
    let report = desk.check(33).await;
    assert!(
        item(&report, "admitted")
            .found
            .contains("attack.py is not in your folder")
    );
    advice.push(next(&report, "admitted").to_owned());
    advice.sort();
    advice.dedup();
    assert_eq!(advice.len(), cases.len() + 1, "each its own: {advice:#?}");
}

#[tokio::test]
async fn nobody_waits_for_a_program_whose_verdict_is_known() {
    let began = std::time::Instant::now();
    let mut desk = Desk::solved(lab("01"), 24).await;
    edit(
        &desk,
        "attack.py",
        "        say_words(server, words)",
        "        say_words(server, words)\n    import time; time.sleep(60)",
    );
    let report = desk.check_only(34, "attack").await;
    assert!(
        item(&report, "admitted").passed && item(&report, "words").passed,
        "all that is asked for has been seen: {report:?}"
    );
    edit(&desk, "attack.py", "pow(m, e, n)", "pow(m, e, n) ^ 1");
    edit(
        &desk,
        "attack.py",
        "        say_words(server, words)",
        "        import time; time.sleep(60)",
    );
    let report = desk.check_only(34, "attack").await;
    assert!(
        item(&report, "admitted").found.contains("refused"),
        "{report:?}"
    );
    assert!(
        began.elapsed().as_secs() < 15,
        "each of the two could take 40 seconds"
    );
}

/// Prints, whatever it is asked for, everything that could be wanted: what is right, and much more.
const PRINTS_EVERYTHING: &str = r#"
import sys, drag
from itertools import combinations
ciphertexts = drag.load(sys.argv[2])
if sys.argv[1] == "open":
    drag.main()
for (i, one), (j, other) in combinations(enumerate(ciphertexts, 1), 2):
    for crib in (b"the guard at", b"change()"):
        for offset, text in drag.drag(one, other, crib):
            print(f"{i}+{j} at {offset}: {text.decode('latin-1')}")
"#;

#[tokio::test]
async fn a_tool_that_prints_everything_passes_nothing_and_learns_nothing() {
    let mut desk = Desk::solved(lab("04"), 25).await;
    fs::write(desk.path("all.py"), PRINTS_EVERYTHING).unwrap();
    desk.run_instead(&["python3", "all.py"]);
    let report = desk.check(35).await;
    for id in ["drag-a-crib", "open-the-rest"] {
        let check = item(&report, id);
        assert!(
            !check.passed && check.found.contains("too many"),
            "{check:#?}"
        );
    }
    // One that prints nothing is not told what it should have printed.
    desk.answer("message-2", "x");
    let sheet = fs::read_to_string(desk.path("answers.toml")).unwrap();
    fs::write(
        desk.path("answers.toml"),
        sheet.replace("all.py", "nothing.py"),
    )
    .unwrap();
    fs::write(desk.path("nothing.py"), "").unwrap();
    let report = desk.check(35).await;
    for check in &report.items {
        for secret in ["please bring the", "the word for the guard", "come alone"] {
            assert!(!check.passed || check.kind != "run");
            let told = format!("{} {}", check.found, check.next.clone().unwrap_or_default());
            assert!(check.passed || !told.contains(secret), "{check:#?}");
        }
    }
}

#[tokio::test]
async fn a_check_of_instances_that_a_student_can_know_does_not_count() {
    let mut desk = Desk::solved(lab("01"), 26).await;
    let seed = Seed::chosen(36);
    let options = Options {
        seed: &seed,
        counts: false,
        steps: &Silent,
        launcher: &launcher(),
        only: None,
        peers: true,
        lacking: None,
    };
    let report = check_with(&mut desk.student, &options).await.unwrap();
    assert!(report.passed && !report.counts);
    assert!(desk.student.explanations().unwrap().is_empty());
    assert!(desk.check(36).await.passed);
    assert_eq!(desk.student.points(), desk.student.lab.points());
}

#[tokio::test]
async fn one_part_is_checked_alone_and_an_unknown_one_is_named() {
    let mut desk = Desk::solved(lab("06"), 28).await;
    edit(
        &desk,
        "turn.py",
        "changed + ciphertext",
        "ciphertext + changed",
    );
    let of = async |desk: &mut Desk, only: &str| {
        let options = Options {
            seed: &Seed::chosen(38),
            counts: true,
            steps: &Silent,
            launcher: &launcher(),
            only: Some(only),
            peers: true,
            lacking: None,
        };
        let report = check_with(&mut desk.student, &options).await;
        report
            .map(|report| passed(&report).join(" "))
            .map_err(|why| why.to_string())
    };
    assert_eq!(of(&mut desk, "answers").await.unwrap(), "order-length");
    assert_eq!(of(&mut desk, "flip").await.unwrap(), "");
    assert_eq!(of(&mut desk, "forge").await.unwrap(), "own-words");
    let error = of(&mut desk, "forged").await.unwrap_err();
    assert!(
        error.contains("did you mean forge?") && error.contains("answers, flip, forge"),
        "{error}"
    );
}

/// For the second made-up student and the others a self-test grades no peer again.
#[tokio::test]
async fn a_check_without_peers_leaves_their_checks_out_and_nothing_else() {
    let mut desk = Desk::solved(lab("06"), 29).await;
    let items = async |desk: &mut Desk, peers: bool| {
        let options = Options {
            seed: &Seed::chosen(39),
            counts: true,
            steps: &Silent,
            launcher: &launcher(),
            only: None,
            peers,
            lacking: None,
        };
        let report = check_with(&mut desk.student, &options).await.unwrap();
        report
            .items
            .into_iter()
            .map(|item| item.id)
            .collect::<BTreeSet<_>>()
    };
    let all = items(&mut desk, true).await;
    let without = items(&mut desk, false).await;
    let left_out: Vec<&String> = all.difference(&without).collect();
    assert_eq!(left_out, ["holds", "serves"]);
    assert!(without.contains("other-order") && without.is_subset(&all));
}

#[tokio::test]
async fn what_was_reached_once_stays_reached() {
    let mut desk = Desk::solved(lab("01"), 27).await;
    assert!(desk.check(37).await.passed);
    edit(&desk, "attack.py", "words.encode()", "b'something else'");
    let report = desk.check(37).await;
    assert!(report.points < report.of && report.points_so_far == report.of);
    let again = Student::open(lab("01"), &desk.student.folder).unwrap();
    assert_eq!(again.points(), report.of);
}
