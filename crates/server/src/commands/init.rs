//! `init`: everything that a server needs, and nothing of it twice.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::Write,
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

use anyhow::{Context, bail, ensure};
use latchstring_net::{
    keyfile::{save_private, save_public},
    print::Output,
    protocol::hardened::{message::Fingerprint, signature::Signer},
    provider::{Bits, RsaKey},
};
use latchstring_store::Sqlite;

use super::Place;
use crate::config::{DATABASE, FILE, HOST_KEY, new_file};

/// Name of the public half, for who wants to compute the fingerprint by other means.
const HOST_PUBLIC_KEY: &str = "host_key.pub.pem";

/// Options of `init`.
#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// Size of the RSA host key
    #[arg(long, value_name = "BITS", default_value = "3072", value_parser = bits)]
    bits: Bits,
    /// Where the server will listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:22223")]
    listen: SocketAddr,
}

fn bits(text: &str) -> Result<Bits, String> {
    let bits = text.parse().ok().and_then(|bits| Bits::new(bits).ok());
    bits.ok_or_else(|| "use 3072 or 4096".to_owned())
}

impl Init {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        ensure!(
            place.config.is_none(),
            "init makes its own {FILE} in the directory: use --dir"
        );
        let dir = &place.dir;
        make_private(dir)?;
        for name in [FILE, HOST_KEY, HOST_PUBLIC_KEY, DATABASE] {
            let path = dir.join(name);
            if path.symlink_metadata().is_ok() {
                let path = path.display();
                bail!(
                    "{path} exists already and nothing is overwritten; choose another directory or move it away"
                );
            }
        }

        let key = RsaKey::generate(self.bits)?;
        save_private(&key, &dir.join(HOST_KEY))?;
        save_public(&key, &dir.join(HOST_PUBLIC_KEY))?;
        Sqlite::create(&dir.join(DATABASE)).await?.close().await;
        // Last: while it is missing, `serve` says that there is no server here.
        write_new(&dir.join(FILE), &new_file(self.listen))?;

        let mut output = Output::new();
        output.line(format_args!("Made a server in {}.", dir.display()))?;
        output.line("Host key fingerprint, to be given to every user by a way they trust:")?;
        output.line(Fingerprint::of(key.public_key()))?;
        Ok(output.finish()?)
    }
}

/// Makes the directory for its owner alone; one that is there may be used unless others can put files into it.
fn make_private(dir: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    let about = made.and_then(|()| dir.metadata());
    let mode = about
        .with_context(|| format!("cannot make the directory {}", dir.display()))?
        .mode();
    let (dir, mode) = (dir.display(), mode & 0o7777);
    ensure!(
        mode & 0o022 == 0,
        "others can write to {dir} (mode {mode:04o}); run: chmod 700 {dir}"
    );
    Ok(())
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let written = (OpenOptions::new().write(true).create_new(true).mode(0o600))
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
    written.with_context(|| format!("cannot write {}", path.display()))
}
