//! `fingerprint`: the host's fingerprint, as users compare it.

use latchstring_net::{
    picture::picture,
    print::Output,
    protocol::hardened::{message::Fingerprint, signature::Signer},
};

use super::Place;

/// Options of `fingerprint`.
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// Draw the picture too, which clients show beside the fingerprint of a host that they do not know yet
    #[arg(long)]
    picture: bool,
}

impl Show {
    pub(super) fn run(&self, place: &Place) -> anyhow::Result<()> {
        let host = Place::host_key(&place.config()?)?;
        let fingerprint = Fingerprint::of(host.public_key());
        let mut output = Output::new();
        output.line(fingerprint)?;
        if self.picture {
            output.line(picture(&fingerprint, "host key"))?;
        }
        Ok(output.finish()?)
    }
}
