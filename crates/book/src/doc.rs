//! The documentation of an attack's file: its first paragraph, and the text under each heading.

/// The headings that every attack has, in this order.
pub const HEADINGS: [&str; 5] = ["Flaw", "Attack", "What it proves", "Defence", "In the wild"];

/// The documentation of an attack's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doc {
    /// The attack in a paragraph.
    pub(super) summary: String,
    /// Headings and the Markdown under them.
    pub(super) sections: Vec<(String, String)>,
}

impl Doc {
    /// Reads the `//!` lines at the head of a file.
    pub(super) fn of(source: &str) -> Self {
        let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
        let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
        let mut parts = vec![(String::new(), String::new())];
        let mut fenced = false;
        for line in lines {
            fenced ^= line.starts_with("```");
            match line.strip_prefix("# ").filter(|_| !fenced) {
                Some(heading) => parts.push((heading.to_owned(), String::new())),
                None => {
                    let (_, text) = parts.last_mut().expect("there is one from the beginning");
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
        let mut parts = parts
            .into_iter()
            .map(|(heading, text)| (heading, text.trim().to_owned()));
        let (_, summary) = parts.next().unwrap_or_default();
        Self {
            summary,
            sections: parts.collect(),
        }
    }

    /// The text under a heading.
    pub(super) fn section(&self, heading: &str) -> Option<&str> {
        let mut sections = self.sections.iter();
        let (_, text) = sections.find(|(of, _)| of == heading)?;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_divide_the_documentation_and_code_in_it_does_not() {
        let source = "//! Does it.\n//!\n//! # Flaw\n//! One.\n//!\n//! ```text\n//! # no heading\n//! ```\n//!\n\
                      //! # Attack\n//! Two.\n\n//! not this\nuse x;\n";
        let doc = Doc::of(source);
        assert_eq!(doc.summary, "Does it.");
        assert_eq!(
            doc.section("Flaw"),
            Some("One.\n\n```text\n# no heading\n```")
        );
        assert_eq!(doc.section("Attack"), Some("Two."));
        assert_eq!(doc.section("Defence"), None);
        assert_eq!(Doc::of("").sections, []);
    }
}
