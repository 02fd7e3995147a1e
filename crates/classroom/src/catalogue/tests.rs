//! What a definition must not be, and how it is told so.

use std::fs;

use crate::labs;

fn broken(toml: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("99-test");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("lab.toml"), toml).unwrap();
    fs::write(folder.join("EXPLANATION.md"), "# x\n\n## there\n\nWhy.\n").unwrap();
    format!("{:#}", labs::in_folder(dir.path()).unwrap_err())
}

const HEAD: &str =
    "id = \"99-test\"\ntitle = \"t\"\nminutes = 1\nlevel = \"l\"\nobjectives = []\nkinds = []\n";

#[test]
fn an_unknown_field_is_named_with_file_and_line() {
    let error = broken(&format!("{HEAD}colour = \"red\"\n[scene]\n"));
    assert!(
        error.contains("lab.toml") && error.contains("line 7") && error.contains("colour"),
        "{error}"
    );
}

#[test]
fn attacks_and_defences_that_do_not_exist_or_do_not_fit_are_named() {
    let error = broken(&format!("{HEAD}attacks = [\"impersonat\"]\n[scene]\n"));
    assert!(error.contains("impersonate"), "{error}");
    let about = |defence: &str| {
        broken(&format!(
            "{HEAD}attacks = [\"keystream-reuse\"]\ndefences = [\"{defence}\"]\n[scene]\n"
        ))
    };
    assert!(about("fresh nonce").contains("fresh-nonce"));
    let other = about("host-pin");
    assert!(other.contains("host-pin, which stops no attack"), "{other}");
}

#[test]
fn a_peer_to_mend_that_does_not_fit_is_named() {
    let trial = "[[trial]]\nid = \"mend\"\nmend = { rung = 1, side = \"server\" }\nrun.python = [\"python3\", \"s.py\"]\n";
    let check = "[[check]]\nid = \"there\"\ntitle = \"t\"\npoints = 1\ntrial = \"mend\"\nkeeps = \"service\"\nnext = \"n\"\n";
    let language = "[[language]]\nid = \"python\"\nrun = [\"python3\", \"a.py\"]\n";
    let with = |from: &str, to: &str| {
        let parts = format!("{language}{trial}{check}");
        assert!(parts.contains(from), "{from}");
        broken(&format!("{HEAD}[scene]\n{}", parts.replace(from, to)))
    };
    for (from, to, says) in [
        ("rung = 1", "rung = 9", "mends rung 9: choose one of 1 to 8"),
        ("rung = 1", "rung = 0", "mends rung 0: choose one of 1 to 8"),
        ("side = \"server\"", "side = \"middle\"", "middle"),
        (
            "keeps = \"service\"\n",
            "",
            "`keeps` in a check, and `mend` or `deploy` in its trial, go together",
        ),
        (
            "run.python",
            "run.rust",
            "no [[language]] of this id (python)",
        ),
        (
            "[\"python3\", \"s.py\"]",
            "[]",
            "`run.python` of the trial \"mend\" is empty",
        ),
        (
            "mend = {",
            "deploy = { people = [], strangers = 1 }\nmend = {",
            "more than one of `on-the-path`, `as-server`, `jam`, `mend` and `deploy`",
        ),
        (
            "run.python = [\"python3\", \"s.py\"]",
            "args = [\"x\"]",
            "take out `args`",
        ),
    ] {
        let error = with(from, to);
        assert!(error.contains(says), "{to}: {error}");
    }
}

#[test]
fn a_peer_to_begin_with_and_a_build_that_do_not_fit_are_named() {
    let with = |language: &str, trial: &str| {
        let language =
            format!("[[language]]\nid = \"rust\"\nrun = [\"target/debug/a\"]\n{language}\n");
        let trial = format!("[[trial]]\nid = \"t\"\n{trial}\n");
        broken(&format!("{HEAD}[scene]\n{language}{trial}"))
    };
    for (language, trial, says) in [
        (
            "peer = { rung = 9 }",
            "",
            "there is no folder peers/rust/rung9",
        ),
        (
            "peer = { rung = 1, folder = \"../mend\" }",
            "",
            "leads out of a student's folder",
        ),
        (
            "peer = { rung = 1, folder = \"/tmp/mend\" }",
            "",
            "leads out of a student's folder",
        ),
        (
            "",
            "run.rust = [\"a\"]\nbuild.rust = []",
            "`build.rust` of the trial \"t\" is empty",
        ),
        (
            "",
            "build.rust = [\"make\"]",
            "give `run` for each language of `build`",
        ),
    ] {
        let error = with(language, trial);
        assert!(error.contains(says), "{language} {trial}: {error}");
    }
}

#[test]
fn defences_are_left_out_of_the_hardened_protocol_only_and_by_their_names() {
    let session = |protocol: &str, without: &str| {
        broken(&format!(
            "{HEAD}[scene]\n[[scene.session]]\nid = \"s\"\nprotocol = {protocol:?}\nwithout = [{without:?}]\nfile = \"f\"\nmessages = []\n"
        ))
    };
    let faithful = session("faithful", "mac");
    assert!(
        faithful.contains("only the hardened protocol"),
        "{faithful}"
    );
    let unknown = session("hardened", "macc");
    assert!(unknown.contains("did you mean mac?"), "{unknown}");
}

#[test]
fn servers_generators_and_stores_that_do_not_fit_are_named() {
    let server =
        "[[scene.server]]\nid = \"clock\"\ngenerator = \"python\"\nfrom = \"1\"\nseeds = \"9\"\n";
    let session = "[[scene.session]]\nid = \"s\"\nserver = \"clock\"\nprotocol = \"faithful\"\nfile = \"f\"\nmessages = []\n";
    let store = "[[scene.store]]\nid = \"old\"\nfile = \"f\"\nhash = \"sha256\"\ndraw = 1\nusers = [{ name = \"n\", password = \"p\" }]\n";
    let with = |from: &str, to: &str| {
        let parts = format!("{server}{session}{store}");
        assert!(parts.contains(from), "{from}");
        broken(&format!("{HEAD}[scene]\n{}", parts.replace(from, to)))
    };
    for (from, to, says) in [
        (
            "\"python\"",
            "\"pithon\"",
            "there is no generator \"pithon\"",
        ),
        (
            "server = \"clock\"",
            "server = \"cloc\"",
            "no [[scene.server]] with this id",
        ),
        ("\"faithful\"", "\"hardened\"", "the faithful protocol only"),
        (
            "draw = 1",
            "draw = 2",
            "from 1 to the number of its users, 1",
        ),
        ("\"sha256\"", "\"md5\"", "md5"),
    ] {
        let error = with(from, to);
        assert!(error.contains(says), "{to}: {error}");
    }
}

#[test]
fn a_check_compares_the_output_in_one_way_and_with_some_line() {
    let check = |how: &str| {
        broken(&format!(
            "{HEAD}[scene]\n[[language]]\nid = \"l\"\nrun = [\"l\"]\n[[trial]]\nid = \"t\"\nargs = []\n[[check]]\nid = \"there\"\ntitle = \"t\"\npoints = 1\ntrial = \"t\"\nnext = \"n\"\n{how}\n"
        ))
    };
    let two = check("prints = [\"x\"]\nprints-as-solution = true");
    assert!(two.contains("in two ways"), "{two}");
    let none = check("prints = []");
    assert!(none.contains("wants no line"), "{none}");
}

#[test]
fn parts_that_do_not_fit_are_named() {
    let check =
        "[[check]]\nid = \"there\"\ntitle = \"t\"\npoints = 1\ntrial = \"none\"\nnext = \"n\"\n";
    let error = broken(&format!("{HEAD}[scene]\n{check}"));
    assert!(
        error.contains("lab.toml") && error.contains("no [[trial]] with the id \"none\""),
        "{error}"
    );
    let error = broken(&format!(
        "{HEAD}[scene]\n{}",
        check.replace("there", "unexplained")
    ));
    assert!(error.contains("\"## unexplained\""), "{error}");
    let trial = "[[trial]]\nid = \"none\"\nargs = []\n";
    let of_nobody = format!("{check}session-ends = \"vanished\"\n");
    let error = broken(&format!("{HEAD}[scene]\n{trial}{of_nobody}"));
    assert!(
        error.contains("name the user with `logged-in-as`"),
        "{error}"
    );
    let error = broken(&format!("{}[scene]\n", HEAD.replace("99-test", "98-test")));
    assert!(
        error.contains("98-test") && error.contains("99-test"),
        "{error}"
    );
}

#[test]
fn a_trial_has_one_kind_and_what_its_checks_and_its_target_need() {
    let language = "[[language]]\nid = \"python\"\nrun = [\"true\"]\n";
    let lab = |trial: &str, check: &str| {
        broken(&format!(
            "{HEAD}[scene]\n[[scene.session]]\nid = \"s\"\nprotocol = \"faithful\"\nfile = \"s\"\nmessages = []\n{language}\
             [[trial]]\nid = \"t\"\nargs = []\n{trial}\n\
             [[check]]\nid = \"there\"\ntitle = \"t\"\npoints = 1\ntrial = \"t\"\nnext = \"n\"\n{check}\n"
        ))
    };
    let jam = "jam = { seconds = 1, connections = 1, bytes = 0 }";
    let server = "as-server = { session = \"s\" }";
    for (trial, check, says) in [
        (server, "jams = true", "give the trial `jam`"),
        (jam, "unnoticed = true", "give the trial `as-server`"),
        (&format!("{jam}\n{server}"), "jams = true", "choose one"),
        (
            "target = \"oracle\"",
            "heard = \"x\"",
            "give the scene `envelope`",
        ),
        ("target = \"orakel\"", "heard = \"x\"", "orakel"),
    ] {
        let error = lab(trial, check);
        assert!(error.contains(says), "{trial} {check}: {error}");
    }
}
