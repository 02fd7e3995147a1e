//! Hardened records that share a keystream: their padding gives it away.

use std::collections::HashMap;

use crate::{
    Story,
    capture::{dissect, trace::Trace},
};

/// Where the text begins in a hardened plaintext: behind type (1), length (2), id (8) and kind (1).
const TEXT_AT: usize = 12;
/// The length of the end of a record that is taken for padding, to see which records share a keystream.
const SURELY_PADDING: usize = 8;

/// The texts, still encrypted, of those hardened records that share a keystream, and what is known of that keystream.
///
/// A record ends in zeros, so under one keystream the last bytes of two records are equal.
pub(super) fn texts_of_records(
    trace: &Trace,
    story: &mut Story,
) -> (Vec<Vec<u8>>, Vec<Option<u8>>) {
    // The client's first record is its login, under a key of its own; its last is a CLOSE, which is no text.
    let records = dissect::hardened(trace).client_records;
    let records: Vec<&[u8]> = match &records[..] {
        [_, between @ .., _] => between.iter().map(|record| record.ciphertext()).collect(),
        _ => Vec::new(),
    };
    let tail = |record: &[u8]| (record.len(), record.last_chunk::<SURELY_PADDING>().copied());
    let mut tails = HashMap::new();
    for record in &records {
        *tails.entry(tail(record)).or_insert(0_usize) += 1;
    }
    let alike = |record: &&[u8]| tails[&tail(record)];
    let most = records
        .iter()
        .copied()
        .max_by_key(alike)
        .filter(|record| alike(record) > 1);
    let shared: Vec<&[u8]> = match most {
        Some(most) => records
            .iter()
            .filter(|record| tail(record) == tail(most))
            .copied()
            .collect(),
        None => Vec::new(),
    };
    story.tell(format!(
        "records end in zeros, so records under one keystream have equal ends; of {} records, {} have",
        records.len(),
        shared.len()
    ));
    let (ends, keystream) = strip_padding(&shared);
    let texts = shared
        .iter()
        .zip(ends)
        .map(|(record, end)| record[TEXT_AT..end].to_vec());
    (texts.filter(|text| !text.is_empty()).collect(), keystream)
}

/// The end of each text, and the keystream where at least one text has ended. Going backwards, the padding's bytes
/// *are* the keystream. A record departs from the others where its text has begun.
fn strip_padding(records: &[&[u8]]) -> (Vec<usize>, Vec<Option<u8>>) {
    let width = records.first().map_or(TEXT_AT, |record| record.len());
    let mut ends = vec![TEXT_AT; records.len()];
    let mut keystream = vec![None; width - TEXT_AT];
    let mut padded: Vec<usize> = (0..records.len()).collect();
    for at in (TEXT_AT..width).rev() {
        let column: Vec<u8> = records.iter().map(|record| record[at]).collect();
        let byte = padding_byte(&column, &padded);
        keystream[at - TEXT_AT] = byte;
        padded.retain(|record| {
            let still_padding = Some(column[*record]) == byte;
            if !still_padding {
                ends[*record] = at + 1;
            }
            still_padding
        });
    }
    (ends, keystream)
}

/// The keystream byte of a column in which some records are padding. This byte must open the byte of every other record
/// to a printable character. (The XOR of two letters is no letter, so a letter is not taken for one.)
fn padding_byte(column: &[u8], padded: &[usize]) -> Option<u8> {
    let opens_all = |key: &u8| {
        column
            .iter()
            .all(|byte| byte == key || (b' '..=b'~').contains(&(byte ^ key)))
    };
    let candidates = padded
        .iter()
        .map(|record| column[*record])
        .filter(opens_all);
    candidates.max_by_key(|key| {
        padded
            .iter()
            .filter(|record| column[**record] == *key)
            .count()
    })
}

/// Opens what the padding has given away of the keystream; the rest is the solver's.
pub(super) fn opened(
    ciphertext: &[u8],
    keystream: &[Option<u8>],
    solved: Vec<Option<u8>>,
) -> Vec<Option<u8>> {
    let known = keystream.iter().copied().chain(std::iter::repeat(None));
    let bytes = ciphertext.iter().zip(known).zip(solved);
    bytes
        .map(|((byte, key), solved)| key.map(|key| byte ^ key).or(solved))
        .collect()
}
