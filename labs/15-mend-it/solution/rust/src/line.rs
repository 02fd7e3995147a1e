//! A connection that is read exactly, and in time.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

use crate::error::Result;

const ENDED: &str = "the connection ended in the middle of a message";

pub struct Line {
    stream: TcpStream,
    /// When a read gives up. Without one it waits for ever.
    pub deadline: Option<Instant>,
}

impl Line {
    pub fn new(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            deadline: None,
        })
    }

    /// Sends, in one write.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// What one read of up to 1024 bytes returns; `None` if the other end hung up.
    pub fn read_some(&mut self) -> Result<Option<Vec<u8>>> {
        let mut bytes = vec![0; 1024];
        let n = self.read_into(&mut bytes)?;
        bytes.truncate(n);
        Ok((n > 0).then_some(bytes))
    }

    /// The first byte of a message; `None` if the other end hung up before it.
    pub fn read_first(&mut self) -> Result<Option<u8>> {
        let mut byte = [0];
        Ok((self.read_into(&mut byte)? > 0).then_some(byte[0]))
    }

    /// Exactly this many bytes, however they arrive.
    pub fn read_exact(&mut self, n: usize) -> Result<Vec<u8>> {
        let (mut bytes, mut have) = (vec![0; n], 0);
        while have < n {
            match self.read_into(&mut bytes[have..])? {
                0 => return Err(ENDED.into()),
                more => have += more,
            }
        }
        Ok(bytes)
    }

    /// The same, where the number is known when the program is written.
    pub fn read_array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.read_exact(N)?;
        Ok(bytes.try_into().expect("it has N bytes"))
    }

    /// One read. The time that is left is set before each, so one byte at a time gains nothing.
    fn read_into(&mut self, bytes: &mut [u8]) -> Result<usize> {
        let left = self
            .deadline
            .map(|at| at.saturating_duration_since(Instant::now()));
        // A timeout of zero would be no timeout.
        let left = left.map(|left| left.max(Duration::from_millis(1)));
        self.stream.set_read_timeout(left)?;
        Ok(self.stream.read(bytes)?)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // The other end may have hung up already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
