//! The pages of the rungs, for a terminal: the same text as in the book, so that a peer can be written without a network.

use latchstring_cli::screen;
use latchstring_ladder::Rung;

/// The pages of the book, in the order of the rungs.
const PAGES: [&str; 10] = [
    include_str!("../../../../docs/src/ladder/0-faithful.md"),
    include_str!("../../../../docs/src/ladder/1-numbers.md"),
    include_str!("../../../../docs/src/ladder/2-tag.md"),
    include_str!("../../../../docs/src/ladder/3-order.md"),
    include_str!("../../../../docs/src/ladder/4-ending.md"),
    include_str!("../../../../docs/src/ladder/5-exchange.md"),
    include_str!("../../../../docs/src/ladder/6-proof.md"),
    include_str!("../../../../docs/src/ladder/7-password.md"),
    include_str!("../../../../docs/src/ladder/8-quiet.md"),
    include_str!("../../../../docs/src/ladder/9-hardened.md"),
];

/// The page of a rung, in 80 columns where its text can be folded.
pub(super) fn of(rung: Rung) -> String {
    folded(PAGES[usize::from(rung.number())])
}

/// Folds prose. Tables, code and headings keep their lines; comments are left out, and of a link its text stays.
fn folded(page: &str) -> String {
    let (mut out, mut prose, mut in_code) = (String::new(), String::new(), false);
    for line in page.lines().filter(|line| !line.starts_with("<!--")) {
        let is_fence = line.starts_with("```");
        in_code ^= is_fence;
        let keeps = in_code || is_fence || line.is_empty() || line.starts_with(['#', '|']);
        // A point of a list begins a paragraph of its own.
        if keeps || line.starts_with("- ") {
            flush(&mut prose, &mut out);
        }
        match keeps {
            true if is_fence => {}
            true if in_code => out += &format!("    {line}\n"),
            true => out += &format!("{}\n", without_links(line)),
            false => prose += &format!("{} ", line.trim()),
        }
    }
    flush(&mut prose, &mut out);
    out
}

fn flush(prose: &mut String, out: &mut String) {
    if !prose.is_empty() {
        let text = without_links(prose.trim());
        let indent = if text.starts_with("- ") { 2 } else { 0 };
        *out += &screen::folded_under(&text, screen::USUAL, indent);
        *out += "\n";
        prose.clear();
    }
}

/// `[text](target)` as `text`.
fn without_links(line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some((before, after)) = rest.split_once('[') {
        let link = after.split_once("](").and_then(|(text, target)| {
            let (_, after) = target.split_once(')')?;
            (!text.contains('[')).then_some((text, after))
        });
        out += before;
        rest = match link {
            Some((text, after)) => {
                out += text;
                after
            }
            None => {
                out.push('[');
                after
            }
        };
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_its_rung_and_its_prose_fits_the_screen() {
        for rung in Rung::ALL {
            let page = of(rung);
            assert!(page.starts_with(&format!("# Rung {rung}: ")), "{page}");
            let prose = page
                .lines()
                .filter(|line| !line.starts_with(['|', ' ', '#']));
            let wide: Vec<&str> = prose.filter(|line| line.chars().count() > 80).collect();
            assert!(wide.is_empty(), "{wide:#?}");
            assert!(!page.contains("](") && !page.contains("<!--"), "{page}");
        }
    }

    #[test]
    fn links_lose_their_targets_and_code_keeps_its_lines() {
        let page =
            "See [the page](x.md) and\n[1] too.\n\n- one\n- two\n\n```text\na  [b](c)\n```\n";
        let seen = "See the page and [1] too.\n\n- one\n- two\n\n    a  [b](c)\n";
        assert_eq!(folded(page), seen);
    }
}
