//! How far a student is in a lab, as a word and a sign. No state is told by its colour alone.

use maud::{Markup, html};

use crate::grades::{LabResult, RemarkKind};

/// How far a student is in a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Every question and every check passed.
    Passed,
    /// Some of them passed.
    Partly,
    /// A file was handed in, and none of them passed.
    Nothing,
    /// No file was handed in.
    Absent,
}

impl State {
    /// All states, the best one first.
    pub const ALL: [Self; 4] = [Self::Passed, Self::Partly, Self::Nothing, Self::Absent];

    /// The state of this result.
    pub fn of(result: Option<&LabResult>) -> Self {
        match result {
            None => Self::Absent,
            Some(result) if result.passed() => Self::Passed,
            Some(result) if result.items.iter().any(|item| item.passed) => Self::Partly,
            Some(_) => Self::Nothing,
        }
    }

    /// The word for it, in the page and in its legend.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Partly => "partly",
            Self::Nothing => "none passed",
            Self::Absent => "no file",
        }
    }

    /// What the word means.
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::Passed => "all questions and checks passed",
            Self::Partly => "some questions and checks passed, and others did not",
            Self::Nothing => "a file was handed in, and no question and no check passed",
            Self::Absent => "not handed in",
        }
    }

    /// Its class in the style, and the id of its sign.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Partly => "partly",
            Self::Nothing => "none",
            Self::Absent => "absent",
        }
    }
}

/// Whether the grader called it late. A file that came after the deadline, and within the time of grace, is not late.
pub fn is_late(result: &LabResult) -> bool {
    (result.remarks.iter()).any(|remark| remark.kind == RemarkKind::Late)
}

/// The sign of a state.
pub(super) fn sign(state: State) -> Markup {
    sign_of(state.class())
}

/// The sign that stands for "late".
pub(super) fn late_sign() -> Markup {
    sign_of("late")
}

fn sign_of(class: &str) -> Markup {
    html! { svg class={ "sign " (class) } aria-hidden="true" { use href={ "#" (class) } {} } }
}

/// The shapes of all signs: a tick, a half-filled ring, a cross, a dash, a clock. They are in the page once.
pub(super) fn shapes() -> Markup {
    html! {
        svg.shapes aria-hidden="true" {
            symbol id="passed" viewBox="0 0 12 12" { path d="M1.5 6.5l3 3.5l6-8" {} }
            symbol id="partly" viewBox="0 0 12 12" {
                circle cx="6" cy="6" r="4.5" {}
                path.solid d="M6 1.5a4.5 4.5 0 0 0 0 9z" {}
            }
            symbol id="none" viewBox="0 0 12 12" { path d="M2 2l8 8M10 2l-8 8" {} }
            symbol id="absent" viewBox="0 0 12 12" { path d="M2 6h8" {} }
            symbol id="late" viewBox="0 0 12 12" {
                circle cx="6" cy="6" r="4.5" {}
                path d="M6 3v3l2 1.5" {}
            }
        }
    }
}
