//! The option that says where the labs are.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::{catalogue::Lab, labs};

/// Where the labs are.
#[derive(Debug, Args)]
pub struct LabsArg {
    /// Use the labs of this folder [default: $LATCHSTRING_LABS, else those inside this program]
    #[arg(long, value_name = "DIR")]
    labs: Option<PathBuf>,
}

impl LabsArg {
    /// All of them, as somebody in this folder has them: a hand-out brings along the labs of its instructor.
    ///
    /// # Errors
    /// As [`LabsArg::all`], or when a lab of the hand-out is damaged.
    pub fn near(&self, at: &Path) -> anyhow::Result<Vec<Lab>> {
        match self.folder() {
            Some(_) => self.all(),
            None => labs::own::near(at),
        }
    }

    /// All of them, without those of a hand-out.
    ///
    /// # Errors
    /// When the folder has no lab, or a lab is broken.
    pub fn all(&self) -> anyhow::Result<Vec<Lab>> {
        match self.folder() {
            Some(folder) => labs::in_folder(&folder),
            None => labs::built_in(),
        }
    }

    fn folder(&self) -> Option<PathBuf> {
        let variable = || std::env::var_os("LATCHSTRING_LABS").map(PathBuf::from);
        self.labs.clone().or_else(variable)
    }
}
