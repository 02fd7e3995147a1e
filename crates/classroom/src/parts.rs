//! Which files of a lab a student gets: those for all languages, and those of one language.

use std::path::Path;

use anyhow::ensure;

use super::{catalogue::Lab, language::Language};

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
        match language {
            Some(language) => {
                let part = format!("{part}/{}", language.id);
                self.files.lay_out(&part, &[], folder)
            }
            None => Ok(()),
        }
    }

    fn language_ids(&self) -> impl Iterator<Item = &str> {
        self.languages.iter().map(|language| language.id.as_str())
    }
}
