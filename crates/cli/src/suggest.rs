//! "Did you mean": for names with a typing error.

/// How alike two names are at least, from 0 to 1, before one is suggested for the other.
const ALIKE: f64 = 0.75;
/// How alike two names are that one slip makes equal.
const SLIP: f64 = 0.95;

/// `; did you mean X?` for the name that is most like what was typed, or nothing. Each name comes with the text that is
/// suggested for it.
pub fn did_you_mean<'a>(
    typed: &str,
    names: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let typed = typed.to_lowercase();
    let alike = |name: &str| match name.starts_with(&typed) && typed.len() >= 3 {
        // The beginning of a long name is little of it, and clear enough.
        true => 1.0,
        // One slip of the finger counts for little, also in a short name.
        false if typed.len() > 1 && strsim::damerau_levenshtein(&typed, name) == 1 => SLIP,
        false => strsim::jaro_winkler(&typed, name),
    };
    names
        .into_iter()
        .map(|(name, suggested)| (alike(name), suggested))
        .filter(|(score, _)| *score >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map_or_else(String::new, |(_, name)| format!("; did you mean {name}?"))
}

/// The same for names that are suggested as they are.
pub fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    did_you_mean(typed, names.into_iter().map(|name| (name, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        let names = ["bit-flip", "keystream-reuse", "known-plaintext"];
        assert_eq!(nearest("bitflip", names), "; did you mean bit-flip?");
        assert_eq!(
            nearest("keystream", names),
            "; did you mean keystream-reuse?"
        );
        assert_eq!(
            nearest("Known-Plaintxt", names),
            "; did you mean known-plaintext?"
        );
        assert_eq!(nearest("xyz", names), "");
        assert_eq!(nearest("", names), "");
    }
}
