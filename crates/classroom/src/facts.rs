//! Facts: the named values of one instance of a lab, and texts that are filled in with them.

use std::collections::BTreeMap;

use anyhow::Context;

/// The facts, by name: drawn words, and results of a run.
#[derive(Debug, Clone, Default)]
pub struct Facts(BTreeMap<String, String>);

impl Facts {
    /// Adds one.
    pub fn set(&mut self, name: impl Into<String>, value: impl ToString) {
        self.0.insert(name.into(), value.to_string());
    }

    /// Fills in every `{name}`. `{name|A..B}` takes the characters from A (counted from 0) up to but not with B.
    ///
    /// # Errors
    /// When a fact is not known, with the names of those that are.
    pub fn fill(&self, text: &str) -> anyhow::Result<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, inside)) = rest.split_once('{') {
            let (name, after) = inside
                .split_once('}')
                .with_context(|| format!("a brace is not closed in {text:?}"))?;
            filled.push_str(before);
            filled.push_str(&self.look_up(name).with_context(|| format!("in {text:?}"))?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// Fills in each of several texts.
    ///
    /// # Errors
    /// As [`Facts::fill`].
    pub fn fill_all(&self, texts: &[String]) -> anyhow::Result<Vec<String>> {
        texts.iter().map(|text| self.fill(text)).collect()
    }

    /// What is called so.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn look_up(&self, expression: &str) -> anyhow::Result<String> {
        let (name, range) = match expression.split_once('|') {
            Some((name, range)) => (name, Some(range)),
            None => (expression, None),
        };
        let known = || self.0.keys().cloned().collect::<Vec<_>>().join(", ");
        let value = self
            .0
            .get(name)
            .with_context(|| format!("no fact is called {name:?}; there are: {}", known()))?;
        let Some(range) = range else {
            return Ok(value.clone());
        };
        let bounds = range
            .split_once("..")
            .and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
        let (from, to): (usize, usize) =
            bounds.with_context(|| format!("{range:?} is not a range such as 0..8"))?;
        Ok(value.chars().take(to).skip(from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ranges_are_filled_in() {
        let mut facts = Facts::default();
        facts.set("place", "harbour");
        facts.set("n", 7);
        assert_eq!(
            facts.fill("to the {place}, {n} {place|0..3}!").unwrap(),
            "to the harbour, 7 har!"
        );
        assert_eq!(facts.fill("nothing").unwrap(), "nothing");
        for bad in ["{none}", "{place|x}", "{place"] {
            assert!(facts.fill(bad).is_err(), "{bad}");
        }
    }
}
