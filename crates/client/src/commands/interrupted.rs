//! An error of `connect`, with the place in the input at which it came.

use std::{error::Error, fmt};

/// An error, and where in the input it came.
#[derive(Debug)]
pub(super) struct Interrupted {
    why: anyhow::Error,
    rest_of_the_input: String,
}

impl Interrupted {
    pub(super) fn new(why: anyhow::Error, rest_of_the_input: String) -> Self {
        Self {
            why,
            rest_of_the_input,
        }
    }

    /// The reason for the end of the session.
    pub(super) fn why(&self) -> &anyhow::Error {
        &self.why
    }
}

impl Error for Interrupted {}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = latchstring_net::report::line(self.why.as_ref());
        write!(f, "{why}. Input: {}", self.rest_of_the_input)
    }
}
