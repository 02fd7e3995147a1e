//! What frames carry.

use crate::{
    error::Result,
    frames::SIZES,
    rung::{ENDING, ORDER, QUIET, longest_text},
};

/// Everything that is said in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Text(Vec<u8>),
    /// Of the frame with this number. On rung 2 the number is not sent.
    Acknowledgement(u32),
    /// The number of texts that the client sent.
    Close(u32),
    Closed,
    Login(Vec<u8>),
    Welcome,
    /// On rungs 6 and 7 with the reason.
    Refused(Option<u8>),
}

impl Content {
    pub fn encode(&self, rung: u8) -> Vec<u8> {
        let content = match rung >= ENDING {
            true => self.with_type(),
            false => self.without_type(rung),
        };
        if rung >= QUIET {
            pad(&content)
        } else {
            content
        }
    }

    fn with_type(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => [&[0][..], text].concat(),
            Self::Acknowledgement(number) => [&[1][..], &number.to_be_bytes()].concat(),
            Self::Close(texts) => [&[2][..], &texts.to_be_bytes()].concat(),
            Self::Closed => vec![3],
            Self::Login(login) => [&[4][..], login].concat(),
            Self::Welcome => vec![5],
            Self::Refused(reason) => [6].into_iter().chain(*reason).collect(),
        }
    }

    /// Rungs 0 to 3 have texts and, from rung 2 on, answers to texts.
    fn without_type(&self, rung: u8) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone(),
            Self::Acknowledgement(number) if rung >= ORDER => {
                [&b"ok"[..], &number.to_be_bytes()].concat()
            }
            Self::Acknowledgement(_) => b"ok".to_vec(),
            _ => unreachable!("below rung 4 nothing else is said in a frame"),
        }
    }

    /// Reads what a client said: a text, a login or a close.
    pub fn from_client(rung: u8, plaintext: &[u8]) -> Result<Self> {
        if rung < ENDING {
            return text(rung, plaintext);
        }
        let content = if rung >= QUIET {
            unpad(plaintext)?
        } else {
            plaintext
        };
        let (kind, body) = content.split_first().ok_or("a plaintext is empty")?;
        match kind {
            0 => text(rung, body),
            2 => {
                let texts = body.try_into().map_err(|_| "a close has another length")?;
                Ok(Self::Close(u32::from_be_bytes(texts)))
            }
            4 => Ok(Self::Login(body.to_vec())),
            _ => Err(format!("a client may not say type {kind:02x}").into()),
        }
    }
}

/// A text of a length that is allowed.
fn text(rung: u8, text: &[u8]) -> Result<Content> {
    match (1..=longest_text(rung)).contains(&text.len()) {
        true => Ok(Content::Text(text.to_vec())),
        false => Err(format!(
            "a text has 1 to {} bytes, and not {}",
            longest_text(rung),
            text.len()
        )
        .into()),
    }
}

/// `u16 n ‖ content ‖ zeros`, of the smallest size that holds it.
fn pad(content: &[u8]) -> Vec<u8> {
    let n = u16::try_from(content.len()).expect("a content fits the largest size");
    let mut plaintext = [&n.to_be_bytes()[..], content].concat();
    let size = smallest(plaintext.len()).expect("a content fits the largest size");
    plaintext.resize(size, 0);
    plaintext
}

/// Takes only what [`pad`] makes. Another size, or padding that is not zero, could carry a hidden message.
fn unpad(plaintext: &[u8]) -> Result<&[u8]> {
    const WRONG: &str = "the padding of a frame is wrong";
    let (n, rest) = plaintext.split_first_chunk().ok_or(WRONG)?;
    let n = usize::from(u16::from_be_bytes(*n));
    let (content, zeros) = rest.split_at_checked(n).ok_or(WRONG)?;
    let right = smallest(n + 2) == Some(plaintext.len()) && zeros.iter().all(|byte| *byte == 0);
    right.then_some(content).ok_or(WRONG.into())
}

fn smallest(length: usize) -> Option<usize> {
    SIZES.into_iter().find(|size| length <= *size)
}
