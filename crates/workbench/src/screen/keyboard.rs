//! The action of each key. The tables here are what `?` shows.

use std::path::PathBuf;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{
    draft::Draft,
    session::Place,
    state::{Effect, Mode, Workbench},
};

/// A key while nothing is being typed.
struct Binding {
    keys: &'static [KeyCode],
    label: &'static str,
    does: &'static str,
    act: fn(&mut Workbench) -> Option<Effect>,
}

const fn bind(
    keys: &'static [KeyCode],
    label: &'static str,
    does: &'static str,
    act: fn(&mut Workbench) -> Option<Effect>,
) -> Binding {
    Binding {
        keys,
        label,
        does,
        act,
    }
}

use KeyCode::{
    BackTab, Backspace, Char, Delete, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right,
    Tab, Up,
};

#[rustfmt::skip]
const BROWSE: [Binding; 24] = [
    bind(&[Up], "↑", "message above", |bench| step(bench, -1, 0)),
    bind(&[Down], "↓", "message below", |bench| step(bench, 1, 0)),
    bind(&[Left], "←", "byte before", |bench| step(bench, 0, -1)),
    bind(&[Right], "→", "next byte", |bench| step(bench, 0, 1)),
    bind(&[PageUp], "PgUp", "a screen of messages up", |bench| step(bench, -page(bench).0, 0)),
    bind(&[PageDown], "PgDn", "a screen of messages down", |bench| step(bench, page(bench).0, 0)),
    bind(&[BackTab, Char('<')], "<", "half a screen to the left", |bench| step(bench, 0, -page(bench).1 / 2)),
    bind(&[Tab, Char('>')], ">", "half a screen to the right", |bench| step(bench, 0, page(bench).1 / 2)),
    bind(&[Home], "Home", "first byte of the message", |bench| step(bench, 0, isize::MIN)),
    bind(&[End], "End", "last byte of the message", |bench| step(bench, 0, isize::MAX)),
    bind(&[Char('c'), Char('/')], "c", "drag a crib: type a word, see where it fits", crib),
    bind(&[Char('i'), Enter], "i", "type over the text at the cursor, to pin it", overtype),
    bind(&[Char('p')], "p", "pin the word at the cursor as it reads", pin_word),
    bind(&[Char('x'), Delete], "x", "take the pin at the cursor away", unpin),
    bind(&[Char('l')], "l", "list the pins", |bench| enter(bench, Mode::Pins(0))),
    bind(&[Char('u')], "u", "undo", undo),
    bind(&[Char('r')], "r", "redo", redo),
    bind(&[Char('n')], "n", "write a note on the message", note),
    bind(&[Char('s')], "s", "save pins and notes", |_| Some(Effect::Save)),
    bind(&[Char('e')], "e", "export the plaintexts, one a line", export),
    bind(&[Char('?')], "?", "this list", |bench| enter(bench, Mode::Help(0))),
    bind(&[Char('q')], "q", "quit", leave),
    bind(&[Esc], "Esc", "clear the status line", |bench| { bench.say(""); None }),
    bind(&[], "Ctrl-C", "quit, from anywhere", leave),
];

/// The keys while a text is typed, and in the list of pins: [`in_draft`], [`in_pins`].
#[rustfmt::skip]
const ELSEWHERE: [(&str, &str, &str); 9] = [
    ("In a crib", "↑ ↓", "walk through its places, the best first"),
    ("", "← →", "move it along the message"),
    ("", "Tab, Shift-Tab", "move it to the next message, or back"),
    ("", "Enter", "pin it where it is"),
    ("Typing over", "← → ↑ ↓", "move the text"),
    ("", "Enter", "pin it"),
    ("List of pins", "↑ ↓", "walk through it"),
    ("", "x", "take the pin away"),
    ("", "Enter", "go to the pin"),
];

/// All keys, as (where, key, action).
pub(super) fn help() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let browse = BROWSE
        .iter()
        .map(|binding| ("", binding.label, binding.does));
    let everywhere = [("Anywhere", "Esc", "leave, and change nothing")];
    browse.chain(ELSEWHERE).chain(everywhere)
}

impl Workbench {
    /// Does what a key asks for, and returns what is left for others to do.
    pub(super) fn key(&mut self, key: KeyEvent) -> Option<Effect> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                // Asked a second time, there is no question any more.
                Char('c') if matches!(self.mode, Mode::Leave) => Some(Effect::Quit),
                Char('c') => leave(self),
                _ => None,
            };
        }
        if key.modifiers.contains(KeyModifiers::ALT) {
            return None;
        }
        match std::mem::take(&mut self.mode) {
            Mode::Browse => in_browse(self, key.code),
            Mode::Draft(draft) => in_draft(self, draft, key.code),
            Mode::Note(text) => in_line(self, text, key.code, Mode::Note, write_note),
            Mode::Export(text) => in_line(self, text, key.code, Mode::Export, write_export),
            Mode::Pins(chosen) => in_pins(self, chosen, key.code),
            Mode::Help(scroll) => in_help(self, scroll, key.code),
            Mode::Leave => in_question(self, key.code),
        }
    }
}

fn in_browse(bench: &mut Workbench, key: KeyCode) -> Option<Effect> {
    let binding = BROWSE.iter().find(|binding| binding.keys.contains(&key));
    match binding {
        Some(binding) => (binding.act)(bench),
        None => {
            bench.say("? shows all keys");
            None
        }
    }
}

fn page(bench: &Workbench) -> (isize, isize) {
    (bench.page.0 as isize, bench.page.1 as isize)
}

fn step(bench: &mut Workbench, messages: isize, bytes: isize) -> Option<Effect> {
    let Place { message, offset } = bench.cursor;
    bench.go(Place {
        message: message.saturating_add_signed(messages),
        offset: offset.saturating_add_signed(bytes),
    });
    None
}

fn enter(bench: &mut Workbench, mode: Mode) -> Option<Effect> {
    bench.mode = mode;
    None
}

fn crib(bench: &mut Workbench) -> Option<Effect> {
    bench.say("");
    // Which place is the best one is what the solver would say.
    let draft = match bench.by_hand {
        true => Draft::overtype(bench.cursor),
        false => Draft::crib(bench.cursor),
    };
    enter(bench, Mode::Draft(draft))
}

fn overtype(bench: &mut Workbench) -> Option<Effect> {
    bench.say("");
    enter(bench, Mode::Draft(Draft::overtype(bench.cursor)))
}

fn note(bench: &mut Workbench) -> Option<Effect> {
    let notes = &bench.session.board().notes;
    let old = notes.get(&bench.cursor.message).cloned();
    enter(bench, Mode::Note(old.unwrap_or_default()))
}

fn export(bench: &mut Workbench) -> Option<Effect> {
    enter(bench, Mode::Export(bench.export.clone()))
}

fn pin_word(bench: &mut Workbench) -> Option<Effect> {
    match bench.word(bench.cursor) {
        Some((place, text)) => {
            let draft = Draft {
                place,
                text,
                ranking: None,
            };
            pin(bench, &draft);
        }
        None => bench.refuse("no word is read at the cursor: type one over it with i"),
    }
    None
}

/// Pins what was drafted. Returns whether it was accepted.
fn pin(bench: &mut Workbench, draft: &Draft) -> bool {
    let Place { message, offset } = draft.place;
    match bench.session.pin(draft.pin()) {
        Ok(()) => {
            let text = &draft.text;
            bench.say(format!(
                "pinned {text:?} on message {}, byte {offset}",
                message + 1
            ));
            true
        }
        Err(error) => {
            bench.refuse(format!("refused: {error:#}"));
            false
        }
    }
}

fn unpin(bench: &mut Workbench) -> Option<Effect> {
    match bench.session.pin_at(bench.cursor) {
        Some(number) => take_away(bench, number),
        None => bench.refuse("no pin here"),
    }
    None
}

fn take_away(bench: &mut Workbench, number: usize) {
    if let Some(pin) = bench.session.unpin(number) {
        let message = pin.place.message + 1;
        bench.say(format!(
            "no longer pinned: {:?} on message {message}",
            pin.text
        ));
    }
}

fn undo(bench: &mut Workbench) -> Option<Effect> {
    match bench.session.undo() {
        true => bench.say("undone; r makes it again"),
        false => bench.refuse("nothing to undo"),
    }
    None
}

fn redo(bench: &mut Workbench) -> Option<Effect> {
    match bench.session.redo() {
        true => bench.say("made again"),
        false => bench.refuse("nothing to make again"),
    }
    None
}

fn leave(bench: &mut Workbench) -> Option<Effect> {
    if !bench.session.unsaved() {
        return Some(Effect::Quit);
    }
    enter(bench, Mode::Leave)
}

fn in_draft(bench: &mut Workbench, mut draft: Draft, key: KeyCode) -> Option<Effect> {
    let ciphertexts = &bench.session.ciphertexts().clone();
    let dragged = draft.ranking.is_some();
    match key {
        Esc => return None,
        Enter if pin(bench, &draft) => {
            bench.go(draft.place);
            return None;
        }
        Char(letter) => draft.text.push(letter),
        Backspace => drop(draft.text.pop()),
        Up if dragged => draft.walk(-1),
        Down if dragged => draft.walk(1),
        Up | BackTab => draft.shift(-1, 0, ciphertexts),
        Down | Tab => draft.shift(1, 0, ciphertexts),
        Left => draft.shift(0, -1, ciphertexts),
        Right => draft.shift(0, 1, ciphertexts),
        _ => (),
    }
    enter(bench, Mode::Draft(draft))
}

/// A line of text that is being typed in `mode`; Enter hands it to `done`.
fn in_line(
    bench: &mut Workbench,
    mut text: String,
    key: KeyCode,
    mode: fn(String) -> Mode,
    done: fn(&mut Workbench, String) -> Option<Effect>,
) -> Option<Effect> {
    match key {
        Esc => return None,
        Enter => return done(bench, text),
        Char(letter) => text.push(letter),
        Backspace => drop(text.pop()),
        _ => (),
    }
    enter(bench, mode(text))
}

fn write_note(bench: &mut Workbench, text: String) -> Option<Effect> {
    bench.session.note(bench.cursor.message, &text);
    None
}

fn write_export(bench: &mut Workbench, name: String) -> Option<Effect> {
    if name.trim().is_empty() {
        bench.refuse("not exported: give the file a name");
        return None;
    }
    bench.export = name.trim().to_owned();
    Some(Effect::Export(PathBuf::from(&bench.export)))
}

fn in_pins(bench: &mut Workbench, chosen: usize, key: KeyCode) -> Option<Effect> {
    let pins = &bench.session.board().pins;
    let last = pins.len().saturating_sub(1);
    let mut next = chosen.min(last);
    match key {
        Up => next = next.saturating_sub(1),
        Down => next = (next + 1).min(last),
        Char('x') | Delete => take_away(bench, next),
        Enter => {
            if let Some(place) = pins.get(next).map(|pin| pin.place) {
                bench.go(place);
            }
            return None;
        }
        Esc | Char('l' | 'q') => return None,
        _ => (),
    }
    enter(bench, Mode::Pins(next))
}

fn in_help(bench: &mut Workbench, scroll: u16, key: KeyCode) -> Option<Effect> {
    let last = help().count() as u16;
    let next = match key {
        Up => scroll.saturating_sub(1),
        Down => (scroll + 1).min(last),
        PageUp => scroll.saturating_sub(10),
        PageDown => (scroll + 10).min(last),
        _ => return None,
    };
    enter(bench, Mode::Help(next))
}

fn in_question(bench: &mut Workbench, key: KeyCode) -> Option<Effect> {
    match key {
        Char('y' | 's') => Some(Effect::SaveAndQuit),
        Char('n') => Some(Effect::Quit),
        Esc | Char('c') => None,
        _ => enter(bench, Mode::Leave),
    }
}
