//! Sentences on what a session lacks, the same in every program.

use crate::{
    losses,
    trace::{Side, Trace},
};

/// A sentence for each place where the capture lacks bytes of a session.
pub fn lacking(trace: &Trace) -> Vec<String> {
    let mut sent = [0_u64; 2];
    let mut gaps = trace.gaps.clone();
    gaps.sort_by_key(|gap| gap.before);
    let mut gaps = gaps.into_iter().peekable();
    let mut lines = Vec::new();
    for index in 0..=trace.chunks.len() {
        while let Some(gap) = gaps.next_if(|gap| gap.before <= index) {
            let offset = &mut sent[gap.from as usize];
            lines.push(missing(gap.from, *offset, gap.bytes, gap.cut));
            *offset += gap.bytes.unwrap_or(0);
        }
        if let Some(chunk) = trace.chunks.get(index) {
            sent[chunk.from as usize] += chunk.bytes.len() as u64;
        }
    }
    lines
}

/// The number of places that are named one by one.
const NAMED: usize = 8;

/// Like [`lacking`], in a few sentences, however many places there are.
pub fn lacking_in_short(trace: &Trace) -> Vec<String> {
    let mut lines = lacking(trace);
    if lines.len() > NAMED + 1 {
        let more = lines.len() - NAMED;
        lines.truncate(NAMED);
        let missing = trace.gaps.iter().filter_map(|gap| gap.bytes);
        let missing = losses::bytes(missing.fold(0, u64::saturating_add));
        lines.push(format!(
            "and {more} more such places: {missing} are missing in all"
        ));
    }
    lines
}

/// Says what is missing of a side's stream at an offset, in bytes; `None` bytes is an unknown number of them.
pub fn missing(from: Side, offset: u64, bytes: Option<u64>, cut: bool) -> String {
    let Some(bytes) = bytes.map(losses::bytes) else {
        return format!(
            "the capture lacks the TCP handshake: what the {from} sent before this, if anything, is not in it"
        );
    };
    match cut {
        true => format!(
            "the capture lacks {bytes} of the {from} from byte {offset} on: the recorder cut the packet"
        ),
        false => {
            format!("the capture lacks {bytes} of the {from} from byte {offset} on")
        }
    }
}
