//! `keygen`: a key pair in two files, or another passphrase for one that is there.

use std::path::{Path, PathBuf};

use latchstring_keys::{
    RsaKey,
    keyfile::{change_passphrase, save_locked, save_private, save_public},
};
use latchstring_net::{
    entropy::OsEntropy,
    print,
    protocol::hardened::{message::Fingerprint, signature::Signer},
    public_key::Bits,
};

use super::{
    Keygen, home,
    passphrase::{load_key, new_passphrase},
};

pub(super) fn run(options: Keygen) -> anyhow::Result<()> {
    let dir = home(options.dir)?;
    let private = dir.join(format!("{}.pem", options.name));
    if options.change_passphrase {
        return change(
            &private,
            options.old_passphrase_file,
            options.passphrase_file,
        );
    }
    refuse_existing(&private)?;
    let passphrase = new_passphrase(options.passphrase_file)?;
    let passphrase = passphrase.as_ref().map(|one| &one[..]);
    let (key, public) = make(&private, Bits::new(options.bits.parse()?)?, passphrase)?;

    let fingerprint = Fingerprint::of(key.public_key());
    let (private, public) = (private.display(), public.display());
    print::line(format_args!(
        "Private key: {private}  (keep it to yourself)\n\
         Public key:  {public}\n\
         Fingerprint: {fingerprint}\n\n\
         Next: hand {public} to the server's operator,\n\
         who runs: latchstring-server user add NAME --key FILE\n\
         Ask for the host's fingerprint in return, and for a password."
    ))?;
    Ok(())
}

/// Makes a key in `NAME.pem` and its public half in `NAME.pub.pem`; returns the path of the public half.
pub(super) fn make(
    private: &Path,
    bits: Bits,
    passphrase: Option<&[u8]>,
) -> anyhow::Result<(RsaKey, PathBuf)> {
    let public = refuse_existing(private)?;
    let key = RsaKey::generate(bits)?;
    match passphrase {
        Some(passphrase) => save_locked(&key, private, passphrase, &OsEntropy)?,
        None => save_private(&key, private)?,
    }
    save_public(&key, &public).inspect_err(|_| {
        // Half a pair would keep the next try from making a whole one.
        let _ = std::fs::remove_file(private);
    })?;
    Ok((key, public))
}

/// The path of the public half, if neither half is there.
fn refuse_existing(private: &Path) -> anyhow::Result<PathBuf> {
    let public = private.with_extension("pub.pem");
    for path in [private, &public] {
        anyhow::ensure!(
            !path.exists(),
            "{} exists already, and a key is never overwritten: use --name, or move it away",
            path.display()
        );
    }
    Ok(public)
}

fn change(private: &Path, old: Option<PathBuf>, new: Option<PathBuf>) -> anyhow::Result<()> {
    let key = load_key(private, old.as_deref())?;
    let passphrase = new_passphrase(new)?;
    let bytes = passphrase.as_ref().map(|one| &one[..]);
    change_passphrase(&key, private, bytes, &OsEntropy)?;
    let now = match passphrase {
        Some(_) => "has the new passphrase",
        None => "has no passphrase any more",
    };
    print::line(format_args!("The key {} {now}.", private.display()))?;
    Ok(())
}
