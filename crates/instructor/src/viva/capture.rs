//! A question about some bytes of the student's own capture.

use std::{fs, path::Path};

use latchstring_classroom::capture::{
    dissect::{Field, Part, fields},
    sessions_from_bytes,
    trace::{Side, Trace},
};
use rand::{Rng, seq::IndexedRandom};

use super::Question;

/// Asks for a field of a capture; `None` if the lab has none.
pub(super) fn question(
    folder: &Path,
    randomness: &mut impl Rng,
) -> anyhow::Result<Option<Question>> {
    let mut all = Vec::new();
    let mut paths: Vec<_> = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "pcap"))
        .collect();
    paths.sort();
    for path in paths {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let traces = sessions_from_bytes(&name, &fs::read(&path)?).unwrap_or_default();
        for trace in traces {
            let fields = fields(&trace).into_iter().filter(is_asked);
            all.extend(fields.map(|field| about(&name, &trace, &field)));
        }
    }
    Ok(all.choose(randomness).cloned())
}

/// What a student can name, and say why it is there.
fn is_asked(field: &Field) -> bool {
    !matches!(
        field.part,
        Part::Cut | Part::Unknown | Part::Version | Part::Suite
    )
}

fn about(name: &str, trace: &Trace, field: &Field) -> Question {
    let stream = trace.stream(field.from);
    let bytes = stream.get(field.range.clone()).unwrap_or_default();
    let begin: String = bytes
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x} "))
        .collect();
    let (from, to) = (field.range.start, field.range.end.saturating_sub(1));
    let side = match field.from {
        Side::Client => "client",
        Side::Server => "server",
    };
    Question {
        about: "Your capture".to_owned(),
        text: format!(
            "In {name}, the bytes {from} to {to} that the {side} sends begin with {}. What are they? Who can make use of them, and what for?",
            begin.trim_end()
        ),
        lines: Vec::new(),
        answer: format!(
            "{} ({} bytes). `latchstring read {name}` shows it in its place.",
            field.part,
            bytes.len()
        ),
    }
}
