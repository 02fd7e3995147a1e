//! A file becomes texts, and texts become the file.

use thiserror::Error;

use crate::{Head, Name, PART_BYTES, Part, PartError, SizeError};

/// The parts of a file.
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    head: Head,
    bytes: &'a [u8],
}

/// Splits a file. The parts borrow its bytes, so all of them are of one content.
///
/// # Errors
/// [`SizeError`].
pub fn split(name: Name, bytes: &[u8]) -> Result<Parts<'_>, SizeError> {
    let head = Head::of(name, bytes)?;
    Ok(Parts { head, bytes })
}

impl Parts<'_> {
    /// The head that all parts have.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The text of each part, in order.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        (1..)
            .zip(self.bytes.chunks(PART_BYTES))
            .map(|(number, bytes)| {
                let (head, bytes) = (self.head.clone(), bytes.to_vec());
                let part = Part {
                    head,
                    number,
                    bytes,
                };
                part.to_string()
            })
    }
}

/// Why texts are not the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum JoinError {
    /// One text is not the part that is due.
    #[error("part {0} is not in its place; take the messages that the assembly names")]
    NotThePart(u32),
    /// One text is a broken part.
    #[error("part {0} cannot be read: {1}")]
    Broken(u32, PartError),
    /// The parts were sent with other bytes than those of the file that they name.
    #[error(
        "the bytes of its parts do not have the hash that each part names: the sending program is wrong; send the file again under another name"
    )]
    Hash,
}

/// Puts a file together from the texts of its parts, in order, and checks its hash.
///
/// # Errors
/// [`JoinError`].
pub fn join<T: AsRef<str>>(
    head: &Head,
    texts: impl IntoIterator<Item = T>,
) -> Result<Vec<u8>, JoinError> {
    let mut bytes = Vec::new();
    let mut texts = texts.into_iter();
    for number in 1..=head.count() {
        let text = texts.next().ok_or(JoinError::NotThePart(number))?;
        let part = Part::parse(text.as_ref()).map_err(|why| JoinError::Broken(number, why))?;
        let part = part.filter(|part| part.head == *head && part.number == number);
        bytes.extend(part.ok_or(JoinError::NotThePart(number))?.bytes);
    }
    match Head::of(head.name().clone(), &bytes) {
        Ok(found) if found == *head => Ok(bytes),
        _ => Err(JoinError::Hash),
    }
}
