//! Known-wrong solutions of a lab: what a check must not let pass, and the reason that it must give.

use std::collections::BTreeMap;

use anyhow::ensure;
use serde::Deserialize;

/// One of them: the solution, with the files of `wrong/ID/` over it and with these answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrong {
    /// The name of its folder in `wrong/`, if it has files.
    pub id: String,
    /// What is wrong with it.
    pub title: String,
    /// The question or check that must fail.
    pub fails: String,
    /// A part of what the check must say about it.
    pub says: String,
    /// Answers in place of those of the solution.
    #[serde(default)]
    pub answers: BTreeMap<String, String>,
}

impl Wrong {
    /// Whether it fits a lab with these questions and checks. That it differs from the solution is for the self-test to find.
    ///
    /// # Errors
    /// With what does not fit.
    pub fn validate(&self, items: &[&str]) -> anyhow::Result<()> {
        let id = &self.id;
        for item in self.answers.keys().chain([&self.fails]) {
            ensure!(
                items.contains(&item.as_str()),
                "[[wrong]] {id:?} names {item:?}, which is no question and no check"
            );
        }
        ensure!(
            !self.says.is_empty(),
            "[[wrong]] {id:?} has an empty `says`: write a part of what the check says"
        );
        Ok(())
    }
}
