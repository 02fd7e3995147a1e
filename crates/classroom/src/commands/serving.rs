//! `serve` and `visit`: the other end of a student's program, to try it out.

use std::{io::Write, process::ExitCode};

use anyhow::{Context, ensure};
use latchstring_attacker::net::{loopback::Loopback, terminal::visible_lines};
use latchstring_cli::{screen, suggest::nearest};
use latchstring_faithful::server::{Listener, REPLY_PAUSE, ServerEvent};

use super::interrupted;
use crate::{
    catalogue::{Lab, TargetKind},
    seed::Seed,
    student::Student,
    target::{oracle, small},
    visitor::Step,
};

/// Runs the target of a trial until Ctrl-C.
pub(super) async fn serve(student: Student, port: u16, trial: Option<&str>) -> anyhow::Result<()> {
    let scene = &student.lab.scene;
    ensure!(
        !scene.accounts.is_empty() || scene.envelope.is_some(),
        "the lab {} has no target to run: work on its captures",
        student.lab.id
    );
    let kind = target_of(&student.lab, trial)?;
    let script = student.script()?;
    let accounts = script.accounts()?;
    // Where the task is to find out who has an account, the screen does not say it.
    let quiet = !scene.strangers.is_empty();
    let names: Vec<&str> = accounts.users().iter().map(|user| user.as_str()).collect();
    let told = match quiet {
        true => format!("{} accounts", names.len()),
        false => format!("accounts for {}", names.join(", ")),
    };
    let begin = || say(&format!("Your target, with {told}. Ctrl-C ends it."));
    let mut randomness = Seed::fresh()?.stream("served target");
    let at = Loopback::v4(port);
    match kind {
        TargetKind::Faithful => {
            let listener = Listener::bind(at).await?;
            begin();
            let mut show = |event: ServerEvent| show(&event, quiet);
            let keys = accounts.keys()?;
            tokio::select! {
                () = listener.serve(keys, REPLY_PAUSE, &mut randomness, &mut show) => {}
                interrupted = interrupted() => interrupted?,
            }
        }
        TargetKind::Oracle => {
            let _target = oracle::start(script.envelope()?, at).await?;
            say("Your server, with the private key of your envelope. Ctrl-C ends it.");
            interrupted().await?;
        }
        TargetKind::Small(rules) => {
            let see = move |event: &ServerEvent| show(event, quiet);
            let rules = rules.clone();
            let _target = small::start(&accounts, randomness, rules, at, see).await?;
            begin();
            say(&ServerEvent::Ready.screen().unwrap_or_default());
            interrupted().await?;
        }
    }
    Ok(())
}

/// The target of this trial, or of the first one.
fn target_of<'a>(lab: &'a Lab, trial: Option<&str>) -> anyhow::Result<&'a TargetKind> {
    let mut trials = lab.trials.iter();
    let found = match trial {
        None => trials.next(),
        Some(id) => Some(trials.find(|trial| trial.id == id).with_context(|| {
            let ids: Vec<&str> = lab.trials.iter().map(|trial| trial.id.as_str()).collect();
            format!(
                "the lab {} has no trial {id:?}{}; there are: {}",
                lab.id,
                nearest(id, ids.iter().copied()),
                ids.join(", ")
            )
        })?),
    };
    Ok(found.map_or(&TargetKind::Faithful, |trial| &trial.target))
}

fn show(event: &ServerEvent, quiet: bool) {
    match event {
        ServerEvent::Recognised { .. } if quiet => say("[*] A login was tried."),
        ServerEvent::LoginRefused { .. } if quiet => say("[*] A login was tried."),
        ServerEvent::LoggedIn { .. } if quiet => {}
        ServerEvent::Recognised { user } => say(&format!("[*] That login is {user}'s.")),
        ServerEvent::LoggedIn { user } => say(&format!("[*] Logged in: {user}")),
        event => {
            if let Some(lines) = event.screen() {
                say(&lines);
            }
        }
    }
}

/// A closed screen is no reason to stop.
fn say(line: &str) {
    let out = &mut screen::out();
    let _ = writeln!(out, "{}", visible_lines(line)).and_then(|()| out.flush());
}

/// An honest client of the lab, which logs in at a student's program, or at the target. The exit code is 0 if it noticed nothing.
pub(super) async fn visit(student: Student, port: u16) -> anyhow::Result<ExitCode> {
    let lab = &student.lab;
    ensure!(
        !lab.scene.accounts.is_empty(),
        "the lab {} has no user who could log in: work on its files",
        lab.id
    );
    let visitor = student.script()?.visitor()?;
    let user = &visitor.user;
    say(&format!(
        "{user} wants to log in at 127.0.0.1:{port}. Ctrl-C ends it."
    ));
    let mut code = ExitCode::FAILURE;
    let tell = |step: Step| match step {
        Step::Connected => say("[*] Connected."),
        Step::LoggedIn => say("[*] Logged in: the server has sent a session key and an IV."),
        Step::Said(text) => say(&format!("[>] {text}")),
        Step::Noticed(why) => say(&format!("[!] {user} noticed something: {why}")),
        Step::Left => {
            code = ExitCode::SUCCESS;
            say(&format!("[*] {user} has left, and noticed nothing."));
        }
    };
    tokio::select! {
        () = visitor.visit(Loopback::v4(port), tell) => {}
        interrupted = interrupted() => interrupted?,
    }
    Ok(code)
}
