//! Where the messages of a faithful session begin and end.
//!
//! Nothing in the protocol says it. A message is the text of one write, and mostly one segment. But TCP may join two
//! messages in one segment, or split one over several. The key settles the question. Each message is encrypted from the
//! beginning of the keystream, so bytes behind a wrong cut do not read as text.

use std::ops::Range;

use crate::capture::dissect::{Faithful, Place};

/// The longest message, in bytes.
const LONGEST: usize = 1024;

/// The limit, in bytes of a session, on the search for other cuts. Each byte takes a thousand steps.
const MOST_SEARCHED: usize = 1 << 16;

/// A text of at most this length reads as text by chance now and then. A byte of noise reads as text with a probability
/// of about one half.
const FEW: usize = 12;

/// The costs of hypotheses, in bits of surprise.
struct Prices {
    /// A cut where a segment ends.
    at_end: u32,
    /// A cut within a segment.
    within: u32,
    /// No cut where a segment ends.
    joined: u32,
    /// A message that is no text, beside its bytes.
    no_text: u32,
}

/// With the key every byte is known. A message of one byte must cost more than a message that goes on in the next
/// segment.
const WITH_KEY: Prices = Prices {
    at_end: 10,
    within: 20,
    joined: 4,
    no_text: u32::MAX,
};

/// Without the key, a few bytes of the keystream must be enough to show the beginning of a message. The unknown end of
/// a long message must not attract the next one.
const WITHOUT_KEY: Prices = Prices {
    at_end: 4,
    within: 10,
    joined: 14,
    no_text: 10,
};

/// The surprise of a byte of which nothing is known.
const UNKNOWN: u32 = 8;

/// The remark for a session whose segments are not its messages.
pub const CUTS_ARE_A_GUESS: &str = "the segments are not the messages: the cuts between messages are a guess, the one that reads best";

/// The messages of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// In order.
    pub messages: Vec<Message>,
    /// The remarks on the messages.
    pub remarks: Vec<String>,
}

/// One message, decrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// As it was sent.
    pub ciphertext: Vec<u8>,
    /// The text of the message.
    pub plaintext: Vec<u8>,
    /// How many bytes at its end the capture lacks.
    pub lacks: u64,
}

impl Message {
    /// The remark behind its text, if there is one.
    pub fn in_words(&self) -> String {
        lacks_in_words(self.lacks)
    }

    /// The bytes of the message; bytes that the capture lacks are unknown.
    pub fn claim(&self) -> Vec<Option<u8>> {
        let known = self.plaintext.iter().copied().map(Some).collect();
        with_lacking(known, self.lacks)
    }
}

/// The remark on messages that are no text.
pub fn unreadable_in_words(unreadable: usize, all: usize) -> String {
    format!("{unreadable} of {all} messages do not read as text, however they are cut")
}

/// A message of which bytes are missing at the end is not shown as whole.
pub fn lacks_in_words(lacks: u64) -> String {
    match lacks {
        0 => String::new(),
        lacks => format!(", and {lacks} more bytes that the capture lacks"),
    }
}

/// Adds the bytes that nobody knows. A header may claim more of them than a message can have.
pub fn with_lacking(mut message: Vec<Option<u8>>, lacks: u64) -> Vec<Option<u8>> {
    let all = (message.len() as u64 + lacks).min(LONGEST.max(message.len()) as u64);
    message.resize(all as usize, None);
    message
}

/// Decrypts a session by `open`. Where segments do not read as messages, other cuts are tried.
pub fn read(session: &Faithful, open: impl Fn(&[u8]) -> Vec<u8>) -> Reading {
    let mut reading = Reading::default();
    let mut unreadable = 0;
    let mut cut_otherwise = 0;
    let mut budget = MOST_SEARCHED;
    for run in session.runs() {
        let segments = &session.messages[run.clone()];
        // Only the last one of a run can lack its end.
        let lacks = session.places[run.end - 1].lacks;
        let opened: Vec<_> = segments.iter().map(|segment| open(segment)).collect();
        let as_sent = opened.iter().all(|text| is_text(text));
        let cuts = match as_sent {
            true => segment_cuts(segments),
            false => best_cuts(segments, &opened, &open, &mut budget),
        };
        cut_otherwise += usize::from(cuts != segment_cuts(segments));
        let bytes = segments.concat();
        let last = cuts.len() - 1;
        for (index, cut) in cuts.into_iter().enumerate() {
            let ciphertext = bytes[cut].to_vec();
            let plaintext = open(&ciphertext);
            unreadable += usize::from(!is_text(&plaintext));
            reading.messages.push(Message {
                ciphertext,
                plaintext,
                lacks: if index == last { lacks } else { 0 },
            });
        }
    }
    if cut_otherwise > 0 {
        reading.remarks.push(CUTS_ARE_A_GUESS.to_owned());
    }
    if unreadable > 0 {
        let all = reading.messages.len();
        reading.remarks.push(unreadable_in_words(unreadable, all));
    }
    reading
}

/// Takes each segment of one byte for the beginning of the next segment. A sender whose peer has no room left probes
/// with one byte (RFC 9293, 3.8.6.1).
pub fn without_probes(session: &Faithful) -> Faithful {
    let mut joined = Faithful {
        messages: Vec::new(),
        places: Vec::new(),
        ..session.clone()
    };
    for (message, place) in session.messages.iter().zip(&session.places) {
        match (joined.messages.last_mut(), joined.places.last_mut()) {
            (Some(probe), Some(at)) if probe.len() == 1 && place.joined => {
                probe.extend(message);
                at.lacks = place.lacks;
            }
            _ => {
                joined.messages.push(message.clone());
                joined.places.push(*place);
            }
        }
    }
    joined
}

/// Cuts a session again with a part of its keystream and without the key.
pub fn recut(session: &Faithful, keystream: &[Option<u8>]) -> Faithful {
    let surprises = |ciphertext: &[u8]| -> Vec<u32> {
        let known = keystream.iter().copied().chain(std::iter::repeat(None));
        let bytes = ciphertext.iter().zip(known);
        bytes
            .map(|(byte, key)| key.map_or(UNKNOWN, |key| bits(byte ^ key)))
            .collect()
    };
    let mut recut = Faithful {
        messages: Vec::new(),
        places: Vec::new(),
        ..session.clone()
    };
    let mut budget = MOST_SEARCHED;
    for run in session.runs() {
        let segments = &session.messages[run.clone()];
        let (first, last) = (session.places[run.start], session.places[run.end - 1]);
        let bytes = segments.concat();
        for cut in searched(segments, &surprises, &mut budget, &WITHOUT_KEY) {
            recut.places.push(Place {
                offset: first.offset + cut.start as u64,
                lacks: if cut.end == bytes.len() {
                    last.lacks
                } else {
                    0
                },
                joined: cut.start > 0 || first.joined,
            });
            recut.messages.push(bytes[cut].to_vec());
        }
    }
    recut
}

fn segment_cuts(segments: &[Vec<u8>]) -> Vec<Range<usize>> {
    let mut end = 0;
    let cut = |segment: &Vec<u8>| {
        let begin = end;
        end += segment.len();
        begin..end
    };
    segments.iter().map(cut).collect()
}

/// Whether bytes are what a person types: UTF-8 with few control characters, a whole character at the end or not.
pub fn is_text(bytes: &[u8]) -> bool {
    let whole = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            return is_text(&bytes[..error.valid_up_to()]);
        }
        Err(_) => return false,
    };
    let steers = |c: &char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    whole.chars().filter(steers).count() * 4 <= whole.len()
}

/// Keeps the segments that read, and looks for other cuts in the stretches around those that do not.
fn best_cuts(
    segments: &[Vec<u8>],
    opened: &[Vec<u8>],
    open: &impl Fn(&[u8]) -> Vec<u8>,
    budget: &mut usize,
) -> Vec<Range<usize>> {
    let ends: Vec<Range<usize>> = segment_cuts(segments);
    let mut cuts = Vec::new();
    let mut at = 0;
    while at < segments.len() {
        let Some(bad) = (at..segments.len()).find(|index| !is_text(&opened[*index])) else {
            cuts.extend(ends[at..].iter().cloned());
            break;
        };
        // The segment before may be the beginning of a message that this one continues. Few bytes read as text by chance.
        let is_sure = |index: usize| segments[index].len() > FEW && is_text(&opened[index]);
        let mut first = bad;
        while first > at {
            first -= 1;
            if is_sure(first) {
                break;
            }
        }
        cuts.extend(ends[at..first].iter().cloned());
        // One that reads may still be the beginning of a message that goes on in the next segment.
        let ends_here = |index: &usize| {
            is_sure(*index) && opened.get(index + 1).is_none_or(|next| is_text(next))
        };
        let next_sure = (bad..segments.len()).find(ends_here);
        let last = next_sure.unwrap_or(segments.len() - 1);
        let begin = ends[first].start;
        let surprises = |bytes: &[u8]| open(bytes).into_iter().map(bits).collect();
        cuts.extend(
            searched(&segments[first..=last], &surprises, budget, &WITH_KEY)
                .into_iter()
                .map(|cut| begin + cut.start..begin + cut.end),
        );
        at = last + 1;
    }
    cuts
}

/// The cuts of a stretch that make its bytes least surprising, by dynamic programming over where messages end.
fn searched(
    segments: &[Vec<u8>],
    surprises: &impl Fn(&[u8]) -> Vec<u32>,
    budget: &mut usize,
    prices: &Prices,
) -> Vec<Range<usize>> {
    let bytes = segments.concat();
    let ends = segment_cuts(segments);
    let Some(left) = budget.checked_sub(bytes.len()) else {
        return ends;
    };
    *budget = left;
    let mut segment_ends = vec![false; bytes.len() + 1];
    ends.iter().for_each(|cut| segment_ends[cut.end] = true);
    // For each place: the least surprise up to there, and where the message before it begins.
    let mut best = vec![(u32::MAX, 0); bytes.len() + 1];
    best[0].0 = 0;
    for begin in 0..bytes.len() {
        if best[begin].0 == u32::MAX {
            continue;
        }
        let longest = &bytes[begin..bytes.len().min(begin + LONGEST)];
        let mut as_text = best[begin].0;
        let mut as_noise = as_text.saturating_add(prices.no_text);
        for (surprise, end) in surprises(longest).into_iter().zip(begin + 1..) {
            as_text = as_text.saturating_add(surprise);
            as_noise = as_noise.saturating_add(UNKNOWN);
            let cut = match segment_ends[end] {
                true => prices.at_end,
                false => prices.within,
            };
            let here = as_text.min(as_noise).saturating_add(cut);
            if here < best[end].0 {
                best[end] = (here, begin);
            }
            if segment_ends[end] {
                as_text = as_text.saturating_add(prices.joined);
                as_noise = as_noise.saturating_add(prices.joined);
            }
        }
    }
    let mut cuts = Vec::new();
    let mut end = bytes.len();
    while end > 0 {
        let begin = best[end].1;
        cuts.push(begin..end);
        end = begin;
    }
    cuts.reverse();
    cuts
}

/// How surprising a byte is in what a person types, in bits, roughly.
fn bits(byte: u8) -> u32 {
    match byte {
        b' ' | b'a'..=b'z' => 5,
        b'A'..=b'Z' | b'0'..=b'9' | b'.' | b',' | b'(' | b')' | b'\'' | b'?' | b'!' | b'-' => 7,
        b'!'..=b'~' => 10,
        b'\t' | b'\n' | b'\r' | 0x1b => 16,
        0x80.. => 14,
        _ => 40,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::dissect::Place;

    const TEXTS: [&str; 4] = [
        "hello my name is alice",
        "pay bob 10",
        "ok, see you",
        "please send me the report",
    ];

    /// A keystream of no cipher: only that it begins again for each message is of interest.
    fn open(ciphertext: &[u8]) -> Vec<u8> {
        let byte = |at: usize| (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[1] ^ 0xa5;
        let bytes = ciphertext.iter().enumerate();
        bytes.map(|(at, cipher)| cipher ^ byte(at)).collect()
    }

    /// The texts, encrypted, in segments that end at these offsets of the whole.
    fn session(ends: &[usize]) -> Faithful {
        let sent = TEXTS.map(|text| open(text.as_bytes())).concat();
        let mut session = Faithful::default();
        let mut begin = 0;
        for &end in ends.iter().chain([&sent.len()]) {
            session.messages.push(sent[begin..end].to_vec());
            session.places.push(Place {
                offset: begin as u64,
                lacks: 0,
                joined: begin > 0,
            });
            begin = end;
        }
        session
    }

    fn texts(reading: &Reading) -> Vec<String> {
        let text = |message: &Message| String::from_utf8_lossy(&message.plaintext).into_owned();
        reading.messages.iter().map(text).collect()
    }

    #[test]
    fn the_messages_are_found_however_the_segments_were_cut() {
        let whole = read(&session(&[22, 32, 43]), open);
        assert_eq!(
            (texts(&whole), whole.remarks.len()),
            (TEXTS.map(str::to_owned).to_vec(), 0)
        );
        // Joined, split after one byte, split within, all in one, and both at once.
        for ends in [
            &[22][..],
            &[22, 23, 32, 43],
            &[9, 22, 32, 43],
            &[],
            &[22, 40],
            &[1, 2, 3],
        ] {
            let reading = read(&session(ends), open);
            assert_eq!(texts(&reading), TEXTS, "{ends:?}");
            assert!(reading.remarks[0].contains("a guess"), "{ends:?}");
        }
    }

    #[test]
    fn what_is_no_text_is_said_to_be_none() {
        let mut noise = session(&[22, 32, 43]);
        for (index, message) in noise.messages.iter_mut().enumerate() {
            let byte = |at: usize| ((at + 7 * index + 3).pow(3) % 251) as u8 | 0x80;
            let len = message.len();
            *message = (0..len).map(byte).collect();
        }
        let remarks = read(&noise, open).remarks;
        assert!(
            remarks.iter().any(|line| line.contains("do not read")),
            "{remarks:?}"
        );
    }

    #[test]
    fn a_message_without_its_end_is_not_whole() {
        let mut cut = session(&[22, 32, 43]);
        cut.places[3].lacks = 1 << 40;
        let reading = read(&cut, open);
        assert_eq!(reading.messages[3].claim().len(), LONGEST);
        assert!(reading.messages[3].in_words().contains("lacks"));
    }
}
