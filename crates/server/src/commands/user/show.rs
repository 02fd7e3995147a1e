//! `user show`: all that the server knows about a user.

use std::time::{Duration, SystemTime};

use anyhow::ensure;
use latchstring_net::{print::Output, protocol::hardened::message::UserName};
use latchstring_server_core::throttle::MOST_GUESSES;
use latchstring_store::{
    Accounts,
    password::{Cost, pepper_of},
};
use latchstring_store_sqlite::Sqlite;
use serde::Serialize;

/// A user, for people and for programs.
#[derive(Serialize)]
struct Shown {
    user: String,
    disabled: bool,
    /// UTC.
    created: String,
    /// `None` for a stored password that cannot be used.
    password: Option<StoredPassword>,
    keys: Vec<ShownKey>,
}

/// The cost of a stored password.
#[derive(Serialize)]
struct StoredPassword {
    memory_mib: u32,
    passes: u32,
    /// The public name of the pepper that it was made with.
    pepper: Option<String>,
}

/// A key, and what came with it.
#[derive(Serialize)]
struct ShownKey {
    fingerprint: String,
    wrong_passwords: u32,
    locked: bool,
    messages: u64,
}

pub(super) async fn show(store: &Sqlite, name: UserName, json: bool) -> anyhow::Result<()> {
    let all = store.list().await?;
    let accounts: Vec<_> = all.into_iter().filter(|one| one.user == name).collect();
    ensure!(!accounts.is_empty(), "there is no user {name}");
    let mut keys = Vec::new();
    for account in &accounts {
        let wrong_passwords = store.failures(&name, &account.kid).await?;
        keys.push(ShownKey {
            fingerprint: account.kid.to_string(),
            wrong_passwords,
            locked: wrong_passwords >= MOST_GUESSES,
            messages: store.last_message_id(&name, &account.kid).await?,
        });
    }
    let created = SystemTime::UNIX_EPOCH + Duration::from_secs(accounts[0].created_at);
    let cost = Cost::of(&accounts[0].password_hash).ok();
    let shown = Shown {
        disabled: accounts[0].disabled,
        created: humantime::format_rfc3339_seconds(created).to_string(),
        password: cost.map(|cost| StoredPassword {
            memory_mib: cost.memory_mib(),
            passes: cost.passes(),
            pepper: pepper_of(&accounts[0].password_hash).ok().flatten(),
        }),
        keys,
        user: name.to_string(),
    };
    let mut output = Output::new();
    match json {
        true => output.line(serde_json::to_string(&shown)?)?,
        false => lines(&shown)
            .into_iter()
            .try_for_each(|line| output.line(line))?,
    }
    Ok(output.finish()?)
}

fn lines(shown: &Shown) -> Vec<String> {
    let may = match shown.disabled {
        true => "no, disabled",
        false => "yes",
    };
    let password = match &shown.password {
        Some(StoredPassword {
            memory_mib,
            passes,
            pepper,
        }) => {
            let pepper = pepper.as_ref().map(|id| format!(", pepper {id}"));
            let pepper = pepper.unwrap_or_default();
            format!("argon2id, {memory_mib} MiB, {passes} passes{pepper}")
        }
        None => "cannot be used; set a new one with: latchstring-server user passwd".to_owned(),
    };
    let mut lines = vec![
        format!("user      {}", shown.user),
        format!("may log in {may}"),
        format!("created   {}", shown.created),
        format!("password  {password}"),
    ];
    for key in &shown.keys {
        let locked = if key.locked { ", locked" } else { "" };
        lines.push(format!(
            "key       {}: messages {}, wrong passwords {}{locked}",
            key.fingerprint, key.messages, key.wrong_passwords
        ));
    }
    lines
}
