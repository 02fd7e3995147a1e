//! What the book's page about the models takes from the table and from the runs.

use std::collections::BTreeSet;

use crate::{
    login,
    table::{Implied, Table},
};

/// The parts of the page that are generated.
pub(crate) fn generated(table: &Table) -> Vec<String> {
    vec![views(table), models(table), relays(table), story(table)]
}

fn views(table: &Table) -> String {
    let mut text = "| view | the attacker | queries |\n| --- | --- | --- |\n".to_owned();
    for view in &table.views {
        text += &format!(
            "| {} | {} | {} |\n",
            view.id,
            view.means,
            view.asks.join(", ")
        );
    }
    text
}

fn models(table: &Table) -> String {
    let mut text = "| model | queries that break | attacks that return | also broken here |\n| --- | --- | --- | --- |\n".to_owned();
    for model in &table.models {
        let name = model.file.trim_end_matches(".vp");
        let (broken, returns) = (list(&model.broken), list(&model.returns));
        let mut notes = notes(&model.implied);
        if !model.missed.is_empty() {
            notes = format!("{}: there all the same, and not found", list(&model.missed));
        }
        text += &format!("| {name} | {broken} | {returns} | {notes} |\n");
    }
    text
}

fn relays(table: &Table) -> String {
    let mut text =
        "| login | breaks | attacks that return | also broken here |\n| --- | --- | --- | --- |\n"
            .to_owned();
    for relay in &table.relays {
        let (broken, returns) = (list(&relay.broken), list(&relay.returns));
        let notes = notes(&relay.implied);
        text += &format!("| {relay} | {broken} | {returns} | {notes} |\n");
    }
    text
}

/// The shortest relay when only the random values are signed.
fn story(table: &Table) -> String {
    let mut relays = table.relays.iter();
    let randoms = relays.find(|relay| relay.signs == "randoms" && relay.password_known);
    let found = login(randoms.expect("the table has this one"), 1).search();
    let steps = found.relay.expect("the table says so");
    format!("```text\n{}\n```\n", steps.join("\n"))
}

fn list(names: &BTreeSet<String>) -> String {
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.iter().cloned().collect::<Vec<_>>().join(", "),
    }
}

fn notes(implied: &[Implied]) -> String {
    let notes = implied
        .iter()
        .map(|i| format!("{}: {}", i.attacks.join(", "), i.because));
    notes.collect::<Vec<_>>().join(". ")
}
