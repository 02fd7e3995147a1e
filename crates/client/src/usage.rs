//! Wrong usage that only the program itself can see, and no description of its command line.

use std::{error::Error, fmt};

/// What is wrong, and what to do. The program ends with the code for wrong usage.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl Error for Usage {}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
