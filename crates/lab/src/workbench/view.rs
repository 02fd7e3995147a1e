//! What the workbench looks like.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::{
    panel,
    session::Place,
    shade::Palette,
    state::{Mode, Shade, Workbench},
};

/// The smallest terminal that is drawn on.
const LEAST: (u16, u16) = (60, 12);

/// The columns left of the messages: a number of up to five digits, the mark of a note, and a space.
const MARGIN: u16 = 7;

/// Where everything goes.
struct Areas {
    title: Rect,
    ruler: Rect,
    messages: Rect,
    panel: Rect,
    legend: Rect,
    status: Rect,
    hints: Rect,
}

impl Areas {
    fn of(area: Rect, bench: &Workbench) -> Self {
        let panel = match bench.mode {
            Mode::Draft(_) | Mode::Pins(_) => (area.height / 3).clamp(3, 12),
            _ => 2,
        };
        let status = status(bench, Palette { colours: false }).width();
        // A refusal that does not fit on one line is worth a second and a third one.
        let status = status.div_ceil(usize::from(area.width)).clamp(1, 3) as u16;
        let [title, ruler, messages, panel, legend, status, hints] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Min(1),
            Constraint::Length(panel),
            Constraint::Length(1),
            Constraint::Length(status),
            Constraint::Length(1),
        ])
        .areas(area);
        Self {
            title,
            ruler,
            messages,
            panel,
            legend,
            status,
            hints,
        }
    }
}

/// Draws everything, scrolled so that the cursor is to be seen.
pub(super) fn draw(frame: &mut Frame<'_>, bench: &mut Workbench, palette: Palette) {
    let area = frame.area();
    let (width, height) = LEAST;
    if area.width < width || area.height < height {
        let text = format!(
            "This terminal is too small: it has {} columns and {} lines, and the workbench needs {width} and {height}. \
             Make it larger, or press q to quit.",
            area.width, area.height
        );
        let wrap = Wrap { trim: true };
        frame.render_widget(Paragraph::new(text).wrap(wrap), area);
        return;
    }
    let areas = Areas::of(area, bench);
    let columns = areas.messages.width.saturating_sub(MARGIN);
    bench.fit(usize::from(areas.messages.height), usize::from(columns));
    frame.render_widget(title(bench, palette), areas.title);
    frame.render_widget(ruler(bench, palette), areas.ruler);
    if bench.session.ciphertexts().is_empty() {
        frame.render_widget("no message yet", areas.messages);
    }
    frame.render_widget(Paragraph::new(messages(bench, palette)), areas.messages);
    frame.render_widget(
        Paragraph::new(panel::lines(bench, palette, areas.panel)),
        areas.panel,
    );
    frame.render_widget(palette.legend(), areas.legend);
    let status = Paragraph::new(status(bench, palette)).wrap(Wrap { trim: true });
    frame.render_widget(status, areas.status);
    frame.render_widget(panel::hints(bench, palette), areas.hints);
    if let Mode::Help(scroll) = bench.mode {
        panel::help(frame, scroll, palette);
    }
}

fn title(bench: &Workbench, palette: Palette) -> Line<'static> {
    let language = bench
        .language()
        .map_or("language unknown yet", |language| language.name());
    let count = bench.session.ciphertexts().len();
    let pins = bench.session.board().pins.len();
    let unsaved = match bench.session.unsaved() {
        true => ", not saved",
        false => "",
    };
    let name = &bench.name;
    let text = format!("{count} messages, {language}, {pins} pins{unsaved}: {name}");
    Line::styled(text, palette.heading())
}

/// The offsets above the messages: a number over each tenth byte.
fn ruler(bench: &Workbench, palette: Palette) -> Line<'static> {
    const EVERY: usize = 10;
    let (from, columns) = (bench.scroll.offset, bench.page.1);
    let mut text = " ".repeat(usize::from(MARGIN) + (EVERY - from % EVERY) % EVERY);
    let first = from.next_multiple_of(EVERY);
    for offset in (first..from + columns).step_by(EVERY) {
        text.push_str(&format!("{offset:<EVERY$}"));
    }
    Line::styled(text, palette.quiet())
}

fn messages(bench: &Workbench, palette: Palette) -> Vec<Line<'static>> {
    let preview = bench.preview();
    let focus = bench.focus();
    let (rows, columns) = bench.page;
    let last = bench.session.ciphertexts().len();
    let from = bench.scroll.message;
    let numbers = from..(from + rows).min(last);
    let line = |message: usize| {
        let noted = bench.session.board().notes.contains_key(&message);
        let mark = if noted { '*' } else { ' ' };
        let mut number = Style::default();
        if message == focus.message {
            number = number.add_modifier(Modifier::REVERSED);
        }
        let number = Span::styled(format!("{:>5}{mark}", message + 1), number);
        let mut spans = vec![number, Span::raw(" ")];
        let offsets = bench.scroll.offset..bench.scroll.offset + columns;
        for offset in offsets {
            let place = Place { message, offset };
            let Some(shown) = bench.shown(place, preview.as_ref()) else {
                break;
            };
            let mut style = palette.style(shown.shade);
            if shown.preview || (place == focus && preview.is_none()) {
                style = style.add_modifier(Modifier::REVERSED);
            }
            let letter = match shown.shade {
                Shade::Undetermined => '·',
                _ => letter(shown.byte.value),
            };
            spans.push(Span::styled(letter.to_string(), style));
        }
        Line::from(spans)
    };
    numbers.map(line).collect()
}

/// How a byte is drawn: itself if it is printable ASCII.
pub(super) fn letter(byte: Option<u8>) -> char {
    match byte {
        None => '·',
        Some(byte @ b' '..=b'~') => char::from(byte),
        Some(_) => '□',
    }
}

/// What was done or refused last, and on the right how long the solver took.
fn status(bench: &Workbench, palette: Palette) -> Line<'static> {
    let solver = match bench.took() {
        Some(took) => format!("[solved in {} ms] ", took.as_millis()),
        None if bench.session.ciphertexts().is_empty() => "[waiting] ".to_owned(),
        None => "[solving ...] ".to_owned(),
    };
    let style = match bench.status.refused {
        true => palette.warning(),
        false => Style::default(),
    };
    Line::from(vec![
        Span::raw(solver),
        Span::styled(bench.status.text.clone(), style),
    ])
}
