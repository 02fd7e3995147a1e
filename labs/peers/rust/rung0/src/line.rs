//! A connection.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use crate::error::Result;

pub struct Line {
    stream: TcpStream,
}

impl Line {
    /// A read gives up after this time; without one it waits for ever.
    pub fn new(stream: TcpStream, patience: Option<Duration>) -> Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(patience)?;
        Ok(Self { stream })
    }

    /// Sends, in one write.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// What one read returns: at least one byte, and at most this many.
    pub fn read_some(&mut self, most: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; most];
        let n = self.stream.read(&mut bytes)?;
        bytes.truncate(n);
        match n {
            0 => Err("the other end hung up".into()),
            _ => Ok(bytes),
        }
    }

    /// Exactly this many bytes, however they arrive.
    pub fn read_exact(&mut self, n: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while bytes.len() < n {
            bytes.extend(self.read_some(n - bytes.len())?);
        }
        Ok(bytes)
    }

    /// The same, where the number is known when the program is written.
    pub fn read_array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.read_exact(N)?;
        Ok(bytes.try_into().expect("it has N bytes"))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // The other end may have hung up already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
