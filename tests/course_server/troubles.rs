//! What stops a hand-in: each trouble is said, with the next step.

use std::{fs, path::Path, process::Command};

use latchstring_tests::binary;
use nix::sys::wait::WaitStatus;
use rexpect::session::spawn_command;

use crate::{
    class::one_line,
    pair::{PASSWORD, code, server_command, succeeds},
    town::Town,
};

#[test]
fn what_stops_a_hand_in_is_said_and_the_exit_code_is_the_clients() {
    let town = Town::new(2);
    // An invitation that is spent, on another computer: the account is there, and its key is not.
    succeeds(town.submit("student1").output().unwrap());
    fs::remove_file(town.folders["student1"].join("invitation.used")).unwrap();
    let output = town.submit("student1").output().unwrap();
    let said = one_line(&output);
    assert!(
        said.contains("The server did not take the invitation. Perhaps you have used it"),
        "{said}"
    );
    succeeds(output);
    fs::remove_file(town.folders["student1"].join("invitation.used")).unwrap();
    fs::rename(town.home_of("student1"), town.home_of("elsewhere")).unwrap();
    fs::create_dir(town.home_of("student1")).unwrap();
    let output = town.submit("student1").output().unwrap();
    assert_eq!(code(&output), 4, "{output:?}");
    assert!(one_line(&output).contains("took neither the invitation nor your password"));

    // No server, and another host key.
    let lab = town.lab("student2");
    let output = town
        .to("student2", "student2@127.0.0.1:1", &lab)
        .output()
        .unwrap();
    assert_eq!(code(&output), 7, "{output:?}");
    assert!(
        one_line(&output).contains("is not handed in yet"),
        "{output:?}"
    );
    succeeds(town.submit("student2").output().unwrap());
    let mut wrong = town.submit("student2");
    wrong.arg(format!("--fingerprint=SHA256:{}", "A".repeat(43)));
    assert_eq!(code(&wrong.output().unwrap()), 3);
    // The invitation of somebody else, and none.
    for (name, said) in [
        ("student1", "the invitation is for student1"),
        ("nobody", "leave out --invitation"),
    ] {
        let mut command = town.latchstring("student2", &["lab", "submit", "--to"]);
        command.arg(town.address("student2")).arg("--invitation");
        command
            .arg(town.folders["student2"].join(format!("../network-security-{name}/invitation")));
        fs::remove_file(town.folders["student1"].join("invitation.used")).ok();
        let output = command.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            code(&output) == 1 && error.contains(said),
            "{said}: {error}"
        );
    }
}

#[test]
fn a_program_that_is_missing_is_named_with_its_place() {
    let town = Town::new(1);
    let alone = tempfile::tempdir().unwrap();
    let program = alone.path().join("latchstring");
    fs::copy(binary("latchstring"), &program).unwrap();
    let ask = |arguments: &[&str], folder: &Path| {
        let output = Command::new(&program)
            .args(arguments)
            .current_dir(folder)
            .output()
            .unwrap();
        assert_eq!(code(&output), 1, "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = ask(
        &["lab", "submit", "--to", "student1@host"],
        &town.lab("student1"),
    );
    let place = alone
        .path()
        .join("latchstring-client")
        .display()
        .to_string();
    assert!(
        said.contains("latchstring-client is not at") && said.contains(&place),
        "{said}"
    );
    assert!(!town.bundle("student1").exists());
    let course = town.class.path(".");
    let said = ask(
        &["course", "collect", "in", "--server", town.server_path()],
        &course,
    );
    assert!(said.contains("latchstring-server is not at"), "{said}");
    // A directory without a server.
    let output = town
        .class
        .run(&["course", "invite", "more", "--server", "nowhere"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("there is no nowhere/server.toml"), "{said}");
    succeeds(
        server_command(&town.server.dir, &["user", "list"])
            .output()
            .unwrap(),
    );
}

#[test]
fn at_a_terminal_the_client_asks_and_ctrl_c_ends_both_in_order() {
    let town = Town::new(1);
    town.enlarge("student1");
    town.proxy.hold();
    let address = town.address("student1");
    let submit = [
        "lab",
        "submit",
        "--invitation",
        "../invitation",
        "--to",
        &address,
    ];
    let at_a_terminal = || spawn_command(town.at_a_terminal("student1", &submit), Some(60_000));
    let mut terminal = at_a_terminal().unwrap();
    for question in ["New password for", "The same again:"] {
        terminal.exp_string(question).unwrap();
        terminal.send_line(PASSWORD).unwrap();
    }
    terminal.exp_string("You have an account now").unwrap();
    terminal.exp_string("Password of").unwrap();
    terminal.send_line(PASSWORD).unwrap();
    town.wait_until_held("student1");
    terminal.send_control('c').unwrap();
    let said = terminal.exp_eof().unwrap();
    let status = terminal.process().wait().unwrap();
    assert!(
        matches!(status, WaitStatus::Exited(_, 5)),
        "{status:?}: {said}"
    );
    assert!(
        said.contains("30 of") && said.contains("Run the same command again"),
        "{said}"
    );
    assert!(said.contains("is not handed in yet"), "{said}");

    town.proxy.let_go();
    let mut terminal = at_a_terminal().unwrap();
    terminal
        .exp_string("the invitation was used before")
        .unwrap();
    terminal.exp_string("Password of").unwrap();
    terminal.send_line(PASSWORD).unwrap();
    terminal.exp_string("holds 30 already").unwrap();
    let said = terminal.exp_eof().unwrap();
    let status = terminal.process().wait().unwrap();
    assert!(
        matches!(status, WaitStatus::Exited(_, 0)),
        "{status:?}: {said}"
    );
    assert!(said.contains("Receipt: "), "{said}");
    assert!(town.collect().contains("1 new file in in"));
}
