//! Which files of a lab a student gets: those for all languages, and those of one language.

use std::path::{Component, Path};

use anyhow::ensure;

use super::{
    catalogue::Lab,
    language::{Language, Peer},
};

impl Lab {
    /// The language of this name, or the first one when there is no name. `None` when the lab asks for no code.
    ///
    /// # Errors
    /// When the lab has files, and none in this language.
    pub fn language(&self, name: Option<&str>) -> anyhow::Result<Option<&Language>> {
        let Some(name) = name else {
            return Ok(self.languages.first());
        };
        let found = self.languages.iter().find(|language| language.id == name);
        let ids: Vec<&str> = self.language_ids().collect();
        ensure!(
            found.is_some() || ids.is_empty(),
            "the lab {} has no files in {name:?}: choose one of {}; from any of them you can go on in another language",
            self.id,
            ids.join(", ")
        );
        Ok(found)
    }

    /// Whether both are one lab, to the byte.
    pub fn is_same(&self, other: &Self) -> bool {
        self.id == other.id && self.files.0 == other.files.0 && self.peers.0 == other.peers.0
    }

    /// Writes the files of a part, `start` or `solution`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn lay_out(
        &self,
        part: &str,
        language: Option<&Language>,
        folder: &Path,
    ) -> anyhow::Result<()> {
        let of_languages: Vec<&str> = self.language_ids().collect();
        self.files.lay_out(part, &of_languages, folder)?;
        let Some(language) = language else {
            return Ok(());
        };
        if let Some(peer) = &language.peer {
            for layer in layers(&language.id, peer) {
                self.peers
                    .lay_out(&layer, &[], &folder.join(&peer.folder))?;
            }
        }
        let part = format!("{part}/{}", language.id);
        self.files.lay_out(&part, &[], folder)
    }

    /// Whether the files of each language's peer are there.
    ///
    /// # Errors
    /// When a rung has none.
    pub(super) fn check_peers(&self) -> anyhow::Result<()> {
        for language in &self.languages {
            let Some(peer) = &language.peer else {
                continue;
            };
            let mut parts = peer.folder.components();
            ensure!(
                parts.all(|part| matches!(part, Component::Normal(_))),
                "the language {:?} has its peer in {:?}, which leads out of a student's folder: name a folder in it",
                language.id,
                peer.folder
            );
            for layer in layers(&language.id, peer) {
                ensure!(
                    self.peers.0.keys().any(|path| path.starts_with(&layer)),
                    "the language {:?} begins with a peer, and there is no folder peers/{layer}: choose a rung that has one",
                    language.id
                );
            }
        }
        Ok(())
    }

    fn language_ids(&self) -> impl Iterator<Item = &str> {
        self.languages.iter().map(|language| language.id.as_str())
    }
}

/// The folders of a peer's files, from rung 0 up: each stands in for those before it.
fn layers(language: &str, peer: &Peer) -> impl Iterator<Item = String> {
    (0..=peer.rung).map(move |rung| format!("{language}/rung{rung}"))
}
