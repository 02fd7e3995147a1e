//! What to run, and within which limits.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How much one program may use, with all that it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Processor time of one process, in seconds.
    pub cpu_seconds: u64,
    /// Memory in use by all processes together, in bytes. The keeper measures it 20 times a second.
    pub memory: u64,
    /// Address space of one process, in bytes. Runtimes reserve much more than they use.
    pub address_space: u64,
    /// Processes and threads at one time.
    pub processes: u64,
    /// The longest file that may be written, in bytes.
    pub file: u64,
    /// All files in the writable folders together, in bytes.
    pub files: u64,
    /// Open files of one process.
    pub open_files: u64,
}

/// Enough for Python, Java, Go, Node and a small compiler.
impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        Self {
            cpu_seconds: 60,
            memory: 1024 * MIB,
            address_space: 16 * 1024 * MIB,
            processes: 128,
            file: 64 * MIB,
            files: 512 * MIB,
            open_files: 256,
        }
    }
}

/// One program, and what it may use.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Where it runs.
    pub folder: PathBuf,
    /// Folders that it may read and write, this one among them or not.
    pub writable: Vec<PathBuf>,
    /// Folders and files that it may read, besides those of the system.
    pub readable: Vec<PathBuf>,
    /// The TCP ports that it may connect to.
    pub ports: Vec<u16>,
    /// The TCP ports that it may listen on.
    pub listens: Vec<u16>,
    /// The file that is its standard input. Without one, its standard input is empty.
    pub input: Option<PathBuf>,
    /// How much it may use.
    pub limits: Limits,
    /// Whether files, ports and signals are fenced in, where the kernel can. Only a test says no, to show what for.
    pub fenced: bool,
    /// Whether the program gets a process namespace, where the kernel can. Only a test says no.
    pub own_processes: bool,
}

impl Job {
    /// A command in a folder that it may read and write, within the usual limits.
    pub fn new(command: Vec<String>, folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self {
            command,
            writable: vec![folder.clone()],
            folder,
            readable: Vec::new(),
            ports: Vec::new(),
            listens: Vec::new(),
            input: None,
            limits: Limits::default(),
            fenced: true,
            own_processes: true,
        }
    }
}
