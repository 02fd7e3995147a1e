//! The look of the workbench.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::{
    draft::Preview,
    letters::{letters, number},
    panel,
    session::Place,
    shade::Palette,
    state::{Mode, Shown, Workbench},
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
    let hints = panel::hints(bench, palette, areas.hints.width);
    frame.render_widget(hints, areas.hints);
    if let Mode::Help(scroll) = bench.mode {
        panel::help(frame, scroll, palette);
    }
}

fn title(bench: &Workbench, palette: Palette) -> Line<'static> {
    let language = match (bench.by_hand, bench.language()) {
        (true, _) => "by hand",
        (false, Some(language)) => language.name(),
        (false, None) => "language unknown yet",
    };
    let count = bench.session.ciphertexts().len();
    let pins = bench.session.board().pins.len();
    let unsaved = match bench.session.unsaved() {
        true => ", not saved",
        false => "",
    };
    let name = &bench.name;
    let (count, pins) = (number(count, "message"), number(pins, "pin"));
    let text = format!("{count}, {language}, {pins}{unsaved}: {name}");
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
    let preview = preview.as_ref();
    let from = bench.scroll.message;
    let to = (from + bench.page.0).min(bench.session.ciphertexts().len());
    let line = |message| row(bench, message, preview, palette);
    (from..to).map(line).collect()
}

/// One message, from the first offset on the screen to the last.
fn row(
    bench: &Workbench,
    message: usize,
    preview: Option<&Preview>,
    palette: Palette,
) -> Line<'static> {
    let focus = bench.focus();
    let noted = bench.session.board().notes.contains_key(&message);
    let mark = if noted { '*' } else { ' ' };
    let style = match message == focus.message {
        true => Style::default().add_modifier(Modifier::REVERSED),
        false => Style::default(),
    };
    let margin = Span::styled(format!("{:>5}{mark}", message + 1), style);
    let mut spans = vec![margin, Span::raw(" ")];

    let (from, columns) = (bench.scroll.offset, bench.page.1);
    let places = (from..from + columns).map(|offset| Place { message, offset });
    let shown: Vec<Shown> = places
        .map_while(|place| bench.shown(place, preview))
        .collect();
    let bytes: Vec<Option<u8>> = shown.iter().map(|shown| shown.byte.value).collect();
    for ((offset, shown), letter) in (from..).zip(&shown).zip(letters(&bytes)) {
        let mut style = palette.style(shown.shade);
        let at_cursor = Place { message, offset } == focus && preview.is_none();
        if shown.preview || at_cursor {
            style = style.add_modifier(Modifier::REVERSED);
        }
        spans.push(Span::styled(letter.to_string(), style));
    }
    Line::from(spans)
}

/// The last action or refusal, and on the right the time of the solver.
fn status(bench: &Workbench, palette: Palette) -> Line<'static> {
    let solver = match bench.took() {
        _ if bench.by_hand => "[by hand] ".to_owned(),
        Some(took) => {
            let doubt = if bench.convincing() {
                ""
            } else {
                ", no better than chance"
            };
            format!("[solved in {} ms{doubt}] ", took.as_millis())
        }
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
