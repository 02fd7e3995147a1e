//! Records: what was sealed opens once and in its place, and nothing else opens.
//!
//! Besides "no panic": a record that differs in any bit, is cut, prolonged, repeated or from another key does not open.

use arbitrary::{Arbitrary, Unstructured};
use latchstring_protocol::hardened::{
    message::Type,
    record::{MAX_BODY, Opener, Sealer},
};
use zeroize::Zeroizing;

use super::field::Field;

#[derive(Debug, Arbitrary)]
struct Script {
    key: [u8; 32],
    epoch: u32,
    records: Vec<(u8, Vec<u8>)>,
    /// Which record is tampered with, and how.
    attacked: u8,
    tampered: Field,
}

/// Runs one input.
pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let key = Zeroizing::new(script.key);
    let (mut sealer, mut opener) = (
        Sealer::new(&key, script.epoch),
        Opener::new(&key, script.epoch),
    );
    for (at, (typ, body)) in script.records.iter().enumerate() {
        let typ = Type::from_byte(*typ).unwrap_or(Type::Msg);
        let Ok(record) = sealer.seal(typ, body) else {
            assert!(body.len() > MAX_BODY || typ == Type::Enrol && body.len() > 4093);
            return;
        };
        let sent = match at == usize::from(script.attacked) {
            true => script.tampered.apply(&record),
            false => record.clone(),
        };
        match opener.open(&sent) {
            Ok(opened) => {
                assert_eq!(sent, record, "another record was opened");
                assert_eq!((opened.typ, &opened.body[..]), (typ, &body[..]));
            }
            Err(_) => return assert_ne!(sent, record, "an honest record was refused"),
        }
        assert!(opener.open(&sent).is_err(), "a record was opened twice");
        let mut other = Opener::new(&key, script.epoch.wrapping_add(1));
        assert!(
            other.open(&sent).is_err(),
            "a record was opened in another epoch"
        );
    }
}
