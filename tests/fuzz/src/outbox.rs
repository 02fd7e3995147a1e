//! The file of messages that wait for their acknowledgement, as a crash or an editor may have left it.
//!
//! Besides "no panic": what waits after a restart is what waited before it, a message that was kept is never lost by
//! opening the file again, and nothing that waits is dropped before the server is known to hold it.

use latchstring_client_core::outbox::{Outbox, OutboxError, Owner};
use latchstring_protocol::hardened::message::Fingerprint;

use super::{peer, scratch};

/// Runs one input: the file.
pub fn run(data: &[u8]) {
    let folder = scratch::folder("outbox");
    // The file's name is the program's affair: let it make one, and write into that.
    drop(open(&folder).expect("a new outbox"));
    let path = files(&folder).pop().expect("it made a file");
    std::fs::write(&path, data).expect("it is ours");
    let Ok(mut outbox) = open(&folder) else {
        return;
    };
    let before = waiting(&outbox);
    drop(outbox);
    outbox = open(&folder).expect("what was taken is taken again");
    assert_eq!(waiting(&outbox), before);

    let next = before.last().map_or(1, |(id, _)| id.saturating_add(1));
    outbox
        .keep(next, "one more\nline")
        .expect("a message can be kept");
    drop(outbox);
    outbox = open(&folder).expect("what we write we read");
    let mut after = waiting(&outbox);
    assert_eq!(after.pop(), Some((next, "one more\nline".to_owned())));
    assert_eq!(after, before);
}

fn open(folder: &std::path::Path) -> Result<Outbox, OutboxError> {
    let owner = Owner {
        host: Fingerprint([2; 32]),
        user: peer::alice(),
        key: Fingerprint([1; 32]),
    };
    Outbox::open(folder, owner)
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("our own folder");
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

fn waiting(outbox: &Outbox) -> Vec<(u64, String)> {
    outbox
        .waiting()
        .map(|(id, text)| (id, text.to_owned()))
        .collect()
}
