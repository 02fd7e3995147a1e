//! What ends a connection, or the program.

use std::{fmt, io};

/// The reason, in words. It is printed, and never sent to the other end.
#[derive(Debug)]
pub struct Error(String);

pub type Result<T> = std::result::Result<T, Error>;

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl From<&str> for Error {
    fn from(why: &str) -> Self {
        Self(why.to_owned())
    }
}

impl From<String> for Error {
    fn from(why: String) -> Self {
        Self(why)
    }
}

impl From<io::Error> for Error {
    fn from(why: io::Error) -> Self {
        match why.kind() {
            // A read that ran into its deadline.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self("the other end was too slow".to_owned()),
            _ => Self(why.to_string()),
        }
    }
}
