//! Names of hosts with `*` (any text) and `?` (any character).

/// A name of a host, or a pattern of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(String);

impl Pattern {
    /// A pattern as it stands in the file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn new(text: &str) -> Result<Self, &'static str> {
        match text {
            _ if text.starts_with('!') => Err(
                "a pattern cannot be negated here; put the exception in a block before this one",
            ),
            _ if text.contains('@') => Err("a host has no user here; write a line User NAME"),
            _ if text.contains(':') && !text.starts_with('[') => {
                Err("a host has no port here; write a line Port NUMBER")
            }
            _ => Ok(Self(text.to_ascii_lowercase())),
        }
    }

    /// The name, if it is no pattern.
    pub(super) fn name(&self) -> Option<&str> {
        (!self.0.contains(['*', '?'])).then_some(&self.0)
    }

    /// Whether a name fits. Names of hosts have no capital letters.
    pub(super) fn matches(&self, name: &str) -> bool {
        fits(self.0.as_bytes(), name.to_ascii_lowercase().as_bytes())
    }
}

/// Goes on from the last `*` when the rest does not fit, so it takes no more than the product of the two lengths.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(one) if *one == b'?' || *one == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match &mut star {
                Some((at, from)) => {
                    *from += 1;
                    (p, n) = (*at + 1, *from);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|one| *one == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_what_they_should() {
        for (pattern, name, expected) in [
            ("work", "work", true),
            ("work", "Work", true),
            ("WORK", "work", true),
            ("work", "works", false),
            ("work", "wor", false),
            ("*", "", true),
            ("*", "anything", true),
            ("*.org", "example.org", true),
            ("*.org", "example.org.uk", false),
            ("lab-?", "lab-7", true),
            ("lab-?", "lab-17", false),
            ("a*b*c", "aXbbYc", true),
            ("a*b*c", "aXc", false),
            ("a**", "a", true),
        ] {
            let pattern_ = Pattern::new(pattern).unwrap();
            assert_eq!(pattern_.matches(name), expected, "{pattern} {name}");
        }
        let slow = Pattern::new(&"*a".repeat(60)).unwrap();
        assert!(!slow.matches(&"b".repeat(10_000)));
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_the_way_out() {
        for (text, why) in [("!x", "negated"), ("a@b", "User"), ("a:1", "Port")] {
            assert!(Pattern::new(text).unwrap_err().contains(why), "{text}");
        }
        assert_eq!(Pattern::new("[::1]").unwrap().name(), Some("[::1]"));
        assert_eq!(Pattern::new("lab-*").unwrap().name(), None);
    }
}
