//! Where a program that is a server is put, and a look whether it listens.

use std::{path::Path, time::Duration};

use anyhow::Context;
use latchstring_attacker::net::loopback::Loopback;
use tokio::time::{Instant, sleep};

use crate::diagnosis::Trouble;

/// How long a server may take until it listens. An interpreter on a busy machine is slow.
const TO_LISTEN: Duration = Duration::from_secs(15);
/// How often that is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// The server's address, once it listens there.
///
/// # Errors
/// When it does not.
pub(super) async fn listening(port: u16) -> Result<Loopback, Trouble> {
    let at = Loopback::v4(port);
    let until = Instant::now() + TO_LISTEN;
    while at.connect().await.is_err() {
        if Instant::now() > until {
            return Err(Trouble {
                found: format!(
                    "nothing listens on the port that your server was given, after {} seconds",
                    TO_LISTEN.as_secs()
                ),
                next: Some("listen on 127.0.0.1, on the port that it is given".to_owned()),
                late: true,
            });
        }
        sleep(GLANCE).await;
    }
    Ok(at)
}

/// A path as an argument of a program.
///
/// # Errors
/// When it is not UTF-8.
pub(super) fn path(path: &Path) -> anyhow::Result<&str> {
    let text = path.to_str();
    text.with_context(|| format!("{} is not UTF-8", path.display()))
}
