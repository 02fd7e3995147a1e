//! `--over`: the carrier of a run's bytes.

use clap::ValueEnum;
use latchstring_arena::wire::Over;

/// The carrier of the bytes, as it is named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Carrier {
    /// Pipes in this process, on a paused clock: deterministic, and as fast as the machine.
    Memory,
    /// TCP on 127.0.0.1, in real time.
    Tcp,
}

impl From<Carrier> for Over {
    fn from(carrier: Carrier) -> Self {
        match carrier {
            Carrier::Memory => Self::Memory,
            Carrier::Tcp => Self::Tcp,
        }
    }
}
