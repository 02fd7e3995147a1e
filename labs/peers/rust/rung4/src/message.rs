//! What a frame says. The first byte of each plaintext is its type.
//!
//! ```text
//! plaintext = u8 type ‖ body
//! ```

use crate::error::Result;

/// The longest text, in bytes.
pub const LONGEST_TEXT: usize = 16381;

/// All that is said in a session.
#[derive(Debug, PartialEq, Eq)]
pub enum Message {
    /// From the client.
    Text(Vec<u8>),
    /// The server has taken the text in the frame with this number.
    Acknowledgement(u32),
    /// The client ends the session, in which it has sent so many texts.
    Close(u32),
    /// The server has taken as many texts as the close states.
    Closed,
}

impl Message {
    /// The plaintext of its frame.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => [&[0], &text[..]].concat(),
            Self::Acknowledgement(number) => [&[1], &number.to_be_bytes()[..]].concat(),
            Self::Close(texts) => [&[2], &texts.to_be_bytes()[..]].concat(),
            Self::Closed => vec![3],
        }
    }

    /// Reads a plaintext.
    pub fn decode(plaintext: &[u8]) -> Result<Self> {
        let (kind, body) = plaintext.split_first().ok_or("a plaintext without a type")?;
        match (kind, body) {
            (0, text) if (1..=LONGEST_TEXT).contains(&text.len()) => Ok(Self::Text(text.to_vec())),
            (1, &[a, b, c, d]) => Ok(Self::Acknowledgement(u32::from_be_bytes([a, b, c, d]))),
            (2, &[a, b, c, d]) => Ok(Self::Close(u32::from_be_bytes([a, b, c, d]))),
            (3, []) => Ok(Self::Closed),
            _ => Err(format!("there is no message of type {kind} with {} bytes", body.len()).into()),
        }
    }
}
