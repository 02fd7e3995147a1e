//! The workbench without its terminal: the state that keys change and the screen shows.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use latchstring_cryptanalysis::{Byte, Language, Mode as Effort, Placement, Recovered};

use super::{
    draft::{Draft, Preview},
    letters::number,
    session::{Place, Session},
    shade::Shade,
    solver::{Crib, Problem, Solution},
};

/// The receiver of the keys.
#[derive(Default)]
pub(super) enum Mode {
    /// The messages.
    #[default]
    Browse,
    /// A text to be pinned.
    Draft(Draft),
    /// A note on the message under the cursor.
    Note(String),
    /// The name of the file to write the plaintexts to.
    Export(String),
    /// The list of pins, and which of them is looked at.
    Pins(usize),
    /// The list of keys, and how far down it is scrolled.
    Help(u16),
    /// The question whether to save.
    Leave,
}

/// The effect of a key outside of the workbench.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// To write pins and notes to the work file.
    Save,
    /// The same, and to end if that succeeded.
    SaveAndQuit,
    /// To write the plaintexts to a file.
    Export(PathBuf),
    /// To end.
    Quit,
}

/// The last action or refusal.
#[derive(Clone, Debug, Default)]
pub(super) struct Status {
    pub(super) text: String,
    pub(super) refused: bool,
}

/// From this confidence on a byte is drawn as sure. Just below the highest that a pair of messages gets.
const SURE: f32 = 0.9;

/// One byte to draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shown {
    pub(super) byte: Byte,
    pub(super) shade: Shade,
    /// Whether the byte comes from the draft.
    pub(super) preview: bool,
}

/// All that the screen shows.
pub(super) struct Workbench {
    /// Where the ciphertexts come from.
    pub(super) name: String,
    pub(super) session: Session,
    pub(super) mode: Mode,
    pub(super) status: Status,
    pub(super) cursor: Place,
    /// The first message and the first offset on the screen.
    pub(super) scroll: Place,
    /// How many messages and offsets are on the screen.
    pub(super) page: (usize, usize),
    /// Where the plaintexts are exported to unless another name is typed.
    pub(super) export: String,
    /// Whether the solver is left out.
    pub(super) by_hand: bool,
    /// The one that was asked for, or that was detected.
    language: Option<&'static Language>,
    language_given: bool,
    effort: Effort,
    recovered: Recovered,
    /// The revision that the solver was last asked about, and the one that it last answered.
    asked: Option<u64>,
    answered: Option<(u64, Duration)>,
    /// Whether the solver's last answer is better than what chance gives.
    convincing: bool,
}

impl Workbench {
    /// A workbench on which nothing is solved yet. Without a language, it is detected.
    pub(super) fn new(
        name: String,
        session: Session,
        language: Option<&'static Language>,
        effort: Effort,
    ) -> Self {
        // In the current folder: what lies beside a capture may be somebody else's.
        let file = Path::new(&name)
            .file_name()
            .map(|file| file.to_string_lossy());
        let export = format!("{}.plaintexts.txt", file.as_deref().unwrap_or(&name));
        Self {
            name,
            session,
            mode: Mode::Browse,
            status: Status::default(),
            cursor: Place::default(),
            scroll: Place::default(),
            page: (1, 1),
            export,
            by_hand: false,
            language,
            language_given: language.is_some(),
            effort,
            recovered: Recovered::default(),
            asked: None,
            answered: None,
            convincing: true,
        }
    }

    /// Says what was done.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.status = Status {
            text: text.into(),
            refused: false,
        };
    }

    /// Says what was not done, and why.
    pub(super) fn refuse(&mut self, text: impl Into<String>) {
        self.status = Status {
            text: text.into(),
            refused: true,
        };
    }

    /// The language that the messages are read in, once it is known.
    pub(super) fn language(&self) -> Option<&'static Language> {
        self.language
    }

    /// The next problem to solve, once for each change.
    pub(super) fn question(&mut self) -> Option<Problem> {
        let revision = self.session.revision();
        if self.by_hand || self.asked == Some(revision) || self.session.ciphertexts().is_empty() {
            return None;
        }
        self.asked = Some(revision);
        Some(self.problem())
    }

    /// The crib to drag next, once for each text.
    pub(super) fn crib(&mut self) -> Option<(Problem, Crib)> {
        let Mode::Draft(draft) = &mut self.mode else {
            return None;
        };
        let crib = draft.question()?;
        Some((self.problem(), crib))
    }

    fn problem(&self) -> Problem {
        Problem {
            revision: self.session.revision(),
            ciphertexts: self.session.ciphertexts().clone(),
            certain: self.session.keystream().clone(),
            given: self.session.given(),
            language: self.language,
            mode: self.effort,
        }
    }

    /// Takes the solver's answer. That to an older question is better than none.
    pub(super) fn solved(&mut self, solution: Solution) {
        self.recovered = solution.recovered;
        self.language = Some(solution.language);
        self.answered = Some((solution.revision, solution.took));
        self.convincing = solution.convincing;
    }

    /// Takes the places of a crib.
    pub(super) fn ranked(&mut self, crib: &Crib, placements: Vec<Placement>) {
        if let Mode::Draft(draft) = &mut self.mode {
            draft.answer(crib, placements);
        }
    }

    /// How long the present solution took; none while it is being looked for.
    pub(super) fn took(&self) -> Option<Duration> {
        let answered = self.answered.as_ref();
        let current = answered.filter(|(revision, _)| *revision == self.session.revision());
        current.map(|(_, took)| *took)
    }

    /// Whether the solver's last answer is better than what chance gives.
    pub(super) fn convincing(&self) -> bool {
        self.convincing
    }

    /// Takes what a growing source holds now.
    pub(super) fn grown(&mut self, ciphertexts: Vec<Vec<u8>>) {
        let count = self.session.add(ciphertexts);
        if count > 0 {
            if !self.language_given {
                // More messages tell it better.
                self.language = None;
            }
            self.say(format!("new: {}", number(count, "message")));
        }
    }

    /// The messages under the draft, if one is being typed.
    pub(super) fn preview(&self) -> Option<Preview> {
        let Mode::Draft(draft) = &self.mode else {
            return None;
        };
        let session = &self.session;
        let preview = Preview::of(draft, session.ciphertexts(), session.keystream());
        (!draft.text.is_empty()).then_some(preview)
    }

    /// The place that has to be on the screen.
    pub(super) fn focus(&self) -> Place {
        match &self.mode {
            Mode::Draft(draft) => draft.place,
            _ => self.cursor,
        }
    }

    /// The drawing at `place`; `None` past the end of the message.
    pub(super) fn shown(&self, place: Place, preview: Option<&Preview>) -> Option<Shown> {
        let Place { message, offset } = place;
        let cipher = *self.session.ciphertexts().get(message)?.get(offset)?;
        let certain = |key: u8| Byte {
            value: Some(cipher ^ key),
            confidence: 1.0,
        };
        if let Some(key) = preview.and_then(|preview| preview.key(offset)) {
            let byte = certain(key);
            let shade = Shade::Certain;
            return Some(Shown {
                byte,
                shade,
                preview: true,
            });
        }
        // A pin counts at once, before the solver has taken it up.
        let pinned = self.session.keystream().get(offset).map(certain);
        let solved = || self.recovered.messages.get(message)?.get(offset).copied();
        let guessed = || solved().filter(|byte| byte.confidence < 1.0);
        let byte = pinned.or_else(guessed).unwrap_or_default();
        let shade = match byte {
            Byte { value: None, .. } => Shade::Undetermined,
            _ if self.pinned_itself(place) => Shade::Pinned,
            _ if pinned.is_some() => Shade::Certain,
            byte if byte.confidence >= SURE => Shade::Sure,
            _ => Shade::Doubtful,
        };
        Some(Shown {
            byte,
            shade,
            preview: false,
        })
    }

    fn pinned_itself(&self, place: Place) -> bool {
        let pins = &self.session.board().pins;
        pins.iter().any(|pin| pin.covers(place))
    }

    /// The present reading, with the pins applied.
    pub(super) fn plaintexts(&self) -> Recovered {
        let read = |message| {
            let places = (0..self.session.length(message)).map(|offset| Place { message, offset });
            let shown = places.filter_map(|place| self.shown(place, None));
            shown.map(|shown| shown.byte).collect()
        };
        Recovered {
            messages: (0..self.session.ciphertexts().len()).map(read).collect(),
            pairs: Vec::new(),
        }
    }

    /// The letters and digits around a place, as they are read now: where they begin, and the text.
    pub(super) fn word(&self, place: Place) -> Option<(Place, String)> {
        let letter = |offset: usize| {
            let shown = self.shown(Place { offset, ..place }, None)?;
            let byte = shown.byte.value?;
            (byte.is_ascii_alphanumeric() || byte == b'\'').then_some(char::from(byte))
        };
        letter(place.offset)?;
        let before = (0..place.offset).rev();
        let offset = before
            .take_while(|&at| letter(at).is_some())
            .last()
            .unwrap_or(place.offset);
        let text = (offset..).map_while(letter).collect();
        Some((Place { offset, ..place }, text))
    }

    /// Scrolls as little as needed to put the focus on a screen of this number of messages and offsets.
    pub(super) fn fit(&mut self, messages: usize, offsets: usize) {
        let focus = self.focus();
        self.page = (messages.max(1), offsets.max(1));
        let text = match &self.mode {
            Mode::Draft(draft) => draft.text.len().max(1),
            _ => 1,
        };
        // The end of the text is to be seen too, but rather its beginning.
        let near = |scroll: usize, focus: usize, length: usize, size: usize| {
            let least = (focus + length).saturating_sub(size);
            scroll.clamp(least.min(focus), focus)
        };
        self.scroll = Place {
            message: near(self.scroll.message, focus.message, 1, self.page.0),
            offset: near(self.scroll.offset, focus.offset, text, self.page.1),
        };
    }

    /// Puts the cursor on a place, or on the nearest one that exists.
    pub(super) fn go(&mut self, place: Place) {
        let last = self.session.ciphertexts().len().saturating_sub(1);
        let message = place.message.min(last);
        let end = self.session.length(message).saturating_sub(1);
        let offset = place.offset.min(end);
        self.cursor = Place { message, offset };
    }
}
