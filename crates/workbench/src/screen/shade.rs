//! The certainty of a byte, as a colour and as a shade: each step differs from the others without colours too.

use ratatui::{
    style::{Color, Modifier, Style},
    text::{Line, Span},
};

/// How sure a byte is: each step is drawn differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shade {
    /// Somebody pinned it.
    Pinned,
    /// The byte follows from a pin on another message.
    Certain,
    /// At least the confidence that is drawn as sure.
    Sure,
    /// Less than that.
    Doubtful,
    /// Nothing tells it.
    Undetermined,
}

/// The styles of the screen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Palette {
    /// Whether there are colours at all.
    pub(super) colours: bool,
}

impl Palette {
    /// Colours, unless `NO_COLOR` is set to something (<https://no-color.org>).
    pub(super) fn of_environment() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colours: !unwanted }
    }

    fn paint(self, colour: Color, modifier: Modifier) -> Style {
        let style = Style::default().add_modifier(modifier);
        match self.colours {
            true => style.fg(colour),
            false => style,
        }
    }

    /// How a byte of this shade is drawn.
    pub(super) fn style(self, shade: Shade) -> Style {
        match shade {
            Shade::Pinned => self.paint(Color::Green, Modifier::BOLD | Modifier::UNDERLINED),
            Shade::Certain => self.paint(Color::Green, Modifier::BOLD),
            Shade::Sure => Style::default(),
            Shade::Doubtful => self.paint(Color::Yellow, Modifier::DIM),
            Shade::Undetermined => self.paint(Color::Red, Modifier::DIM),
        }
    }

    /// The meaning of each shade, drawn in it.
    pub(super) fn legend(self) -> Line<'static> {
        let steps = [
            (Shade::Pinned, "pinned"),
            (Shade::Certain, "follows from a pin"),
            (Shade::Sure, "sure"),
            (Shade::Doubtful, "doubtful"),
            (Shade::Undetermined, "· undetermined"),
        ];
        let mut spans = Vec::new();
        for (shade, name) in steps {
            spans.push(Span::styled(name, self.style(shade)));
            spans.push(Span::raw("  "));
        }
        spans.push(Span::raw("□ no letter"));
        Line::from(spans)
    }

    /// The line on top.
    pub(super) fn heading(self) -> Style {
        self.paint(Color::Cyan, Modifier::BOLD)
    }

    /// The style of unimportant text.
    pub(super) fn quiet(self) -> Style {
        self.paint(Color::DarkGray, Modifier::DIM)
    }

    /// The style of a refusal.
    pub(super) fn warning(self) -> Style {
        self.paint(Color::Red, Modifier::BOLD)
    }

    /// The chosen line of a list.
    pub(super) fn chosen(self) -> Style {
        self.paint(Color::Cyan, Modifier::REVERSED)
    }
}
