//! Where messages begin and end in what one side sent, under one keystream: the most probable cutting.
//!
//! The faithful protocol has no framing, so the borders of TCP segments are the only sign of messages, and they
//! mislead. Several messages may share a segment. One message may have several (a zero-window probe sends its first
//! byte alone). A hole may begin in the middle of a message. So each cutting is a hypothesis with a probability. Under
//! the right keystream the messages show by themselves: each begins where the keystream begins again.

use super::text::{Follower, Gains};

/// The bytes of one side without a hole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where segments begin, in order; 0 may be left out.
    pub segments: Vec<usize>,
}

impl Stretch {
    /// The segments, one behind the other.
    pub fn of<'a>(segments: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut stretch = Self::default();
        for segment in segments {
            stretch.segments.push(stretch.bytes.len());
            stretch.bytes.extend(segment);
        }
        stretch
    }
}

/// One part of a cutting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) start: usize,
    pub(super) end: usize,
    /// A message, or bytes that are no text under this keystream: a login, an odd message, the end of one whose beginning is
    /// missing.
    pub(super) is_text: bool,
}

/// A cutting, and how much better it explains the bytes than chance does (a natural logarithm). The figure counts only
/// the places of the cuts, not the bytes of the texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Cutting {
    pub(super) pieces: Vec<Piece>,
    /// Together with the gains of the texts' bytes.
    pub(super) score: f64,
}

/// How probable things are, as natural logarithms.
mod ln {
    /// A piece is text, or not: nine to one.
    pub(super) const TEXT: f64 = -0.105;
    pub(super) const NOT_TEXT: f64 = -2.303;
    /// A message ends at the border of a segment with odds of nine to one, and hardly ever elsewhere. Otherwise a
    /// number at the end of a message would be taken for two letters of another one.
    pub(super) const ENDS_AT_BORDER: f64 = -0.105;
    pub(super) const GOES_ON_AT_BORDER: f64 = -2.303;
    pub(super) const ENDS_ELSEWHERE: f64 = -9.210;
    pub(super) const GOES_ON_ELSEWHERE: f64 = -0.0001;
    /// A message that is not text ends at a border half of the time, and elsewhere once in a hundred bytes.
    pub(super) const NOT_TEXT_AT_BORDER: f64 = -0.694;
    pub(super) const NOT_TEXT_ENDS: f64 = -4.605;
    pub(super) const NOT_TEXT_GOES_ON: f64 = -0.0101;
}

/// The best way that leads to a place.
#[derive(Clone, Copy)]
struct Way {
    score: f64,
    /// The last piece.
    start: usize,
    is_text: bool,
}

const NO_WAY: Way = Way {
    score: f64::NEG_INFINITY,
    start: 0,
    is_text: false,
};

/// Cuts a stretch into messages under this keystream (the algorithm of Viterbi, 1967). Linear in the length, since a message
/// that begins at a wrong place stops being text after two or three bytes.
pub(super) fn cut(stretch: &Stretch, keystream: &[u8], gains: &Gains) -> Cutting {
    let bytes = &stretch.bytes;
    let mut borders = vec![false; bytes.len() + 1];
    for &at in &stretch.segments {
        borders[at.min(bytes.len())] = true;
    }
    let start = Way {
        score: 0.0,
        ..NO_WAY
    };
    // The best way to each place at which a piece may begin, and to each place inside bytes that are no text.
    let mut cuts = vec![NO_WAY; bytes.len() + 1];
    cuts[0] = start;
    let mut noise = NO_WAY;
    for at in 0..=bytes.len() {
        let border = borders[at];
        if at > 0 {
            let (leave, stay) = match (at == bytes.len(), border) {
                (true, _) => (0.0, 0.0),
                (_, true) => (ln::NOT_TEXT_AT_BORDER, ln::NOT_TEXT_AT_BORDER),
                (_, false) => (ln::NOT_TEXT_ENDS, ln::NOT_TEXT_GOES_ON),
            };
            better(
                &mut cuts[at],
                Way {
                    score: noise.score + leave,
                    ..noise
                },
            );
            noise.score += stay;
        }
        let here = cuts[at].score;
        let begins = Way {
            score: here + ln::NOT_TEXT,
            start: at,
            is_text: false,
        };
        better(&mut noise, begins);
        messages_from(
            at,
            here + ln::TEXT,
            bytes,
            keystream,
            gains,
            &borders,
            &mut cuts,
        );
    }
    traced(&cuts)
}

/// All messages that can begin at a place.
fn messages_from(
    start: usize,
    mut score: f64,
    bytes: &[u8],
    keystream: &[u8],
    gains: &Gains,
    borders: &[bool],
    cuts: &mut [Way],
) {
    let mut follower = Follower::default();
    for (end, (byte, key)) in (start + 1..).zip(bytes[start..].iter().zip(keystream)) {
        let byte = byte ^ key;
        let Some(next) = follower.then(byte) else {
            break;
        };
        follower = next;
        score += gains[usize::from(byte)];
        let (ends, goes_on) = match (end == bytes.len(), borders[end]) {
            (true, _) => (0.0, 0.0),
            (_, true) => (ln::ENDS_AT_BORDER, ln::GOES_ON_AT_BORDER),
            (_, false) => (ln::ENDS_ELSEWHERE, ln::GOES_ON_ELSEWHERE),
        };
        if follower.may_end() {
            let way = Way {
                score: score + ends,
                start,
                is_text: true,
            };
            better(&mut cuts[end], way);
        }
        score += goes_on;
    }
}

fn better(best: &mut Way, way: Way) {
    if way.score > best.score {
        *best = way;
    }
}

fn traced(cuts: &[Way]) -> Cutting {
    let mut cutting = Cutting {
        pieces: Vec::new(),
        score: cuts[cuts.len() - 1].score,
    };
    let mut end = cuts.len() - 1;
    while end > 0 {
        let Way { start, is_text, .. } = cuts[end];
        cutting.pieces.push(Piece {
            start,
            end,
            is_text,
        });
        end = start;
    }
    cutting.pieces.reverse();
    cutting
}

#[cfg(test)]
mod tests {
    use super::super::text::{KINDS, keystream};
    use super::*;
    use crate::keystream::xor;

    fn encrypted(texts: &[&str], key: &[u8]) -> Vec<u8> {
        texts
            .iter()
            .flat_map(|text| xor(text.as_bytes(), key))
            .collect()
    }

    fn texts(stretch: &Stretch, key: &[u8]) -> Vec<String> {
        let pieces = cut(stretch, key, &KINDS[0]).pieces.into_iter();
        let texts = pieces.filter(|piece| piece.is_text);
        let text = |piece: Piece| xor(&stretch.bytes[piece.start..piece.end], key);
        texts
            .map(|piece| String::from_utf8(text(piece)).unwrap())
            .collect()
    }

    #[test]
    fn messages_show_wherever_the_segments_were_cut() {
        let key = keystream(&[7; 40], 100);
        let said = [
            "the meeting is at noon",
            "ok",
            "bring the red folder, please",
            "quit()",
        ];
        let bytes = encrypted(&said, &key);
        let sent: Vec<usize> = vec![0, 22, 24, 52];
        for segments in [
            sent.clone(),
            vec![0],
            vec![0, 22, 23, 24, 52],
            vec![0, 30],
            vec![0, 24, 25, 52],
        ] {
            let stretch = Stretch {
                bytes: bytes.clone(),
                segments: segments.clone(),
            };
            // Two letters of their own are no evidence, unless a segment begins and ends with them.
            let read = texts(&stretch, &key);
            let expected: Vec<&str> = match segments == sent {
                true => said.to_vec(),
                false => said
                    .into_iter()
                    .filter(|text| read.contains(&(*text).to_owned()))
                    .collect(),
            };
            assert_eq!(read, expected, "{segments:?}");
            assert!(read.contains(&said[0].to_owned()) && read.contains(&said[2].to_owned()));
        }
    }

    #[test]
    fn what_is_no_text_is_left_out() {
        let key = keystream(&[7; 40], 200);
        let login = keystream(&[9; 40], 128);
        let odd = keystream(&[11; 40], 40);
        let message = encrypted(&["see you at the station"], &key);
        let bytes = [&login[..], &message, &odd, &message].concat();
        let stretch = Stretch {
            bytes,
            segments: vec![60, 128, 150, 190],
        };
        assert_eq!(texts(&stretch, &key), ["see you at the station"; 2]);
        assert!(
            texts(&stretch, &keystream(&[8; 40], 200))
                .iter()
                .all(|text| text.len() < 6)
        );
        assert!(cut(&Stretch::default(), &key, &KINDS[0]).pieces.is_empty());
    }
}
