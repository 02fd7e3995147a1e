//! `enrol`: an invitation becomes an account.

use std::{path::Path, time::Duration};

use anyhow::{Context, bail, ensure};
use latchstring_client_core::{
    address::Address, dial::Dial, known_hosts::KnownHosts, password::Source, retry::Retry,
};
use latchstring_keys::RsaKey;
use latchstring_net::{
    entropy::OsEntropy,
    hygiene, print,
    protocol::hardened::{
        message::{Invite, MIN_NEW_PASSWORD},
        signature::Signer,
    },
    public_key::Bits,
};
use zeroize::Zeroizing;

use super::{
    Enrol, WAIT, access::client, home, keygen, passphrase::load_key, screen::Screen, source,
};

pub(super) async fn run(options: Enrol) -> anyhow::Result<()> {
    let (address, settings) = options.aliases.load()?.resolve(&options.to)?;
    let invite = read_invite(&source(options.invite_file, options.invite_fd), &address)?;
    let dir = home(options.dir)?;
    let key = options.key.or(settings.identity_file);
    let passphrase = options.passphrase_file.or(settings.passphrase_file);
    let key = load_or_make(
        &key.unwrap_or_else(|| dir.join("id.pem")),
        passphrase.as_deref(),
    )?;
    let client = client(&address, key);
    let source = source(options.password_file, options.password_fd);
    let wait = options.wait.or(settings.wait).unwrap_or(WAIT);
    let dial = Dial {
        client: &client,
        address: &address,
        given: None,
        source: &source,
        outboxes: dir.join("outbox"),
        hosts: KnownHosts::load(&dir.join("known_hosts"))?,
        retry: Retry::new(Duration::from_secs(wait), &OsEntropy),
        person: &Screen::new(false, false),
    };
    dial.enrol(&invite, || new_password(&source, &address))
        .await?;
    print::line(format_args!(
        "You have an account now. Log in with: latchstring-client connect {address}"
    ))?;
    Ok(())
}

fn read_invite(source: &Source, address: &Address) -> anyhow::Result<Invite> {
    let line = source.read("Invitation: ").context("no invitation")?;
    let invite: Invite = str::from_utf8(&line).unwrap_or("").parse()?;
    ensure!(
        invite.user == address.user,
        "the invitation is for {}: write {}@ before the host, or find the right invitation",
        invite.user,
        invite.user
    );
    Ok(invite)
}

/// The server says nothing about a key that it does not take, so it is said here.
fn load_or_make(path: &Path, passphrase: Option<&Path>) -> anyhow::Result<RsaKey> {
    if !path.exists() {
        let (key, public) = keygen::make(path, Bits::B3072, None)?;
        print::note(format_args!(
            "Made a key: {} and {}.",
            path.display(),
            public.display()
        ));
        return Ok(key);
    }
    let key = load_key(path, passphrase)?;
    hygiene::check(key.public_key(), []).with_context(|| path.display().to_string())?;
    Ok(key)
}

fn new_password(source: &Source, address: &Address) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let password = source.read(&format!("New password for {address}: "))?;
    ensure!(
        password.len() >= MIN_NEW_PASSWORD && str::from_utf8(&password).is_ok(),
        "a new password has at least {MIN_NEW_PASSWORD} bytes of UTF-8; nothing was sent"
    );
    if *source == Source::Prompt && source.read("The same again: ")? != password {
        bail!("the two passwords differ; nothing was sent");
    }
    Ok(password)
}
