use super::*;

const NEVER: fn(Progress<'_>) -> ControlFlow<()> = |_| ControlFlow::Continue(());

/// One session's messages under the secrets.
fn session(secrets: &Secrets, texts: &[&str]) -> Sniffed {
    Sniffed::new(texts.iter().map(|text| crypt(secrets, text.as_bytes())))
}

#[test]
fn the_seed_is_found_from_ciphertext_alone() {
    let texts = ["hi bob", "the meeting is at noon", "déjà vu, à demain"];
    for generator in Generator::ALL {
        for seed in [1_700_000_123, 1_700_000_000_123_456] {
            let sniffed = session(&generator.bytes(seed), &texts);
            let found = Search::new(generator).run(seed - 9_000..=seed + 9_000, &sniffed, NEVER);
            assert_eq!(found.hits.len(), 1, "{generator}");
            assert_eq!(found.hits[0].seed, seed);
            assert_eq!((found.tried, found.next), (18_001, None));
            let read = sniffed.read(&found.hits[0].secrets);
            assert_eq!(read, texts.map(|text| Read::Text(text.to_owned())));
            assert!(sniffed.chance(&found.hits[0].secrets) < 1e-12);
        }
    }
}

#[test]
fn both_ways_find_the_same_and_keep_to_the_limits() {
    // Short enough for many chance hits.
    let mut sniffed = session(&Generator::PhpMtRand.bytes(5_000), &["abc"]);
    sniffed = sniffed.accepting(1.0);
    for generator in Generator::ALL {
        let mut search = Search::new(generator);
        for range in [
            0..=0,
            1..=300,
            130..=260,
            8_000..=8_400,
            u64::MAX - 300..=u64::MAX,
        ] {
            search.plain = true;
            let plain = search.run(range.clone(), &sniffed, NEVER);
            search.plain = false;
            assert_eq!(
                search.run(range.clone(), &sniffed, NEVER),
                plain,
                "{generator}"
            );
            assert!(plain.hits.iter().all(|hit| range.contains(&hit.seed)));
        }
    }
    let backwards = RangeInclusive::new(5, 4);
    assert_eq!(
        Search::new(Generator::CRand)
            .run(backwards, &sniffed, NEVER)
            .tried,
        0
    );
}

#[test]
fn a_search_can_be_ended_and_resumed() {
    let seed = ROUND * 2 + 5;
    let secrets: Secrets = Generator::Mt19937.bytes(seed);
    let test = |candidate: &Secrets| *candidate == secrets;
    let search = Search::new(Generator::Mt19937);
    let first = search.run(10..=ROUND * 4, &test, |_| ControlFlow::Break(()));
    assert_eq!((first.tried, first.next), (ROUND - 10, Some(ROUND)));
    let rest = search.run(ROUND..=ROUND * 4, &test, |progress| {
        if progress.hits.is_empty() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    assert_eq!((rest.hits[0].seed, rest.next), (seed, Some(ROUND * 3)));
}

#[test]
fn a_later_session_of_a_server_that_seeds_once_is_found_too() {
    let mut server = Generator::CRand.start(1_700_000_000);
    let (mut first, mut second) = ([0; SECRETS_LEN], [0; SECRETS_LEN]);
    server.fill(&mut first);
    server.fill(&mut second);
    let sniffed = session(&second, &["see you at the station"]);
    let mut search = Search::new(Generator::CRand);
    search.skip = SECRETS_LEN;
    let found = search.run(1_699_999_500..=1_700_000_500, &sniffed, NEVER);
    assert_eq!(found.hits[0].seed, 1_700_000_000);
}

#[test]
fn false_hits_are_no_more_frequent_than_predicted() {
    // One message; several under one keystream, which are no independent witnesses; and several that ran together.
    let secrets = [9; SECRETS_LEN];
    let one = session(&secrets, &["see you"]);
    let several = session(&secrets, &["hello", "howdy", "where", "there", "quit()"]);
    let together: Vec<u8> = ["hello", "howdy", "where", "quit()"]
        .iter()
        .flat_map(|text| crypt(&secrets, text.as_bytes()))
        .collect();
    let together = Sniffed::new([together]);
    for (name, sniffed) in [("one", one), ("several", several), ("together", together)] {
        for one_in in [10.0, 100.0, 1000.0] {
            let seeds = 300_000;
            let sniffed = sniffed.clone().accepting(one_in);
            let found = Search::new(Generator::Xorshift64Star).run(1..=seeds, &sniffed, NEVER);
            let (hits, most) = (found.hits.len() as f64, seeds as f64 / one_in);
            assert!(hits <= 1.1 * most, "{name}: {hits} hits, at most {most}");
        }
        // Of so little text the right secrets stand out, but not by much; and of four words that ran together not at all.
        let chance = sniffed.chance(&secrets);
        let most = if name == "together" { 1.0 } else { 0.5 };
        assert!((1e-9..=most).contains(&chance), "{name}: {chance}");
    }
}

/// A session as it was sent: a login that is no text, then these messages.
fn sent(secrets: &Secrets, texts: &[&str]) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = crypt(&[77; SECRETS_LEN], &[0; 128]);
    let mut segments = vec![0];
    for text in texts {
        segments.push(bytes.len());
        bytes.extend(crypt(secrets, text.as_bytes()));
    }
    (bytes, segments)
}

/// The bytes from `from` on, and the segments in them.
fn part(bytes: &[u8], segments: &[usize], from: usize, to: usize) -> Stretch {
    let inside = segments.iter().filter(|&&at| (from..to).contains(&at));
    Stretch {
        bytes: bytes[from..to].to_vec(),
        segments: inside.map(|at| at - from).collect(),
    }
}

#[test]
fn the_seed_is_found_wherever_the_messages_were_cut() {
    const SEED: u64 = 1_577_798_055;
    let texts = [
        "the meeting is at noon, room 17",
        "bring the red folder",
        "ok",
        "see you there",
        "quit()",
    ];
    let generator = Generator::PythonRandom;
    let secrets = generator.bytes(SEED);
    let (bytes, borders) = sent(&secrets, &texts);
    let (all, second) = (bytes.len(), borders[2]);
    let whole = |segments: &[usize]| vec![part(&bytes, segments, 0, all)];
    let mut odd = bytes.clone();
    odd.splice(second..second, crypt(&[5; SECRETS_LEN], &[1; 50]));
    let odd_borders: Vec<usize> = (borders.iter().copied())
        .flat_map(|at| {
            if at < second {
                vec![at]
            } else if at == second {
                vec![at, at + 50]
            } else {
                vec![at + 50]
            }
        })
        .collect();
    let cases: [(&str, Vec<Stretch>); 11] = [
        ("as it was sent", whole(&borders)),
        ("all messages in one segment", whole(&[0, 128])),
        ("everything in one segment", whole(&[0])),
        (
            "a login in two segments",
            whole(&[&[0, 60][..], &borders[1..]].concat()),
        ),
        (
            "a zero-window probe",
            whole(&[&borders[..2], &[129], &borders[2..]].concat()),
        ),
        (
            "messages cut in the middle",
            whole(&[0, 128, 140, 150, 170, 185]),
        ),
        (
            "an odd message",
            vec![part(&odd, &odd_borders, 0, odd.len())],
        ),
        (
            "a hole over the first message",
            vec![
                part(&bytes, &borders, 0, 128),
                part(&bytes, &borders, second, all),
            ],
        ),
        (
            "a hole inside the first message",
            vec![
                part(&bytes, &borders, 0, 135),
                part(&bytes, &borders, 140, all),
            ],
        ),
        ("no login", vec![part(&bytes, &borders, 128, all)]),
        (
            "a beginning in the middle of the first message",
            vec![part(&bytes, &borders, 134, all)],
        ),
    ];
    for (case, stretches) in cases {
        let sniffed = Sniffed::of(stretches).among(86_400);
        let found = Search::new(generator).run(SEED - 20_000..=SEED + 20_000, &sniffed, NEVER);
        let seeds: Vec<u64> = found.hits.iter().map(|hit| hit.seed).collect();
        assert_eq!(seeds, [SEED], "{case}");
        let read = sniffed.read(&secrets);
        assert!(
            read.contains(&Read::Text(texts[1].to_owned())),
            "{case}: {read:?}"
        );
        assert!(sniffed.chance(&secrets) < 1e-12, "{case}");
    }
}

#[test]
fn no_seed_makes_text_of_what_is_none() {
    let noise = crypt(&[5; SECRETS_LEN], &[1; 900]);
    let stretch = Stretch {
        bytes: noise,
        segments: vec![0, 128, 160, 220, 300, 304, 500],
    };
    for generator in [Generator::JavaRandom, Generator::PhpMtRand] {
        let sniffed = Sniffed::of(vec![stretch.clone()]).among(100_000);
        assert_eq!(
            Search::new(generator)
                .run(1..=100_000, &sniffed, NEVER)
                .hits,
            []
        );
    }
    let nothing = Sniffed::new([]);
    assert!(nothing.is_empty());
    assert_eq!(
        Search::new(Generator::JavaRandom)
            .run(1..=1000, &nothing, NEVER)
            .hits,
        []
    );
}

#[test]
fn text_is_told_from_rubbish() {
    for text in ["", "hello", "tab\tand\r\n", "grüße", "日本語", "🙂"] {
        assert!(is_plausible(text.as_bytes()), "{text}");
    }
    for rubbish in [&b"\0"[..], b"a\x7f", b"\xff", b"gr\xc3", b"\x1b[31m"] {
        assert!(!is_plausible(rubbish));
    }
}
