//! The pages of the ladder: its picture, its table, and the vector of each rung.

use std::path::Path;

use anyhow::Context;
use latchstring_ladder::{
    Rung,
    svg::picture,
    table::{Change, Table},
    vectors::{shown, vector},
};

use crate::{Artefact, read, splice::between_markers};

/// Everything of the ladder that is made from its runs.
///
/// # Errors
/// When a page cannot be read or lacks its markers.
pub fn artefacts(root: &Path, table: &Table) -> anyhow::Result<Vec<Artefact>> {
    let mut made = vec![Artefact::new("docs/src/ladder/table.svg", picture(table))];
    let index = "docs/src/ladder/index.md";
    let text = between_markers(&read(root, index)?, "rungs", &rungs(table));
    made.push(Artefact::new(index, text.context(index)?));
    for rung in Rung::spoken() {
        let vector = vector(rung);
        let page = page_of(rung);
        let text = between_markers(&read(root, &page)?, "vector", &shown(&vector));
        made.push(Artefact::new(&page, text.with_context(|| page.clone())?));
        let json = serde_json::to_string_pretty(&vector)? + "\n";
        made.push(Artefact::new(
            format!("tests/vectors/ladder/{rung}.json"),
            json,
        ));
    }
    Ok(made)
}

fn page_of(rung: Rung) -> String {
    format!("docs/src/ladder/{rung}-{}.md", rung.line().name)
}

/// The rungs with what the run shows of each.
fn rungs(table: &Table) -> String {
    let mut out = "| rung | adds | kills | opens |\n| --- | --- | --- | --- |\n".to_owned();
    for rung in Rung::ALL {
        let (line, Change { kills, opens, .. }) = (rung.line(), table.change(rung));
        let name = line.name;
        out += &format!(
            "| [{rung} {name}]({rung}-{name}.md) | {} | {} | {} |\n",
            line.adds,
            linked(&kills),
            linked(&opens)
        );
    }
    out
}

fn linked(attacks: &[&str]) -> String {
    let links = attacks
        .iter()
        .map(|attack| format!("[{attack}](../attacks/{attack}.md)"));
    match attacks {
        [] => "-".to_owned(),
        _ => links.collect::<Vec<_>>().join(", "),
    }
}
