//! `init`: everything that a server needs, and nothing of it twice.

use std::net::SocketAddr;

use anyhow::{bail, ensure};
use latchstring_keys::{
    RsaKey,
    keyfile::{save_private, save_public},
};
use latchstring_net::{
    print::Output,
    protocol::hardened::{message::Fingerprint, signature::Signer},
    public_key::Bits,
};
use latchstring_server_core::config::{
    self, DATABASE, FILE, HOST_KEY, HOST_PUBLIC_KEY, parse_listen,
};
use latchstring_store_sqlite::Sqlite;

use super::{
    Place,
    made::{Made, make_private, new_file, sync},
};

/// Options of `init`.
#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// Make an RSA host key of this size, in bits
    #[arg(long, value_name = "BITS", default_value = "3072", value_parser = bits)]
    bits: Bits,
    /// Listen on this address and port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:22223", value_parser = parse_listen)]
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
        let mut made = Made::default();
        made.add(dir.join(HOST_KEY));
        save_private(&key, &dir.join(HOST_KEY))?;
        made.add(dir.join(HOST_PUBLIC_KEY));
        save_public(&key, &dir.join(HOST_PUBLIC_KEY))?;
        made.add_store(&dir.join(DATABASE));
        Sqlite::create(&dir.join(DATABASE)).await?.close().await;
        // Last: while it is missing, `serve` says that there is no server here.
        let text = config::new_file(self.listen);
        new_file(&dir.join(FILE), &mut text.as_bytes())?;
        sync(dir)?;
        made.keep();

        let mut output = Output::new();
        output.line(format_args!("Made a server in {}.", dir.display()))?;
        output.line("Host key fingerprint, to be given to every user by a way they trust:")?;
        output.line(Fingerprint::of(key.public_key()))?;
        Ok(output.finish()?)
    }
}
