//! Where the messages may begin, whether the last one is a command, and which of these hypotheses makes most sense.

use super::SURE;
use crate::{
    capture::dissect::Faithful,
    cryptanalysis::{Evidence, Given, Keystream, Language, Mode, Recovered, solve},
    cuts,
    protocol_faithful::message::{CHANGE, QUIT},
};

/// Most sessions end with a command. So the attack assumes one unless it makes this much less sense (a natural
/// logarithm) of each other message. A wrong one makes noise of the beginning of each; a right one may begin it with a
/// small letter.
const LEANING: f64 = 5.0;

/// The limit on the rounds of cutting.
const ROUNDS: usize = 4;

/// The solver's result for ciphertexts under one hypothesis.
pub(super) struct Solved {
    pub(super) recovered: Recovered,
    pub(super) evidence: Evidence,
    /// The in-band command that the last message was taken for.
    pub(super) ending: Option<&'static str>,
}

/// Takes the messages for English under one keystream, of which some are known.
pub(super) fn solved(ciphertexts: &[Vec<u8>], known: &[(usize, Vec<u8>)]) -> Solved {
    let certain = Keystream::of(ciphertexts, known);
    let english = Language::english();
    let recovered = solve(ciphertexts, english, &certain, Mode::Fast);
    let given = known.iter().map(|(message, text)| Given {
        message: *message,
        offset: 0,
        length: text.len(),
    });
    let given: Vec<Given> = given.collect();
    Solved {
        evidence: Evidence::of(ciphertexts, &recovered, &given, english),
        recovered,
        ending: None,
    }
}

/// A message that does not read as text is probably cut in the wrong place, so its bytes are not claimed. Tells how many
/// there are.
pub(super) fn leave_out_what_is_no_text(texts: &mut [Vec<Option<u8>>]) -> usize {
    let mut left_out = 0;
    for text in texts {
        let known: Vec<u8> = text.iter().copied().flatten().collect();
        if !cuts::is_text(&known) {
            text.fill(None);
            left_out += 1;
        }
    }
    left_out
}

/// Solves the session with its segments as messages, and cuts it again as long as the result improves. Also returns
/// whether the session was cut again.
pub(super) fn best_cuts(segments: Faithful, known: &[(u64, &[u8])]) -> (Faithful, Solved, bool) {
    let sent: usize = segments.messages.iter().map(Vec::len).sum();
    let count = segments.messages.len();
    let try_cuts = |cuts: &Faithful| {
        let mut solved = solve_session(cuts, known);
        // Each message could begin at any byte.
        let moved = cuts.messages.len().abs_diff(count).max(1);
        solved.evidence = solved.evidence.best_of(moved as f64 * (sent as f64).ln());
        solved
    };
    let mut best = solve_session(&segments, known);
    let (mut session, mut cut_otherwise) = (segments, false);
    let mut next = cuts::without_probes(&session);
    for _ in 0..ROUNDS {
        if next.messages != session.messages && next.messages.len() >= 2 {
            let other = try_cuts(&next);
            if other.evidence > best.evidence {
                (session, best, cut_otherwise) = (next, other, true);
            }
        }
        next = cuts::recut(&session, &keystream(&session, &best.recovered));
        if next.messages == session.messages {
            break;
        }
    }
    (session, best, cut_otherwise)
}

/// Solves the messages as they are cut now. The last message may be an in-band command, or a text of the same length:
/// the better reading is taken.
fn solve_session(session: &Faithful, known: &[(u64, &[u8])]) -> Solved {
    let at = |offset: u64| {
        session
            .places
            .iter()
            .position(|place| place.offset == offset)
    };
    let known = known.iter();
    let known = known.filter_map(|(offset, text)| Some((at(*offset)?, text.to_vec())));
    let mut known: Vec<(usize, Vec<u8>)> = known.collect();
    let without = solved(&session.messages, &known);
    let last = session.messages.len() - 1;
    let is_known = known.iter().any(|(number, _)| *number == last);
    let Some(command) = ending(session).filter(|_| !is_known) else {
        return without;
    };
    known.push((last, command.as_bytes().to_vec()));
    let with = Solved {
        ending: Some(command),
        ..solved(&session.messages, &known)
    };
    match with.evidence >= without.evidence.best_of(LEANING * last as f64) {
        true => with,
        false => without,
    }
}

/// The certain bytes of the keystream.
fn keystream(session: &Faithful, recovered: &Recovered) -> Vec<Option<u8>> {
    let longest = session.messages.iter().map(Vec::len).max().unwrap_or(0);
    let mut keystream = vec![None; longest];
    for (i, ciphertext) in session.messages.iter().enumerate() {
        let text = recovered.text(i, SURE);
        for ((key, byte), plain) in keystream.iter_mut().zip(ciphertext).zip(text) {
            *key = key.or(plain.map(|plain| plain ^ byte));
        }
    }
    keystream
}

/// The last message of a faithful session is an in-band command, and its length says which.
fn ending(session: &Faithful) -> Option<&'static str> {
    let (last, place) = (session.messages.last()?, session.places.last()?);
    let of_its_length = |command: &&str| command.len() == last.len() && place.lacks == 0;
    [CHANGE, QUIT].into_iter().find(of_its_length)
}
