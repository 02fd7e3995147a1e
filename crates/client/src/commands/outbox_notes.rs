//! What every command that sends says about messages of earlier sessions.

use latchstring_client_core::outbox::{Outbox, Settled, Unsendable};
use latchstring_net::{print::OutputError, protocol::hardened::message::MAX_TEXT, report::count};

use super::screen::{Report, Screen};

/// Says what has become of the messages that waited.
///
/// # Errors
/// When the standard output takes no report.
pub(super) fn tell_of(screen: &Screen, settled: &Settled) -> Result<(), OutputError> {
    let Settled {
        stored,
        again,
        renumbered,
        others,
    } = *settled;
    if others {
        screen.warn(
            "Warning: the server holds messages of this user and key that were not sent from here. Another client \
             or another computer sends with this key.",
        );
    }
    if stored > 0 {
        let stored = count(stored as u64, "message");
        screen.note(&format!("The server held {stored} already."));
    }
    if stored > 0 || renumbered || others {
        screen.report(&Report::Settled {
            held_already: stored as u64,
            renumbered,
            others,
        })?;
    }
    let Some((first, last)) = again else {
        return Ok(());
    };
    if renumbered {
        screen.warn(&format!(
            "Warning: the messages that waited have new numbers, {first} to {last}, after those of the server."
        ));
    }
    for id in first..=last {
        screen.note(&format!("Message {id} is sent again."));
        screen.report(&Report::SentAgain { id })?;
    }
    Ok(())
}

/// Names the lines of the outbox that hold nothing up and cannot be sent; how many they are.
pub(super) fn tell_of_unsendable(screen: &Screen, outbox: &Outbox) -> usize {
    for Unsendable { line, bytes } in outbox.unsendable() {
        screen.warn(&format!(
            "Warning: line {line} of {} is not sent: its message has {bytes} bytes, and a message has at most \
             {MAX_TEXT}. Send its text in parts, and delete the line.",
            outbox.path().display()
        ));
    }
    outbox.unsendable().len()
}
