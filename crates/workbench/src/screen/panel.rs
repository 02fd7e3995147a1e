//! The part below the messages: the byte under the cursor, the places of a crib, the pins; and the list of keys.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Block, Clear, Paragraph},
};

use latchstring_cryptanalysis::Placement;

use super::{
    draft::{Draft, Ranking},
    keyboard,
    letters::{letters, number},
    session::Pin,
    shade::{Palette, Shade},
    state::{Mode, Workbench},
};

/// The lines of the panel, for the available room.
pub(super) fn lines(bench: &Workbench, palette: Palette, area: Rect) -> Vec<Line<'static>> {
    let rows = usize::from(area.height);
    match &bench.mode {
        Mode::Draft(draft) => draft_lines(bench, draft, palette, rows),
        Mode::Pins(chosen) => {
            let pins = &bench.session.board().pins;
            let mut lines = vec![Line::raw(number(pins.len(), "pin"))];
            let names: Vec<String> = pins.iter().map(describe).collect();
            lines.extend(list(&names, Some(*chosen), rows - 1, palette));
            lines
        }
        Mode::Note(text) => {
            let message = bench.cursor.message + 1;
            vec![prompt(&format!("note on message {message}"), text)]
        }
        Mode::Export(text) => vec![prompt("write the plaintexts to", text)],
        Mode::Leave => vec![Line::styled(
            "There are changes that are not saved. Save them?",
            palette.warning(),
        )],
        Mode::Browse | Mode::Help(_) => vec![at_cursor(bench), noted(bench)],
    }
}

/// The keys that matter now, as many as fit: the last two always do.
pub(super) fn hints(bench: &Workbench, palette: Palette, width: u16) -> Line<'static> {
    let all: &[&str] = match &bench.mode {
        Mode::Browse => &[
            "c crib",
            "i type over",
            "p pin word",
            "s save",
            "x unpin",
            "u undo",
            "n note",
            "? all keys",
            "q quit",
        ],
        Mode::Draft(Draft {
            ranking: Some(_), ..
        }) => &[
            "type a word",
            "↑↓ its places",
            "←→ move it",
            "Enter pin it",
            "Esc leave",
        ],
        Mode::Draft(_) => &["type the text", "←→↑↓ move it", "Enter pin it", "Esc leave"],
        Mode::Pins(_) => &["↑↓ walk", "x take away", "Enter go there", "Esc leave"],
        Mode::Help(_) => &["↑↓ scroll", "any other key leaves"],
        Mode::Leave => &["y save and quit", "n quit", "Esc stay"],
        Mode::Note(_) | Mode::Export(_) => &["Enter done", "Esc leave"],
    };
    let mut shown = all.to_vec();
    while Line::raw(shown.join("  ")).width() > usize::from(width) && shown.len() > 2 {
        shown.remove(shown.len() - 3);
    }
    Line::styled(shown.join("  "), palette.quiet())
}

fn prompt(what: &str, text: &str) -> Line<'static> {
    Line::raw(format!("{what}: {text}▏"))
}

fn describe(pin: &Pin) -> String {
    let message = pin.place.message + 1;
    format!(
        "message {message}, byte {}: {:?}",
        pin.place.offset, pin.text
    )
}

/// The knowledge about the byte under the cursor.
fn at_cursor(bench: &Workbench) -> Line<'static> {
    let place = bench.cursor;
    let Some(shown) = bench.shown(place, None) else {
        return Line::default();
    };
    let percent = (shown.byte.confidence * 100.0).floor();
    let how = match shown.shade {
        Shade::Pinned => "pinned".to_owned(),
        Shade::Certain => "follows from a pin".to_owned(),
        Shade::Sure | Shade::Doubtful => format!("{percent} % sure"),
        Shade::Undetermined => "undetermined".to_owned(),
    };
    let sign = letters(&[shown.byte.value])[0];
    let cipher = bench.session.ciphertexts()[place.message][place.offset];
    let sum = shown.byte.value.map_or_else(String::new, |plain| {
        let key = plain ^ cipher;
        format!(" ({plain:02x} = cipher {cipher:02x} ^ key {key:02x})")
    });
    Line::raw(format!(
        "message {} of {}, byte {} of {}: {sign}{sum}, {how}",
        place.message + 1,
        bench.session.ciphertexts().len(),
        place.offset,
        bench.session.length(place.message),
    ))
}

fn noted(bench: &Workbench) -> Line<'static> {
    let note = bench.session.board().notes.get(&bench.cursor.message);
    Line::raw(note.map_or_else(String::new, |note| format!("note: {note}")))
}

fn draft_lines(
    bench: &Workbench,
    draft: &Draft,
    palette: Palette,
    rows: usize,
) -> Vec<Line<'static>> {
    let (what, found) = match &draft.ranking {
        None => ("text", String::new()),
        Some(_) if draft.waits() => ("crib", "  [looking for places ...]".to_owned()),
        Some(ranking) => {
            let places = number(ranking.placements.len(), "place");
            ("crib", format!("  [{places}]"))
        }
    };
    let place = draft.place;
    let mut head = prompt(what, &draft.text);
    head.push_span(Span::raw(format!(
        "  on message {}, byte {}{found}",
        place.message + 1,
        place.offset
    )));
    let mut lines = vec![head];
    if let Some(conflict) = bench.preview().and_then(|preview| preview.conflict) {
        let text = format!("byte {} contradicts a pin", conflict.offset);
        lines.push(Line::styled(text, palette.warning()));
    }
    if let Some(ranking) = &draft.ranking {
        let room = rows.saturating_sub(lines.len());
        lines.extend(places(ranking, room, palette));
    }
    lines
}

fn places(ranking: &Ranking, rows: usize, palette: Palette) -> Vec<Line<'static>> {
    let names: Vec<String> = ranking.placements.iter().map(reveal).collect();
    list(&names, ranking.chosen, rows, palette)
}

/// A place and what it makes of the other messages.
fn reveal(placement: &Placement) -> String {
    let mut text = format!(
        "{:>7.1}  message {}, byte {}: ",
        placement.score,
        placement.message + 1,
        placement.offset
    );
    for (message, piece) in &placement.reveals {
        let piece: Vec<Option<u8>> = piece.iter().copied().map(Some).collect();
        let piece: String = letters(&piece).into_iter().collect();
        text.push_str(&format!(" {}|{piece}|", message + 1));
    }
    text
}

/// The lines of a list around the chosen one.
fn list(
    names: &[String],
    chosen: Option<usize>,
    rows: usize,
    palette: Palette,
) -> Vec<Line<'static>> {
    let first = chosen.map_or(0, |chosen| (chosen + 1).saturating_sub(rows));
    let shown = names.iter().enumerate().skip(first).take(rows);
    let line = |(number, name): (usize, &String)| {
        let (mark, style) = match chosen == Some(number) {
            true => ("> ", palette.chosen()),
            false => ("  ", Style::default()),
        };
        Line::styled(format!("{mark}{name}"), style)
    };
    shown.map(line).collect()
}

/// The columns of the list of keys: where, and which.
const KEY_COLUMNS: (usize, usize) = (12, 14);

/// The lines of the list of keys, in `width` columns.
pub(super) fn key_lines(width: usize) -> Vec<String> {
    let (place, key) = KEY_COLUMNS;
    let (place_width, key_width) = (place, key);
    let left = place_width + key_width + 3;
    let line = |(place, key, does): (&str, &str, &str)| {
        let does = textwrap::wrap(does, width.saturating_sub(left).max(10));
        let first = format!(" {place:<place_width$} {key:<key_width$} {}", does[0]);
        let rest = does[1..].iter().map(|more| format!("{:left$}{more}", ""));
        std::iter::once(first).chain(rest.collect::<Vec<_>>())
    };
    keyboard::help().flat_map(line).collect()
}

/// The list of all keys, over everything else.
pub(super) fn help(frame: &mut Frame<'_>, scroll: u16, palette: Palette) {
    let area = frame.area();
    let lines = key_lines(usize::from(area.width.saturating_sub(2)));
    let lines: Vec<Line<'_>> = lines.into_iter().map(Line::raw).collect();
    let height = area.height.min(lines.len() as u16 + 2);
    let area = Rect { height, ..area };
    let last = (lines.len() as u16).saturating_sub(height.saturating_sub(2));
    let block = Block::bordered()
        .title("Keys")
        .border_style(palette.heading());
    let help = Paragraph::new(lines)
        .block(block)
        .scroll((scroll.min(last), 0));
    frame.render_widget(Clear, area);
    frame.render_widget(help, area);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_keys_fits_every_terminal_that_is_drawn_on() {
        for width in [58, 78, 118] {
            for line in key_lines(width) {
                assert!(Line::raw(&line).width() <= width, "{line}");
            }
        }
        assert_eq!(
            key_lines(78).len(),
            keyboard::help().count(),
            "no line is folded in 80 columns"
        );
    }
}
