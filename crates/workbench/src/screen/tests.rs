//! Keys in, screen out, without a terminal, a thread or a clock.

use std::time::Duration;

use latchstring_cryptanalysis::{Language, Mode as Effort, xor};
use ratatui::{
    Terminal,
    backend::TestBackend,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    style::Modifier,
};

use super::{
    keyboard,
    letters::letters,
    session::{Place, Session},
    shade::{Palette, Shade},
    state::{Effect, Mode, Workbench},
    view,
};

const TEXTS: [&str; 4] = [
    "please meet me at the station, the code is xq7zvk",
    "i have lost the paper with my new password wj4pbn",
    "the train leaves at nine in the morning",
    "we will talk about it when you are here, not on the phone",
];

/// With texts that nobody has read yet.
fn unsolved() -> Workbench {
    let key: Vec<u8> = (0..60u32)
        .map(|at| (at * at * 31 + at * 167 + 92) as u8 ^ (at >> 3) as u8)
        .collect();
    let session = Session::new(TEXTS.map(|text| xor(text.as_bytes(), &key)).to_vec());
    Workbench::new(
        "x.hex".to_owned(),
        session,
        Some(Language::english()),
        Effort::Fast,
    )
}

fn bench() -> Workbench {
    let mut bench = unsolved();
    answer(&mut bench);
    bench
}

/// Answers what the workbench asks, as the threads do.
fn answer(bench: &mut Workbench) {
    if let Some(problem) = bench.question() {
        let mut solution = problem.solve();
        solution.took = Duration::from_millis(7);
        bench.solved(solution);
    }
    if let Some((problem, crib)) = bench.crib() {
        bench.ranked(&crib, problem.rank(&crib));
    }
}

fn press(bench: &mut Workbench, key: KeyCode) -> Option<Effect> {
    let effect = bench.key(KeyEvent::new(key, KeyModifiers::NONE));
    answer(bench);
    effect
}

fn write(bench: &mut Workbench, text: &str) {
    for letter in text.chars() {
        press(bench, KeyCode::Char(letter));
    }
}

fn reads(bench: &Workbench, message: usize) -> String {
    let preview = bench.preview();
    let places = (0..bench.session.length(message)).map(|offset| Place { message, offset });
    let shown = places.filter_map(|place| bench.shown(place, preview.as_ref()));
    let bytes: Vec<Option<u8>> = shown.map(|shown| shown.byte.value).collect();
    letters(&bytes).into_iter().collect()
}

fn shade(bench: &Workbench, message: usize, offset: usize) -> Shade {
    bench.shown(Place { message, offset }, None).unwrap().shade
}

#[test]
fn the_best_place_of_a_crib_is_chosen_previewed_and_pinned() {
    let mut bench = bench();
    write(&mut bench, "c");
    write(&mut bench, "the code is xq7zvk");
    let Mode::Draft(draft) = &bench.mode else {
        panic!("no draft");
    };
    let (best, others) = draft
        .ranking
        .as_ref()
        .unwrap()
        .placements
        .split_first()
        .unwrap();
    assert!(others.iter().all(|other| other.score <= best.score));
    assert_eq!(
        (draft.place, best.reveals.len()),
        (
            Place {
                message: 0,
                offset: 31
            },
            3
        )
    );
    assert_eq!(reads(&bench, 1)[31..], TEXTS[1][31..]);
    assert!(bench.session.board().pins.is_empty(), "a preview is no pin");

    press(&mut bench, KeyCode::Enter);
    assert_eq!(reads(&bench, 1)[31..], TEXTS[1][31..]);
    assert_eq!(
        bench.cursor,
        Place {
            message: 0,
            offset: 31
        }
    );
    let shades =
        [(0, 31), (1, 31), (3, 56)].map(|(message, offset)| shade(&bench, message, offset));
    assert_eq!(shades, [Shade::Pinned, Shade::Certain, Shade::Undetermined]);
    write(&mut bench, "u");
    assert_ne!(reads(&bench, 1)[31..], TEXTS[1][31..]);
}

#[test]
fn a_crib_walks_through_its_places_and_is_moved_by_hand() {
    let mut bench = bench();
    write(&mut bench, "cmorning");
    let place = |bench: &Workbench| bench.focus();
    let best = place(&bench);
    assert_eq!(
        best,
        Place {
            message: 2,
            offset: 32
        }
    );
    press(&mut bench, KeyCode::Down);
    let second = place(&bench);
    assert_ne!(second, best);
    press(&mut bench, KeyCode::Up);
    press(&mut bench, KeyCode::Up);
    assert_eq!(place(&bench), best);
    press(&mut bench, KeyCode::Right);
    assert_eq!(place(&bench), best, "it ends where the message does");
    press(&mut bench, KeyCode::Left);
    let moved = Place {
        message: 2,
        offset: 31,
    };
    assert_eq!(place(&bench), moved);
    press(&mut bench, KeyCode::Backspace);
    assert_eq!(place(&bench), moved, "what was moved by hand stays");
    press(&mut bench, KeyCode::Tab);
    assert_eq!(place(&bench).message, 3);
    press(&mut bench, KeyCode::Down);
    assert_ne!(place(&bench), moved);
    press(&mut bench, KeyCode::Esc);
    assert!(matches!(bench.mode, Mode::Browse) && !bench.session.unsaved());
}

#[test]
fn among_many_messages_a_crib_is_dragged_over_those_around_the_cursor() {
    let few = unsolved().session.ciphertexts().to_vec();
    let many = vec![few; 25].concat();
    let language = Some(Language::english());
    let mut bench = Workbench::new("x".to_owned(), Session::new(many), language, Effort::Fast);
    for (cursor, around) in [(0, 0..40), (50, 30..70), (99, 60..100)] {
        bench.go(Place {
            message: cursor,
            offset: 0,
        });
        press(&mut bench, KeyCode::Char('c'));
        bench.key(KeyCode::Char('w').into());
        let (problem, crib) = bench.crib().unwrap();
        for placement in problem.rank(&crib) {
            let mut others = placement.reveals.iter().map(|(message, _)| message);
            assert!(around.contains(&placement.message));
            assert!(others.all(|other| around.contains(other) && *other != placement.message));
        }
        press(&mut bench, KeyCode::Esc);
    }
}

#[test]
fn an_answer_to_an_older_crib_is_not_taken() {
    let mut bench = bench();
    press(&mut bench, KeyCode::Char('c'));
    bench.key(KeyCode::Char('t').into());
    let (problem, old) = bench.crib().unwrap();
    assert!(bench.crib().is_none(), "each is asked about once");
    bench.key(KeyCode::Char('h').into());
    bench.ranked(&old, problem.rank(&old));
    let Mode::Draft(draft) = &bench.mode else {
        panic!("no draft");
    };
    assert!(draft.waits());
}

#[test]
fn typing_over_a_pin_with_something_else_is_refused_and_the_text_is_kept() {
    let mut bench = bench();
    write(&mut bench, "iplease");
    press(&mut bench, KeyCode::Enter);
    write(&mut bench, "iPleas");
    press(&mut bench, KeyCode::Enter);
    assert!(
        bench.status.refused && bench.status.text.contains("keystream byte 0"),
        "{:?}",
        bench.status
    );
    assert!(matches!(&bench.mode, Mode::Draft(draft) if draft.text == "Pleas"));
    assert_eq!(bench.session.board().pins.len(), 1);
    press(&mut bench, KeyCode::Esc);
    assert!(reads(&bench, 0).starts_with("please"));
}

#[test]
fn a_word_is_pinned_as_it_reads_listed_and_taken_away() {
    let mut bench = bench();
    bench.go(Place {
        message: 2,
        offset: 6,
    });
    write(&mut bench, "p");
    assert_eq!(bench.session.board().pins[0].text, "train");
    assert_eq!(bench.session.board().pins[0].place.offset, 4);
    bench.go(Place {
        message: 0,
        offset: 0,
    });
    write(&mut bench, "px");
    assert_eq!(
        bench.session.board().pins.len(),
        1,
        "the one at the cursor is gone"
    );
    write(&mut bench, "l");
    press(&mut bench, KeyCode::Enter);
    assert_eq!(
        bench.cursor,
        Place {
            message: 2,
            offset: 4
        }
    );
    write(&mut bench, "lx");
    assert!(bench.session.board().pins.is_empty());
    press(&mut bench, KeyCode::Esc);
    write(&mut bench, "x");
    assert!(bench.status.refused);
}

#[test]
fn quitting_asks_only_where_something_would_be_lost() {
    let mut bench = bench();
    assert_eq!(press(&mut bench, KeyCode::Char('q')), Some(Effect::Quit));
    write(&mut bench, "nwho is this");
    press(&mut bench, KeyCode::Enter);
    for (key, effect) in [
        (KeyCode::Esc, None),
        (KeyCode::Char('n'), Some(Effect::Quit)),
        (KeyCode::Char('y'), Some(Effect::SaveAndQuit)),
    ] {
        assert_eq!(press(&mut bench, KeyCode::Char('q')), None);
        assert_eq!(press(&mut bench, key), effect);
    }
    let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(bench.key(control_c), None);
    assert_eq!(bench.key(control_c), Some(Effect::Quit), "asked twice");
    bench.session.saved();
    bench.mode = Mode::Help(0);
    assert_eq!(bench.key(control_c), Some(Effect::Quit));
}

#[test]
fn the_cursor_stays_on_the_messages_and_the_screen_follows_it() {
    let mut bench = bench();
    bench.fit(2, 20);
    for key in [
        KeyCode::Up,
        KeyCode::Left,
        KeyCode::Home,
        KeyCode::PageUp,
        KeyCode::Char('<'),
    ] {
        press(&mut bench, key);
        assert_eq!(bench.cursor, Place::default());
    }
    press(&mut bench, KeyCode::End);
    press(&mut bench, KeyCode::PageDown);
    press(&mut bench, KeyCode::Down);
    press(&mut bench, KeyCode::Down);
    press(&mut bench, KeyCode::End);
    assert_eq!(
        bench.cursor,
        Place {
            message: 3,
            offset: 56
        }
    );
    bench.fit(2, 20);
    assert_eq!(
        bench.scroll,
        Place {
            message: 2,
            offset: 37
        }
    );
    press(&mut bench, KeyCode::Up);
    assert_eq!(
        bench.cursor,
        Place {
            message: 2,
            offset: 38
        },
        "that message is shorter"
    );
}

#[test]
fn no_key_anywhere_makes_it_panic_even_without_messages() {
    let empty = || Workbench::new("x".to_owned(), Session::new(Vec::new()), None, Effort::Fast);
    let keys = [
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::End,
    ];
    let keys = keys.into_iter().chain([
        KeyCode::Delete,
        KeyCode::Tab,
        KeyCode::PageDown,
        KeyCode::Backspace,
        KeyCode::F(1),
    ]);
    let keys: Vec<KeyCode> = keys
        .chain("ciplnesurx?q<".chars().map(KeyCode::Char))
        .collect();
    for &first in &keys {
        for &second in &keys {
            for mut bench in [empty(), unsolved()] {
                for key in [first, second, KeyCode::Char('z'), KeyCode::Enter] {
                    bench.key(key.into());
                    drawn(&mut bench, 60, 12);
                }
            }
        }
    }
}

#[test]
fn what_grows_is_asked_about_again() {
    let mut bench = Workbench::new("x".to_owned(), Session::new(Vec::new()), None, Effort::Fast);
    assert!(bench.question().is_none());
    bench.grown(vec![b"only one".to_vec()]);
    answer(&mut bench);
    assert_eq!(reads(&bench, 0), "········", "nothing is made up");
    bench.grown(vec![b"only one".to_vec(), b"another".to_vec()]);
    assert!(bench.took().is_none() && bench.language().is_none());
    answer(&mut bench);
    assert!(bench.took().is_some() && bench.language().is_some());
}

fn drawn(bench: &mut Workbench, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let palette = Palette { colours: false };
    terminal
        .draw(|frame| view::draw(frame, bench, palette))
        .unwrap();
    terminal
}

#[test]
fn the_screen_while_a_crib_is_dragged() {
    let mut bench = bench();
    write(&mut bench, "nthe appointment");
    press(&mut bench, KeyCode::Enter);
    write(&mut bench, "cthe code is");
    insta::assert_snapshot!(drawn(&mut bench, 90, 20).backend());
}

#[test]
fn shades_are_told_apart_without_colours() {
    let mut bench = bench();
    bench.go(Place {
        message: 2,
        offset: 6,
    });
    write(&mut bench, "p");
    bench.go(Place::default());
    let terminal = drawn(&mut bench, 90, 20);
    let style = |x, y| terminal.backend().buffer()[(x, y)].modifier;
    let all = [(11, 4), (11, 2), (7, 4), (63, 5)].map(|(x, y)| style(x, y));
    let dim = Modifier::DIM;
    assert_eq!(
        all,
        [
            Modifier::BOLD | Modifier::UNDERLINED,
            Modifier::BOLD,
            Modifier::empty(),
            dim
        ]
    );
    assert_eq!(style(7, 2), Modifier::REVERSED, "the cursor");
    assert!(Palette { colours: true }.style(Shade::Pinned).fg.is_some());
    assert!(Palette { colours: false }.style(Shade::Pinned).fg.is_none());
}

#[test]
fn a_small_terminal_says_so_and_help_names_each_key_once() {
    let small = drawn(&mut bench(), 40, 9).backend().to_string();
    assert!(small.contains("too small"), "{small}");
    let mut labels: Vec<_> = keyboard::help()
        .filter(|(place, ..)| place.is_empty())
        .collect();
    let count = labels.len();
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), count);
}

#[test]
fn text_that_chance_could_give_is_marked() {
    assert!(bench().convincing());
    let noise = |i: u32| {
        (0..30u32).map(move |at| (((at + 40 * i) * 40_503) >> 7) as u8 ^ (at * at + i) as u8)
    };
    let session = Session::new((0..3).map(|i| noise(i).collect()).collect());
    let mut bench = Workbench::new(
        "x.hex".to_owned(),
        session,
        Some(Language::english()),
        Effort::Fast,
    );
    answer(&mut bench);
    assert!(!bench.convincing());
}
