//! `reload`: the running server reads its configuration again.

use anyhow::{Context, bail};
use latchstring_net::print;
use latchstring_server_core::PasswordRules;
use latchstring_store_sqlite::StoreLock;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::Place;

pub(super) fn run(place: &Place) -> anyhow::Result<()> {
    // A file with an error is told here, to whoever has written it, and not in the log alone.
    let config = place.config()?;
    PasswordRules::load(&config.passwords)?;
    let Some(process) = StoreLock::holder(&config.database)? else {
        bail!(
            "no server serves {}; start it with: latchstring-server serve",
            config.database.display()
        );
    };
    let id = Pid::from_raw(i32::try_from(process)?);
    kill(id, Signal::SIGHUP).with_context(|| {
        format!("cannot signal the server, process {process}; run this as root, or as the user of the server")
    })?;
    Ok(print::line(format_args!(
        "Asked the server, process {process}, to read {}. Its log names what has changed.",
        place.config_path().display()
    ))?)
}
