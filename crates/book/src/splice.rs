//! Puts what is generated between what is written by hand.

use anyhow::Context;

/// Replaces what stands between `<!-- NAME: begin … -->` and `<!-- NAME: end -->`.
///
/// # Errors
/// When a marker is missing.
pub(super) fn between_markers(text: &str, name: &str, content: &str) -> anyhow::Result<String> {
    let begin = format!("<!-- {name}: begin");
    let end = format!("<!-- {name}: end -->");
    let missing = || format!("there is no {begin:?} … {end:?} to put the generated table between");
    let (before, rest) = text.split_once(&begin).with_context(missing)?;
    let (marker, rest) = rest.split_once("-->\n").with_context(missing)?;
    let (_, after) = rest.split_once(&end).with_context(missing)?;
    Ok(format!("{before}{begin}{marker}-->\n{content}{end}{after}"))
}

/// Lists pages in the book's summary, under the entry for `folder/index.md`. The entries themselves are the markers,
/// because mdBook takes a comment there for the end of a list.
///
/// # Errors
/// When that entry is missing.
pub(super) fn listed_below(summary: &str, folder: &str, pages: &[&str]) -> anyhow::Result<String> {
    let index = format!("]({folder}/index.md)");
    let ours = format!("]({folder}/");
    let mut found = false;
    let mut out = String::new();
    for line in summary
        .lines()
        .filter(|line| !line.contains(&ours) || line.contains(&index))
    {
        out += &format!("{line}\n");
        if line.contains(&index) {
            found = true;
            out.extend(
                pages
                    .iter()
                    .map(|page| format!("  - [{page}]({folder}/{page}.md)\n")),
            );
        }
    }
    anyhow::ensure!(
        found,
        "the summary of the book has no entry for {folder}/index.md"
    );
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let text = "a\n<!-- table: begin, do not edit -->\nold\n<!-- table: end -->\nz\n";
        let once = between_markers(text, "table", "new\n").unwrap();
        assert_eq!(
            once,
            "a\n<!-- table: begin, do not edit -->\nnew\n<!-- table: end -->\nz\n"
        );
        assert_eq!(between_markers(&once, "table", "new\n").unwrap(), once);
        assert!(between_markers(text, "other", "").is_err());
        assert!(between_markers("<!-- table: begin -->\n", "table", "").is_err());
    }

    #[test]
    fn pages_are_listed_once_and_in_order() {
        let summary =
            "- [Attacks](attacks/index.md)\n  - [gone](attacks/gone.md)\n- [Labs](labs.md)\n";
        let once = listed_below(summary, "attacks", &["b", "a"]).unwrap();
        assert_eq!(
            once,
            "- [Attacks](attacks/index.md)\n  - [b](attacks/b.md)\n  - [a](attacks/a.md)\n- [Labs](labs.md)\n"
        );
        assert_eq!(listed_below(&once, "attacks", &["b", "a"]).unwrap(), once);
        assert!(listed_below(summary, "defences", &[]).is_err());
    }
}
