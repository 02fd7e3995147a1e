//! Slips in `course.toml`: the line, the key, what is expected there, and an example. The message of a TOML parser helps only
//! readers who know TOML.

use latchstring_cli::suggest::nearest;

/// What a key of the terms expects.
struct Expected {
    /// In words.
    what: &'static str,
    /// A line that is right.
    example: &'static str,
}

/// The keys above the first heading.
const TOP: [&str; 5] = ["course", "term", "labs", "language", "program"];
/// The keys under `[late]`.
const LATE: [&str; 3] = ["grace-minutes", "percent-a-day", "days"];
/// The headings; the last one has the name of a lab behind a dot.
const HEADINGS: [&str; 3] = ["due", "late", "points"];

/// Where something stands: the heading, the key, and the number of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    heading: String,
    key: String,
    line: usize,
}

impl Place {
    /// What is in the line with this byte.
    fn of(text: &str, at: usize) -> Self {
        let before = text.get(..at.min(text.len())).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let mut up_to = places(text).into_iter().filter(|place| place.line <= line);
        let found = up_to.by_ref().last();
        // A list of several lines belongs to the key in its first one, and any other line to its heading alone.
        let goes_on = |place: &Self| {
            let value = value_of(text, place.line);
            place.line == line || value.starts_with('[') && !value.contains(']')
        };
        match found {
            Some(place) if goes_on(&place) => Self { line, ..place },
            found => Self {
                heading: found.map(|place| place.heading).unwrap_or_default(),
                key: String::new(),
                line,
            },
        }
    }

    fn named(&self) -> String {
        let Self { heading, key, line } = self;
        match (heading.as_str(), key.as_str()) {
            ("", "") => format!("line {line}"),
            ("", key) => format!("line {line}, `{key}`"),
            (heading, "") => format!("line {line}, `[{heading}]`"),
            (heading, key) => format!("line {line}, `{key}` under `[{heading}]`"),
        }
    }
}

/// Each heading and each key, with its line.
fn places(text: &str) -> Vec<Place> {
    let (mut heading, mut all) = (String::new(), Vec::new());
    for (line, written) in (1..).zip(text.lines()) {
        let written = written.trim();
        if written.starts_with('[') && !written.contains('"') && !written.contains(',') {
            heading = written
                .split('#')
                .next()
                .unwrap_or_default()
                .trim()
                .trim_matches(['[', ']'])
                .to_owned();
            all.push(Place {
                heading: heading.clone(),
                key: String::new(),
                line,
            });
        } else if let Some((key, _)) = written
            .split_once('=')
            .filter(|_| !written.starts_with('#'))
        {
            all.push(Place {
                heading: heading.clone(),
                key: key.trim().trim_matches('"').to_owned(),
                line,
            });
        }
    }
    all
}

/// `line 7, `days` under `[late]``, for a key whose value was read and does not fit; the key alone if it is on no line.
pub(super) fn place_of(text: &str, heading: &str, key: &str) -> String {
    let mut all = places(text).into_iter();
    let found = all.find(|place| place.heading == heading && place.key == key);
    found.map_or_else(|| format!("`{key}`"), |place| place.named())
}

/// The fault that a parser has found, in words.
pub(super) fn explained(text: &str, error: &toml::de::Error) -> String {
    let place = Place::of(text, error.span().map_or(0, |span| span.start));
    let said = error.message().lines().next().unwrap_or_default();
    let written = value_of(text, place.line);
    if said.starts_with("missing field") {
        let key = said.split('`').nth(1).unwrap_or_default();
        let example = expected("", key).map_or("", |expected| expected.example);
        return format!("`{key}` is missing: write a line such as {example}");
    }
    if said.contains("duplicate key") {
        return format!(
            "{}: it is there twice; keep one of the two lines",
            place.named()
        );
    }
    if let Some(unknown) = said.strip_prefix("unknown field") {
        let unknown = unknown.split('`').nth(1).unwrap_or_default();
        return format!(
            "line {}: {}",
            place.line,
            unknown_key(&place.heading, unknown)
        );
    }
    match expected(&place.heading, &place.key) {
        Some(Expected { what, example }) => {
            let written = match written.is_empty() {
                true => "nothing".to_owned(),
                false => written,
            };
            let why = reason(&place, &written, said);
            format!(
                "{}: {written} does not fit{why}; write {what}, such as {example}",
                place.named()
            )
        }
        None if HEADINGS.contains(&place.heading.split('.').next().unwrap_or_default())
            || place.heading.is_empty() =>
        {
            match place.key.is_empty() {
                true => format!(
                    "line {}: this is no TOML ({said}); write NAME = VALUE, and # before a comment",
                    place.line
                ),
                false => format!(
                    "line {}: {}",
                    place.line,
                    unknown_key(&place.heading, &place.key)
                ),
            }
        }
        None => format!("line {}: {}", place.line, unknown_key("", &place.heading)),
    }
}

/// More about a value than that it does not fit.
fn reason(place: &Place, written: &str, said: &str) -> String {
    if place.heading == "due" {
        let zone = written.ends_with('Z')
            || written
                .get(10..)
                .is_some_and(|time| time.contains(['+', '-']));
        return match written.contains(':') {
            false => String::new(),
            true if zone => String::new(),
            true => " because it has no time zone".to_owned(),
        };
    }
    if place.heading.starts_with("points") && said.contains("no number of points") {
        return String::new();
    }
    let is_text = |key: &str| matches!(key, "course" | "term" | "language" | "program");
    match is_text(&place.key) && !written.starts_with(['"', '\'']) {
        true => " without quotes".to_owned(),
        false => String::new(),
    }
}

/// A key or a heading that the terms do not have.
fn unknown_key(heading: &str, key: &str) -> String {
    let known: Vec<&str> = match heading {
        "late" => LATE.to_vec(),
        _ => TOP.iter().chain(&HEADINGS).copied().collect(),
    };
    let hint = match key.starts_with("deadline") {
        true => {
            "; a deadline stands under `[due]`, as in 01-say-the-name = 2026-11-27T18:00:00+01:00"
                .to_owned()
        }
        false => nearest(key, known.iter().copied()),
    };
    let all: Vec<String> = match heading {
        "late" => LATE.iter().map(|key| format!("`{key}`")).collect(),
        _ => TOP
            .iter()
            .map(|key| format!("`{key}`"))
            .chain(["`[due]`", "`[late]`", "`[points.LAB]`"].map(str::to_owned))
            .collect(),
    };
    let under = match heading {
        // A heading itself, such as `[Due]`.
        "" => String::new(),
        heading if heading == key => String::new(),
        heading => format!(" under `[{heading}]`"),
    };
    let example = known
        .iter()
        .find(|one| hint.contains(&format!(" {one}?")))
        .and_then(|one| expected(heading, one))
        .map_or_else(String::new, |found| {
            format!(" Write it as in {}", found.example)
        });
    format!(
        "there is no `{key}`{under}{hint}{example}; there is: {}",
        all.join(", ")
    )
}

/// What a key expects; `None` for a key that nobody knows.
fn expected(heading: &str, key: &str) -> Option<Expected> {
    let (what, example) = match (heading.split('.').next().unwrap_or_default(), key) {
        ("", "course") => (
            "the name of the course between quotes",
            "course = \"Network security\"",
        ),
        ("", "term") => (
            "the name of the term between quotes",
            "term = \"2026-winter\"",
        ),
        ("", "labs") => (
            "a list of labs, each between quotes",
            "labs = [\"00-first-contact\", \"01-say-the-name\"]",
        ),
        ("", "language") => ("\"python\" or \"rust\"", "language = \"rust\""),
        ("", "program") => (
            "a text between quotes",
            "program = \"Clone https://git.example/latchstring, and run `cargo build --release` in it.\"",
        ),
        ("due", _) => (
            "a day of the calendar, a time and the distance from UTC",
            "01-say-the-name = 2026-11-27T18:00:00+01:00",
        ),
        ("late", "grace-minutes") => ("a whole number of minutes", "grace-minutes = 15"),
        ("late", "percent-a-day") => (
            "a whole number from 0 to 100, without % and without quotes",
            "percent-a-day = 20",
        ),
        ("late", "days") => ("a whole number of days", "days = 7"),
        ("points", key) if !key.is_empty() => (
            "a number of points with at most two decimals",
            "admitted = 2.5",
        ),
        _ => return None,
    };
    Some(Expected { what, example })
}

/// What is written behind the `=` of a line, without a comment.
fn value_of(text: &str, line: usize) -> String {
    let line = text.lines().nth(line - 1).unwrap_or_default();
    let value = line.split_once('=').map_or("", |(_, value)| value).trim();
    let end = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].find(quote).map(|at| at + 2),
        _ => value.find('#'),
    };
    value
        .get(..end.unwrap_or(value.len()))
        .unwrap_or(value)
        .trim()
        .to_owned()
}

/// What stands there does not fit: for a value that was read.
pub(super) fn misfit(text: &str, heading: &str, key: &str) -> String {
    let place = place_of(text, heading, key);
    let line = places(text)
        .into_iter()
        .find(|place| place.heading == heading && place.key == key)
        .map_or_else(String::new, |place| value_of(text, place.line));
    match expected(heading, key) {
        Some(Expected { what, example }) => {
            format!("{place}: {line} does not fit; write {what}, such as {example}")
        }
        None => place,
    }
}
