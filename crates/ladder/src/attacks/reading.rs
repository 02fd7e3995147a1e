//! What a listener does with keys: open what the client wrote, and keep what is text.

use crate::{
    content::Content,
    frame::{self, Frame},
    keys::{Keys, Way},
    path::texts_of,
    rung::Rung,
    session::Tap,
};

/// The texts of a recorded session, as far as these keys open them.
pub(super) fn texts_with(rung: Rung, keys: &Keys, tap: &Tap) -> Vec<Vec<u8>> {
    let frames = texts_of(rung, &tap.client);
    let texts = frames.iter().filter_map(|bytes| {
        let frame = Frame::decode(rung, bytes).ok()?;
        let plaintext = frame::open(rung, &keys.to_server, &frame).ok()?;
        match Content::decode(rung, Way::ToServer, &plaintext) {
            Ok(Content::Text(text)) => Some(text),
            _ => None,
        }
    });
    // The word that ends a session is no news.
    texts.filter(|text| text != b"change()").collect()
}
