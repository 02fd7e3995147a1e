//! A connection.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
};

use crate::error::Result;

const ENDED: &str = "the connection ended in the middle of a message";

pub struct Line {
    stream: TcpStream,
}

impl Line {
    pub fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream })
    }

    /// Sends, in one write.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// What one read of up to 1024 bytes returns; `None` if the other end hung up.
    pub fn read_some(&mut self) -> Result<Option<Vec<u8>>> {
        let mut bytes = vec![0; 1024];
        let n = self.stream.read(&mut bytes)?;
        bytes.truncate(n);
        Ok((n > 0).then_some(bytes))
    }

    /// Exactly this many bytes, however they arrive.
    pub fn read_array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).map_err(|_| ENDED)?;
        Ok(bytes)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // The other end may have hung up already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
