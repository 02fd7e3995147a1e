//! Strangers' text for any of the files, and the sentences about a result.

use crate::grades::{Item, Lab, LabResult};

/// The text without control characters, except line ends. Platforms show text in a browser, and some keep it in a
/// database that refuses a zero byte.
pub(super) fn plain(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.replace(|c: char| c.is_control() && c != '\n', " ")
}

/// The same in one line, with single spaces.
pub(super) fn one_line(text: &str) -> String {
    let text = plain(text);
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// At most so many characters, and a mark where the rest was cut.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) if most == 0 => String::new(),
        Some(_) => {
            let kept = text.chars().take(most - 1);
            kept.chain(['…']).collect()
        }
    }
}

/// What is said of a whole result: time, hints, and the remarks that the student may read.
pub(super) fn about(lab: &Lab, result: Option<&LabResult>) -> Vec<String> {
    let Some(result) = result else {
        return vec![format!("{}: nothing was submitted.", one_line(&lab.title))];
    };
    let late = (result.late_minutes > 0).then(|| {
        format!(
            "Submitted {} after the deadline.",
            count(result.late_minutes, "minute")
        )
    });
    let hints = (result.hints > 0).then(|| format!("{} taken.", count(result.hints, "hint")));
    let open = result.not_graded();
    let open = open.map(|item| format!("Not graded yet: {}.", one_line(&item.title)));
    let remarks = result.remarks_for_student().map(|one| plain(&one.sentence));
    (late.into_iter().chain(hints))
        .chain(open)
        .chain(remarks)
        .collect()
}

fn count(number: u32, of: &str) -> String {
    match number {
        1 => format!("1 {of}"),
        more => format!("{more} {of}s"),
    }
}

/// One item in a line: whether it passed or was not graded, its points and its title; the message follows in lines of its own.
pub(super) fn item(item: &Item) -> String {
    let word = match (item.passed, item.not_graded) {
        (true, _) => "pass",
        (false, true) => "not graded",
        (false, false) => "FAIL",
    };
    let line = format!(
        "{word} {}/{} {}",
        item.points,
        item.of,
        one_line(&item.title)
    );
    match item.message.is_empty() {
        true => line,
        false => format!("{line}\n{}", plain(&item.message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_its_lines_and_loses_its_control_characters() {
        assert_eq!(plain("a\r\nb\u{1b}[31m\0c\t"), "a\nb [31m c ");
        assert_eq!(one_line(" a\n\n b\tc "), "a b c");
        assert_eq!(shortened("äbcd", 3), "äb…");
        assert_eq!(shortened("äbc", 3), "äbc");
        assert_eq!(shortened("äbc", 0), "");
    }
}
