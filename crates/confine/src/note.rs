//! What the keeper and the inner process tell the grader, over a socket that the program does not have.

use std::{
    io::{self, Write},
    os::{fd::AsFd, unix::net::UnixStream},
};

use serde::{Deserialize, Serialize};

/// One line on the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Note {
    /// The limits are set, and the program starts next.
    Limits(InForce),
    /// The program ended.
    Ended {
        /// Its exit code, if it has one.
        code: Option<i32>,
        /// The signal that ended it, if one did.
        signal: Option<i32>,
    },
    /// The program did not start.
    NotStarted {
        /// Why.
        how: Start,
        /// What the system says.
        why: String,
    },
    /// The program was stopped because it used too much.
    Stopped(Excess),
}

/// Why a program did not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// There is no such program.
    Missing,
    /// The file is not executable, or may not be executed.
    NotExecutable,
    /// Something else.
    Failed,
}

/// What a program had too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Excess {
    /// Memory.
    Memory,
    /// Processes and threads.
    Processes,
    /// Files.
    Files,
}

/// Which limits the kernel keeps. Resource limits (processor time, address space, file length, open files) always hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// The version of Landlock's rules for files, TCP ports and signals; 0 is none.
    pub landlock: u32,
    /// Whether the program runs in a process namespace, which ends with it.
    pub process_namespace: bool,
    /// Whether memory, processes and files of the whole tree are measured, as on Linux.
    pub measured: bool,
    /// Whether no program that it starts can gain rights.
    pub no_new_privileges: bool,
}

impl InForce {
    /// What is not in force, each as a sentence; empty where everything is.
    pub fn missing(&self) -> Vec<&'static str> {
        let rows = [
            (
                self.landlock < 1,
                "The kernel has no Landlock: the program can read and write your files.",
            ),
            (
                (1..4).contains(&self.landlock),
                "Landlock here is older than version 4: the program can connect to any TCP port.",
            ),
            (
                self.landlock < 6 && !self.process_namespace,
                "The program can send signals to your other processes.",
            ),
            (
                !self.process_namespace,
                "The kernel gives no process namespace: a process that hides can outlive the check.",
            ),
            (
                !self.measured,
                "Memory, processes and files are limited for each process only, not together.",
            ),
        ];
        let missing = rows.into_iter().filter(|(lacks, _)| *lacks);
        missing.map(|(_, sentence)| sentence).collect()
    }
}

/// The other end of the grader's socket. It is the standard input of the keeper and of the inner process; the program
/// gets another one.
pub struct Notes(UnixStream);

impl Notes {
    /// Takes the socket.
    ///
    /// # Errors
    /// When the standard input cannot be duplicated.
    pub fn open() -> io::Result<Self> {
        let socket = io::stdin().as_fd().try_clone_to_owned()?;
        Ok(Self(UnixStream::from(socket)))
    }

    /// Tells the grader. Without a grader nobody needs to know.
    pub fn tell(&self, note: &Note) {
        let line = serde_json::to_string(note).unwrap_or_default() + "\n";
        let _ = (&self.0).write_all(line.as_bytes());
    }
}
