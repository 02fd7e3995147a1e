//! The passphrase of a key: asked for when a key is opened, made, or changed.

use std::{
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

use anyhow::{anyhow, bail, ensure};
use latchstring_client_core::password::{PasswordError, Source};
use latchstring_keys::{
    RsaKey,
    keyfile::{Locked, Private, open_private},
};
use latchstring_net::{
    keyfile::KeyFileError, password::prompt_or_nothing, print, public_key::KeyError,
};
use zeroize::Zeroizing;

/// How often a person may type it.
const TRIES: usize = 3;
/// A shorter one can be guessed by anybody who has the file.
const SHORTEST: usize = 8;

/// The key in a file. A passphrase comes from its file, or from a person, who has three tries.
///
/// # Errors
/// Why there is no key.
pub(super) fn load_key(path: &Path, passphrase: Option<&Path>) -> anyhow::Result<RsaKey> {
    let private = open_private(path).map_err(|error| match error {
        KeyFileError::Io { ref source, .. } if source.kind() == io::ErrorKind::NotFound => anyhow!(
            "there is no key at {}; make one with `latchstring-client keygen`, or name yours with --key",
            path.display()
        ),
        _ => error.into(),
    })?;
    match (private, passphrase) {
        (Private::Open(key), _) => Ok(key),
        (Private::Locked(locked), Some(file)) => {
            let passphrase = Source::File(file.to_owned()).read("")?;
            Ok(locked.unlock(&passphrase)?)
        }
        (Private::Locked(locked), None) => ask(path, &locked),
    }
}

fn ask(path: &Path, locked: &Locked) -> anyhow::Result<RsaKey> {
    let path = path.display();
    ensure!(
        io::stdin().is_terminal(),
        "the key {path} has a passphrase, and nobody can be asked for it because the standard input is not a terminal; \
         use --passphrase-file FILE"
    );
    let question = format!("Passphrase of {path}: ");
    for left in (0..TRIES).rev() {
        let opened = match Source::Prompt.read(&question) {
            Ok(passphrase) => locked.unlock(&passphrase),
            // An empty line opens no key.
            Err(PasswordError::Length) => locked.unlock(b""),
            Err(why) => return Err(why.into()),
        };
        match opened {
            Err(KeyFileError::Key {
                source: KeyError::Passphrase,
                ..
            }) => {
                if left > 0 {
                    print::note("The passphrase is wrong; try again.");
                }
            }
            opened => return Ok(opened?),
        }
    }
    bail!(
        "the passphrase is wrong: {TRIES} tries opened no key in {path}; find the right one, or make a new key"
    )
}

/// A passphrase for a new file: from a file, or from a person, who types it twice. `None` leaves the key without one, as
/// for every key that a script makes and gives no passphrase.
///
/// # Errors
/// Why there is no passphrase.
pub(super) fn new_passphrase(file: Option<PathBuf>) -> anyhow::Result<Option<Zeroizing<Vec<u8>>>> {
    let passphrase = match file {
        Some(file) => Source::File(file).read("")?,
        None if !io::stdin().is_terminal() => return Ok(None),
        None => {
            let typed = prompt_or_nothing("Passphrase for the key (empty for none): ")?;
            let Some(typed) = typed else {
                return Ok(None);
            };
            let again = prompt_or_nothing("The same again: ")?;
            ensure!(
                again.as_ref() == Some(&typed),
                "the two passphrases differ; nothing was changed"
            );
            typed
        }
    };
    ensure!(
        passphrase.len() >= SHORTEST,
        "a passphrase has at least {SHORTEST} bytes; nothing was changed"
    );
    Ok(Some(passphrase))
}
