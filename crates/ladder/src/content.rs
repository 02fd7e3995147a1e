//! What a plaintext says.
//!
//! | rung | from the client | from the server |
//! | --- | --- | --- |
//! | 0, 1 | a text | nothing |
//! | 2 | a text | `ok` |
//! | 3 | a text | `ok` and the number that is acknowledged |
//! | 4 to 8 | a type byte and its body | a type byte and its body |
//!
//! On rung 8 the whole is padded: `u16 n ‖ content (n) ‖ zeros`.

use latchstring_attacker::protocol::codec::{DecodeError, Reader};

use crate::{
    complaint::Complaint,
    keys::Way,
    rung::{Idea, Rung},
};

/// Longest text in bytes, from rung 1 on: it just fits the largest size of rung 8.
pub const MAX_TEXT: usize = 16_381;
/// Longest text in bytes on rung 0: what one read returns.
pub const MAX_TEXT_FAITHFUL: usize = 1024;
/// Sizes of a padded plaintext, rung 8.
pub const SIZES: [usize; 5] = [64, 256, 1024, 4096, 16384];

/// The type bytes, from rung 4 on.
mod kind {
    pub(super) const TEXT: u8 = 0;
    pub(super) const ACKNOWLEDGEMENT: u8 = 1;
    pub(super) const CLOSE: u8 = 2;
    pub(super) const CLOSED: u8 = 3;
    pub(super) const LOGIN: u8 = 4;
    pub(super) const WELCOME: u8 = 5;
    pub(super) const REFUSED: u8 = 6;
}

/// What one end says to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// What a person typed.
    Text(Vec<u8>),
    /// The server has taken the text of this number. Rung 2 has no number.
    Acknowledgement(Option<u32>),
    /// The client has said all: so many texts.
    Close(u32),
    /// The server has all of them.
    Closed,
    /// Who the client is, from rung 5 on.
    Login(Vec<u8>),
    /// The login is good.
    Welcome,
    /// The login is not good; on rungs 6 and 7 with the reason.
    Refused(Option<u8>),
}

impl Content {
    /// The plaintext, padded where the rung pads.
    ///
    /// # Panics
    /// When the content belongs to another rung, or is too long for this one: callers ask for neither.
    pub fn encode(&self, rung: Rung) -> Vec<u8> {
        let content = if rung.has(Idea::Ending) {
            self.typed()
        } else {
            self.bare()
        };
        match rung.has(Idea::Quiet) {
            true => pad(&content),
            false => content,
        }
    }

    /// Rungs 0 to 3: what it is follows from who says it.
    fn bare(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone(),
            Self::Acknowledgement(None) => b"ok".to_vec(),
            Self::Acknowledgement(Some(number)) => [b"ok", &number.to_be_bytes()[..]].concat(),
            other => unreachable!("{other:?} does not exist below rung 4"),
        }
    }

    fn typed(&self) -> Vec<u8> {
        let (kind, body) = match self {
            Self::Text(text) => (kind::TEXT, text.clone()),
            Self::Acknowledgement(number) => {
                let number = number.expect("from rung 3 on an answer has a number");
                (kind::ACKNOWLEDGEMENT, number.to_be_bytes().to_vec())
            }
            Self::Close(texts) => (kind::CLOSE, texts.to_be_bytes().to_vec()),
            Self::Closed => (kind::CLOSED, Vec::new()),
            Self::Login(login) => (kind::LOGIN, login.clone()),
            Self::Welcome => (kind::WELCOME, Vec::new()),
            Self::Refused(reason) => (kind::REFUSED, reason.iter().copied().collect()),
        };
        [&[kind], &body[..]].concat()
    }

    /// Reads a plaintext that travelled this way.
    ///
    /// # Errors
    /// When it is none of this rung.
    pub fn decode(rung: Rung, way: Way, plaintext: &[u8]) -> Result<Self, Complaint> {
        let content = match rung.has(Idea::Quiet) {
            true => unpad(plaintext)?,
            false => plaintext,
        };
        let read = if rung.has(Idea::Ending) {
            Self::read_typed(rung, content)
        } else {
            Self::read_bare(rung, way, content)
        };
        read.map_err(|_| Complaint::Malformed("the plaintext is not of this rung"))
    }

    fn read_bare(rung: Rung, way: Way, content: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(content);
        if way == Way::ToServer {
            return Self::text(r);
        }
        if r.array("answer")? != *b"ok" {
            return Err(NONE_OF_THIS_RUNG);
        }
        let number = match rung.has(Idea::Order) {
            true => Some(u32::from_be_bytes(r.array("number")?)),
            false => None,
        };
        r.finish()?;
        Ok(Self::Acknowledgement(number))
    }

    fn read_typed(rung: Rung, content: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(content);
        let content = match r.u8("type")? {
            kind::TEXT => return Self::text(r),
            kind::ACKNOWLEDGEMENT => {
                Self::Acknowledgement(Some(u32::from_be_bytes(r.array("number")?)))
            }
            kind::CLOSE => Self::Close(u32::from_be_bytes(r.array("texts")?)),
            kind::CLOSED => Self::Closed,
            kind::LOGIN if rung.has(Idea::Exchange) => return Ok(Self::Login(r.rest().to_vec())),
            kind::WELCOME if rung.has(Idea::Exchange) => Self::Welcome,
            kind::REFUSED if says_why(rung) => Self::Refused(Some(r.u8("reason")?)),
            kind::REFUSED if rung.has(Idea::Exchange) => Self::Refused(None),
            _ => return Err(NONE_OF_THIS_RUNG),
        };
        r.finish()?;
        Ok(content)
    }

    fn text(mut r: Reader<'_>) -> Result<Self, DecodeError> {
        match r.rest() {
            [] => Err(NONE_OF_THIS_RUNG),
            text => Ok(Self::Text(text.to_vec())),
        }
    }
}

const NONE_OF_THIS_RUNG: DecodeError = DecodeError::Invalid {
    field: "plaintext",
    why: "it is not of this rung",
};

/// Whether a refusal holds its reason: once there are several, and until rung 8 makes them one.
pub fn says_why(rung: Rung) -> bool {
    rung.has(Idea::Proof) && !rung.has(Idea::Quiet)
}

/// Where the text begins in the plaintext of a text.
pub fn text_offset(rung: Rung) -> usize {
    let kind = usize::from(rung.has(Idea::Ending));
    let padding = if rung.has(Idea::Quiet) { 2 } else { 0 };
    kind + padding
}

/// The longest text of a rung, in bytes.
pub fn max_text(rung: Rung) -> usize {
    match rung.has(Idea::Numbers) {
        true => MAX_TEXT,
        false => MAX_TEXT_FAITHFUL,
    }
}

/// `u16 n ‖ content (n) ‖ zeros`, of the smallest size that holds it.
///
/// # Panics
/// When the content is longer than 16,382 bytes.
fn pad(content: &[u8]) -> Vec<u8> {
    let size = size_for(content.len()).expect("no content is longer than the largest size");
    let n = u16::try_from(content.len()).expect("it fits the largest size");
    let mut padded = [&n.to_be_bytes(), content].concat();
    padded.resize(size, 0);
    padded
}

fn size_for(content: usize) -> Option<usize> {
    SIZES.into_iter().find(|size| content + 2 <= *size)
}

fn unpad(padded: &[u8]) -> Result<&[u8], Complaint> {
    let wrong = Complaint::Malformed("the padding is wrong");
    let (n, rest) = padded.split_first_chunk::<2>().ok_or(wrong.clone())?;
    let n = usize::from(u16::from_be_bytes(*n));
    let (content, zeros) = rest.split_at_checked(n).ok_or(wrong.clone())?;
    let smallest = size_for(n) == Some(padded.len());
    match smallest && zeros.iter().all(|byte| *byte == 0) {
        true => Ok(content),
        false => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_read_back_on_every_rung_that_has_them() {
        for rung in Rung::spoken() {
            let mut contents = vec![(Way::ToServer, Content::Text(b"hello".to_vec()))];
            if rung.has(Idea::Tag) {
                let number = rung.has(Idea::Order).then_some(7);
                contents.push((Way::ToClient, Content::Acknowledgement(number)));
            }
            if rung.has(Idea::Ending) {
                contents.push((Way::ToServer, Content::Close(3)));
                contents.push((Way::ToClient, Content::Closed));
            }
            if rung.has(Idea::Exchange) {
                contents.push((Way::ToServer, Content::Login(vec![1; 500])));
                contents.push((Way::ToClient, Content::Welcome));
                let reason = says_why(rung).then_some(2);
                contents.push((Way::ToClient, Content::Refused(reason)));
            }
            for (way, content) in contents {
                let plaintext = content.encode(rung);
                assert_eq!(Content::decode(rung, way, &plaintext), Ok(content));
            }
        }
    }

    #[test]
    fn padding_must_be_the_smallest_and_zero() {
        let rung = Rung::LAST_SPOKEN;
        let read = |plaintext: &[u8]| Content::decode(rung, Way::ToServer, plaintext);
        let text = Content::Text(vec![b'x'; MAX_TEXT]).encode(rung);
        assert_eq!(text.len(), 16_384);
        assert!(read(&text).is_ok());
        let mut short = Content::Text(b"x".to_vec()).encode(rung);
        assert_eq!(short.len(), 64);
        short[63] = 1;
        assert!(read(&short).is_err());
        short[63] = 0;
        short.resize(256, 0);
        assert!(read(&short).is_err());
        assert!(read(&[]).is_err() && read(&[0xff; 64]).is_err());
    }

    #[test]
    fn an_empty_text_and_an_unknown_type_are_refused() {
        for rung in Rung::spoken().filter(|rung| !rung.has(Idea::Quiet)) {
            assert!(Content::decode(rung, Way::ToServer, &[]).is_err());
        }
        let rung = Rung::new(4).unwrap();
        for wrong in [&[0][..], &[4], &[9], &[3, 0], &[1, 0, 0, 0]] {
            assert!(Content::decode(rung, Way::ToClient, wrong).is_err());
        }
    }
}
