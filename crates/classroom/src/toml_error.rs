//! Slips in `answers.toml`: which line it is, and what to write there instead. The message of a TOML parser helps only
//! readers who know TOML.

use toml::de::Error;

/// The fault, with the line: `line 3: put the answer between quotes: write iv = "a1b2"`.
pub fn explained(text: &str, error: &Error) -> String {
    if let Some(number) = unclosed(text) {
        return format!("line {number}: the closing quotes are missing: write NAME = \"...\"");
    }
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    // An end of line belongs to the line before it.
    let before = text.get(..at).unwrap_or(text);
    let number = before.matches('\n').count() + 1;
    let mut lines = text.lines();
    let line = lines.nth(number - 1).unwrap_or_default();
    let advice = advice(line, error);
    format!("line {number}: {advice}")
}

/// `, line 3` for the first line that gives this key a value or is this heading; nothing if none does.
pub fn line_of(text: &str, key: &str) -> String {
    let gives = |line: &str| {
        let line = line.trim_start();
        let rest = line.strip_prefix(key).map(str::trim_start);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['=', '#', '.']))
    };
    let found = text.lines().position(gives);
    found.map_or_else(String::new, |at| format!(", line {}", at + 1))
}

/// The text behind the `=` of this key, without a comment; empty without such a line.
pub fn written<'a>(text: &'a str, key: &str) -> &'a str {
    let value = |line: &'a str| {
        let rest = line.trim().strip_prefix(key)?;
        rest.trim_start().strip_prefix('=')
    };
    let value = text.lines().find_map(value).unwrap_or_default();
    value.split('#').next().unwrap_or_default().trim()
}

/// The line on which a text of several lines begins that never ends.
fn unclosed(text: &str) -> Option<usize> {
    ["\"\"\"", "'''"].iter().find_map(|quotes| {
        let lines = text.lines().zip(1..);
        let (_, last) = lines.filter(|(line, _)| line.contains(quotes)).last()?;
        (text.matches(quotes).count() % 2 == 1).then_some(last)
    })
}

fn advice(line: &str, error: &Error) -> String {
    let line = line.trim();
    let said = error.message().lines().next().unwrap_or_default();
    if said.contains("duplicate key") {
        let key = line.split('=').next().unwrap_or_default().trim();
        return format!("{key} is there twice: keep one of the two lines");
    }
    if line.starts_with('[') && !line.contains('=') {
        return "a heading is [predict] or [answers], alone on its line".to_owned();
    }
    if line.starts_with("//") || line.starts_with("--") {
        return "a comment begins with #".to_owned();
    }
    let Some((key, value)) = line.split_once('=') else {
        if let Some((key, value)) = line.split_once('"').filter(|(key, _)| is_name(key)) {
            return format!(
                "write = between a name and its answer: write {} = {}",
                key.trim(),
                quoted(value)
            );
        }
        return match line.split_once(':') {
            Some((key, value)) if !key.contains(' ') => format!(
                "write = and not : between a name and its answer: {} = {}",
                key.trim(),
                quoted(value)
            ),
            _ => "this is neither an answer nor a comment: begin the line with #, or write NAME = \"...\""
                .to_owned(),
        };
    };
    // A second = is a slip, too.
    let (key, value) = (key.trim(), value.trim_start_matches(['=', ' ']).trim_end());
    if !is_name(key) {
        return format!("{key:?} is no name, and the names of the questions must stay as they are");
    }
    if value.contains([
        '\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{ab}', '\u{bb}',
    ]) {
        return format!("use straight quotes: write {key} = {}", quoted(value));
    }
    let quotes = value.matches('"').count();
    match (value.starts_with('"'), quotes) {
        _ if value.is_empty() => format!("an answer stands between quotes: write {key} = \"...\""),
        (true, _) if value.contains('\\') => {
            format!("an answer with \\ in it goes between single quotes: write {key} = '...'")
        }
        (true, 1) => format!(
            "the closing quote is missing: write {key} = {}",
            quoted(value)
        ),
        (true, 2) if !value.ends_with('"') => {
            let (answer, _) = value[1..].split_once('"').unwrap_or_default();
            format!(
                "behind an answer stands only a comment, which begins with #: write {key} = \"{answer}\""
            )
        }
        (true, 2) => format!(
            "write one = and one answer: write {key} = {}",
            quoted(value)
        ),
        (true, 3..) => {
            format!("an answer with quotes in it goes between single quotes: write {key} = '...'")
        }
        (false, _) if !value.starts_with(['\'', '[']) => {
            format!(
                "put the answer between quotes: write {key} = {}",
                quoted(value)
            )
        }
        _ => format!("this is not TOML ({said}): write {key} = \"...\""),
    }
}

/// Whether this can be the name of a question.
fn is_name(key: &str) -> bool {
    let key = key.trim().trim_matches('"');
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !key.is_empty() && key.chars().all(letter)
}

/// An answer between straight quotes, as it was meant.
fn quoted(value: &str) -> String {
    const QUOTES: [char; 9] = [
        '"', '\'', '\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{ab}', '\u{bb}',
    ];
    format!("\"{}\"", value.trim().trim_matches(QUOTES))
}
