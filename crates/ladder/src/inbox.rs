//! What has arrived and is not read yet.

use crate::{
    complaint::Complaint,
    content::SIZES,
    frame::{Frame, LENGTH},
    rung::{Idea, Rung},
};

/// Which frames may come next. Only rung 8 asks: below, a length field is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// A login: one size alone.
    Login,
    /// The answer to a login: one size alone.
    Verdict,
    /// Anything.
    Any,
}

impl Due {
    fn sizes(self) -> &'static [usize] {
        match self {
            Self::Login => &[1024],
            Self::Verdict => &[64],
            Self::Any => &SIZES,
        }
    }
}

/// Bytes in the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct Inbox(Vec<u8>);

impl Inbox {
    /// Appends what one read returned.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// So many bytes, once they are there.
    pub fn take(&mut self, n: usize) -> Option<Vec<u8>> {
        (self.0.len() >= n).then(|| self.0.drain(..n).collect())
    }

    /// A whole frame with its length, once it is there. On rung 0 it is what has come, up to 1024 bytes.
    ///
    /// # Errors
    /// On rung 8, as soon as a length has come that may not come now.
    pub fn frame(&mut self, rung: Rung, due: Due) -> Result<Option<Vec<u8>>, Complaint> {
        if !rung.has(Idea::Numbers) {
            let n = self.0.len().min(1024);
            return Ok(self.take(n).filter(|bytes| !bytes.is_empty()));
        }
        let Some(n) = self.length() else {
            return Ok(None);
        };
        if rung.has(Idea::Quiet) {
            let allowed = |size: &usize| n == size + Frame::overhead(rung);
            if !due.sizes().iter().any(allowed) {
                return Err(Complaint::Malformed("this length may not come now"));
            }
        }
        Ok(self.take(LENGTH + n))
    }

    /// The login of rungs 1 to 4, `u16 n ‖ login`, once it is there; on rung 0 what has come.
    ///
    /// # Errors
    /// From rung 1 on, when the length is not 1 to 128.
    pub fn login(&mut self, rung: Rung) -> Result<Option<Vec<u8>>, Complaint> {
        if !rung.has(Idea::Numbers) {
            return self.frame(rung, Due::Any);
        }
        match self.length() {
            None => Ok(None),
            Some(1..=128) => {
                let n = self.length().expect("it was there");
                let login = self.take(LENGTH + n);
                Ok(login.map(|login| login[LENGTH..].to_vec()))
            }
            Some(_) => Err(Complaint::Malformed("a login has 1 to 128 bytes")),
        }
    }

    fn length(&self) -> Option<usize> {
        let n = self.0.first_chunk::<LENGTH>()?;
        Some(usize::from(u16::from_be_bytes(*n)))
    }
}
