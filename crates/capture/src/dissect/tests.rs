//! Views of hand-made sessions.

use super::*;
use crate::trace::{Chunk, Gap};

/// A trace of chunks, a millisecond apart.
fn trace(chunks: &[(Side, &[u8])]) -> Trace {
    let mut trace = Trace::default();
    for (index, (from, bytes)) in chunks.iter().enumerate() {
        trace.chunks.push(Chunk {
            from: *from,
            at: Duration::from_millis(index as u64),
            bytes: bytes.to_vec(),
        });
    }
    trace
}

fn record(bucket: usize, fill: u8) -> Vec<u8> {
    let length = (bucket + 32) as u32;
    [
        &length.to_be_bytes()[..],
        &vec![fill; bucket],
        &[fill + 1; 32],
    ]
    .concat()
}

/// An honest faithful session, the server's replies cut at `cuts`.
fn faithful_session(cuts: [usize; 2]) -> Trace {
    let replies = [faithful::GREETING, &[7; 32], &[8; 8]].concat();
    trace(&[
        (Side::Client, &[9; 128]),
        (Side::Server, &replies[..cuts[0]]),
        (Side::Server, &replies[cuts[0]..cuts[1]]),
        (Side::Server, &replies[cuts[1]..]),
        (Side::Client, b"\x01\x02"),
        (Side::Client, b"\x03"),
    ])
}

fn hardened_session() -> Trace {
    let hello = [&CLIENT_MAGIC[..], &[2, 0], &[3; 64]].concat();
    let answer = [&[2, 0][..], &[4; 64], &record(1024, 5)].concat();
    let login = record(1024, 6);
    trace(&[
        (Side::Client, &hello[..50]),
        (Side::Client, &hello[50..]),
        (Side::Server, &answer),
        (Side::Client, &login[..500]),
        (Side::Client, &[&login[500..], &record(64, 7)[..]].concat()),
    ])
}

#[test]
fn a_faithful_session_is_read_however_the_replies_were_cut() {
    for cuts in [[26, 58], [0, 0], [66, 66], [1, 60]] {
        let trace = faithful_session(cuts);
        assert_eq!(protocol(&trace), Protocol::Faithful);
        let view = faithful(&trace);
        assert_eq!((view.login.len(), view.greeted), (128, true));
        assert_eq!((view.key, view.iv), (Some([7; 32]), Some([8; 8])));
        assert_eq!(view.messages, [vec![1, 2], vec![3]]);
        assert_eq!(view.other, []);
    }
}

#[test]
fn a_refused_login_and_a_blanked_server_have_no_key() {
    let refused = faithful(&trace(&[(Side::Client, &[9; 127])]));
    assert_eq!(
        (refused.login.len(), refused.greeted, refused.key),
        (127, false, None)
    );
    let mut blanked = faithful_session([26, 58]);
    blanked
        .chunks
        .iter_mut()
        .filter(|chunk| chunk.from == Side::Server)
        .for_each(|chunk| chunk.bytes.fill(0));
    assert_eq!(protocol(&blanked), Protocol::Faithful);
    let view = faithful(&blanked);
    assert_eq!((view.key, view.iv, view.messages.len()), (None, None, 2));
}

#[test]
fn a_key_cut_short_is_no_key() {
    let mut trace = faithful_session([26, 50]);
    trace.chunks.remove(3);
    let view = faithful(&trace);
    assert_eq!((view.greeted, view.key, view.iv), (true, None, None));
    assert_eq!(
        view.other
            .iter()
            .map(|field| field.part)
            .collect::<Vec<_>>(),
        [Part::SessionKey]
    );
}

#[test]
fn a_hardened_session_gives_hellos_and_records() {
    let trace = hardened_session();
    assert_eq!(protocol(&trace), Protocol::Hardened);
    let view = hardened(&trace);
    assert_eq!(view.client_hello.map(|hello| hello.len()), Some(74));
    assert_eq!(view.server_hello.map(|hello| hello.len()), Some(66));
    assert_eq!(view.server_records.len(), 1);
    let [login, message] = &view.client_records[..] else {
        panic!("two records")
    };
    assert_eq!(
        (login.wire.len(), login.offset, login.tag()),
        (1060, 74, &[7; 32][..])
    );
    assert_eq!(
        (message.as_ref(), message.ciphertext()),
        (&record(64, 7)[..], &[7; 64][..])
    );
    assert_eq!(view.other, []);
}

#[test]
fn behind_a_gap_or_a_wrong_length_no_record_is_made_up() {
    let mut lossy = hardened_session();
    lossy.gaps.push(Gap {
        from: Side::Client,
        before: 4,
        bytes: Some(1),
        cut: false,
    });
    assert_eq!(hardened(&lossy).client_records, []);
    let mut wrong = hardened_session();
    wrong.chunks[3].bytes[3] ^= 1;
    let view = hardened(&wrong);
    assert_eq!((view.client_records.len(), view.other.len()), (0, 1));
}

#[test]
fn a_weakened_session_says_so() {
    let mut weakened = hardened_session();
    weakened.chunks[0].bytes[..8].copy_from_slice(&WEAKENED_MAGIC);
    assert_eq!(protocol(&weakened), Protocol::Weakened);
    assert_eq!(hardened(&weakened).client_records.len(), 2);
}

/// Bytes that are as good as random.
fn noise(seed: u32, len: usize) -> Vec<u8> {
    let step = |state: &mut u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some((*state >> 24) as u8)
    };
    let mut state = seed;
    std::iter::from_fn(|| step(&mut state)).take(len).collect()
}

fn gap(from: Side, before: usize, bytes: Option<u64>) -> Gap {
    Gap {
        from,
        before,
        bytes,
        cut: false,
    }
}

#[test]
fn random_sessions_are_never_faithful_whatever_their_sizes() {
    for seed in 0..2_000 {
        let first = noise(seed, 120 + (seed % 9) as usize);
        let mut session = trace(&[
            (Side::Client, &first),
            (Side::Server, &noise(seed + 1, 26)),
            (Side::Server, &noise(seed + 2, 40)),
            (Side::Client, &noise(seed + 3, 17)),
            (Side::Client, &noise(seed + 4, 8)),
        ]);
        assert_eq!(identify(&session).protocol, Protocol::Unknown);
        // Nor where the TCP handshake is missing.
        session.gaps = vec![gap(Side::Client, 0, None), gap(Side::Server, 1, None)];
        assert_eq!(identify(&session).protocol, Protocol::Unknown);
    }
}

#[test]
fn without_the_server_a_session_is_possible_and_never_certain() {
    let login = noise(7, 128);
    let message = noise(8, 30);
    let refused = trace(&[(Side::Client, &login)]);
    assert!(identify(&refused).to_string().contains("did not answer"));
    let mut one_way = trace(&[(Side::Client, &login), (Side::Client, &message)]);
    one_way.gaps.push(gap(Side::Server, 2, Some(66)));
    assert!(
        identify(&one_way)
            .to_string()
            .contains("lacks what the server sent")
    );
    let mut late = trace(&[(Side::Client, &message), (Side::Client, &message)]);
    late.gaps.push(gap(Side::Client, 0, None));
    assert!(
        identify(&late)
            .to_string()
            .contains("begins within the session")
    );
    for session in [refused, one_way, late] {
        let identity = identify(&session);
        assert_eq!(
            (identity.protocol, identity.is_certain()),
            (Protocol::Faithful, false)
        );
    }
    // Other protocols that send 120 to 128 bytes, or small segments, and whose server was not heard.
    let hello = [&[22, 3, 1, 0, 120][..], &noise(9, 119)].concat();
    let text = [b"GET / HTTP/1.1\r\nHost: ", &[b'x'; 100][..]].concat();
    for first in [&hello, &text] {
        let mut stranger = trace(&[(Side::Client, first)]);
        assert_eq!(identify(&stranger).protocol, Protocol::Unknown);
        stranger.gaps.push(gap(Side::Client, 0, None));
        assert_eq!(identify(&stranger).protocol, Protocol::Unknown);
    }
}

#[test]
fn without_a_handshake_the_bytes_say_who_is_the_server() {
    for mut session in [faithful_session([26, 58]), hardened_session()] {
        let expected = session.clone();
        session.flip();
        // With a handshake, roles are certain.
        assert!(!identify(&session).is_certain() || session == expected);
        session.gaps = vec![gap(Side::Client, 0, None), gap(Side::Server, 0, None)];
        let identity = identify(&session);
        assert!(identity.flipped && identity.is_certain());
        assert_eq!(identity.protocol, protocol(&expected));
    }
}

#[test]
fn a_reply_that_is_cut_is_none_and_says_how_much_is_missing() {
    let mut session = faithful_session([26, 56]);
    // The key is cut after 30 bytes; the last two are not in the capture.
    let Some(chunk) = session.chunks.get_mut(3) else {
        panic!("the rest of the replies");
    };
    chunk.bytes.drain(..2);
    session.gaps.push(Gap {
        cut: true,
        ..gap(Side::Server, 3, Some(2))
    });
    let view = faithful(&session);
    assert_eq!(
        (view.greeted, view.key, view.iv),
        (true, None, Some([8; 8]))
    );
    assert_eq!(
        lacking(&session),
        ["the capture lacks 2 bytes of the server from byte 56 on: the recorder cut the packet"]
    );
}

#[test]
fn where_the_recorder_kept_next_to_nothing_sizes_make_it_possible() {
    for kept in [0, 2, 7] {
        let mut session = Trace::default();
        for (from, len) in [
            (Side::Client, 128),
            (Side::Server, 26),
            (Side::Server, 32),
            (Side::Server, 8),
            (Side::Client, 22),
        ] {
            let whole = match len {
                26 => faithful::GREETING.to_vec(),
                _ => noise(len as u32, len),
            };
            if kept > 0 {
                session.push(Item::Chunk(Chunk {
                    from,
                    at: Duration::ZERO,
                    bytes: whole[..kept].to_vec(),
                }));
            }
            let bytes = Some((len - kept) as u64);
            session.push(Item::Lost {
                from,
                bytes,
                cut: true,
            });
        }
        let identity = identify(&session);
        assert_eq!(
            (identity.protocol, identity.is_certain()),
            (Protocol::Faithful, false),
            "{kept}"
        );
        let view = faithful(&session);
        assert_eq!(
            (view.greeted, view.key, view.iv),
            (false, None, None),
            "{kept}"
        );
        assert_eq!(view.messages.len(), usize::from(kept > 0), "{kept}");
    }
}

#[test]
fn many_gaps_are_summed_up() {
    let mut session = Trace::default();
    for _ in 0..1_000 {
        session.push(Item::Chunk(Chunk {
            from: Side::Client,
            at: Duration::ZERO,
            bytes: vec![1],
        }));
        session.push(Item::Lost {
            from: Side::Client,
            bytes: Some(9),
            cut: true,
        });
    }
    let lines = lacking_in_short(&session);
    assert_eq!((lacking(&session).len(), lines.len()), (1_000, 9));
    assert_eq!(
        lines[8],
        "and 992 more such places: 9000 bytes are missing in all"
    );
}
