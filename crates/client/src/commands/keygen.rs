//! `keygen`: a key pair in two files.

use std::path::{Path, PathBuf};

use latchstring_keys::{
    RsaKey,
    keyfile::{save_private, save_public},
};
use latchstring_net::{
    print,
    protocol::hardened::{message::Fingerprint, signature::Signer},
    public_key::Bits,
};

use super::{Keygen, home};

pub(super) fn run(options: &Keygen) -> anyhow::Result<()> {
    let dir = home(options.dir.clone())?;
    let private = dir.join(format!("{}.pem", options.name));
    let (key, public) = make(&private, Bits::new(options.bits.parse()?)?)?;

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
pub(super) fn make(private: &Path, bits: Bits) -> anyhow::Result<(RsaKey, PathBuf)> {
    let public = private.with_extension("pub.pem");
    for path in [private, &public] {
        anyhow::ensure!(
            !path.exists(),
            "{} exists already, and a key is never overwritten: use --name, or move it away",
            path.display()
        );
    }
    let key = RsaKey::generate(bits)?;
    save_private(&key, private)?;
    save_public(&key, &public).inspect_err(|_| {
        // Half a pair would keep the next try from making a whole one.
        let _ = std::fs::remove_file(private);
    })?;
    Ok((key, public))
}
