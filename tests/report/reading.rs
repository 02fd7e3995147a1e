//! Reads a page of the report: its tables, and the text without the markup.

use regex::Regex;

/// The text of a piece of a page: no markup, no title of a picture, single spaces.
pub(crate) fn text(markup: &str) -> String {
    let mut text = String::new();
    let mut hidden = false;
    for piece in markup.split('<') {
        let (tag, after) = piece.split_once('>').unwrap_or(("", piece));
        hidden = match tag.split(' ').next() {
            Some("title" | "desc") => true,
            Some("/title" | "/desc") => false,
            _ => hidden,
        };
        if !hidden {
            text.push(' ');
            text.push_str(after);
        }
    }
    for (from, to) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ] {
        text = text.replace(from, to);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// All places of a page that the pattern finds: its first group, as text.
pub(crate) fn all(page: &str, pattern: &str) -> Vec<String> {
    let pattern = Regex::new(&format!("(?s){pattern}")).unwrap();
    let found = pattern.captures_iter(page);
    found.map(|found| text(&found[1])).collect()
}

/// The section with this id.
pub(crate) fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("<section id=\"{id}\"")).unwrap();
    rest.split_once("</section>").unwrap().0
}

/// The rows of the table with this caption: the text of each cell.
pub(crate) fn table(page: &str, caption: &str) -> Vec<Vec<String>> {
    let (_, rest) = page
        .split_once(&format!("{caption}</caption>"))
        .unwrap_or_else(|| panic!("no table {caption:?}"));
    let (table, _) = rest.split_once("</table>").unwrap();
    let cell = Regex::new("(?s)<t[hd](?: [^>]*)?>(.*?)</t[hd]>").unwrap();
    let cells = |row: &str| cell.captures_iter(row).map(|one| text(&one[1])).collect();
    table.split("<tr").skip(1).map(cells).collect()
}
