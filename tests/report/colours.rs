//! The colours of the page, computed: text has a contrast of at least 4.5 to 1, and what has a shape at least 3 to 1 (WCAG 2.2, AA).

use std::collections::BTreeMap;

use latchstring_course::report::page;

use crate::class;

type Palette = BTreeMap<String, [f64; 3]>;

/// The colours that a block of the style declares as `--name: #rgb`.
fn colours(block: &str) -> Palette {
    let declared = block
        .split(['{', ';'])
        .filter_map(|one| one.trim().strip_prefix("--"));
    let pairs = declared.filter_map(|one| one.split_once(": #"));
    pairs
        .map(|(name, hex)| (name.to_owned(), rgb(hex)))
        .collect()
}

fn rgb(hex: &str) -> [f64; 3] {
    let digits: Vec<u32> = hex.chars().map(|c| c.to_digit(16).unwrap()).collect();
    let channel = |n: usize| match digits.len() {
        3 => digits[n] * 17,
        6 => digits[2 * n] * 16 + digits[2 * n + 1],
        _ => panic!("#{hex} is no colour"),
    };
    [0, 1, 2].map(|n| f64::from(channel(n)) / 255.0)
}

fn luminance(colour: [f64; 3]) -> f64 {
    let linear = colour.map(|c| match c <= 0.04045 {
        true => c / 12.92,
        false => ((c + 0.055) / 1.055).powf(2.4),
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The palettes of the page: light, and dark.
fn palettes() -> [Palette; 2] {
    let page = page(&class::class(1, 1));
    let (_, style) = page.split_once("<style>").unwrap();
    let (light, rest) = style
        .split_once("@media screen and (prefers-color-scheme: dark)")
        .unwrap();
    let dark = rest.split_once("}\n}").unwrap().0;
    [colours(light), colours(dark)]
}

#[test]
fn the_contrast_of_known_colours_is_computed_as_the_standard_says() {
    assert!((contrast(rgb("000"), rgb("fff")) - 21.0).abs() < 1e-9);
    assert!((contrast(rgb("777777"), rgb("fff")) - 4.48).abs() < 0.005);
}

#[test]
fn text_and_shapes_can_be_told_from_what_is_behind_them() {
    for palette in palettes() {
        assert_eq!(palette.len(), 13, "{palette:?}");
        let at_least = |least: f64, front: &str, behind: &str| {
            let found = contrast(palette[front], palette[behind]);
            assert!(found >= least, "{front} on {behind}: {found:.2}");
        };
        let states = ["passed", "partly", "none", "absent"];
        for text in ["ink", "faint", "link", "late"].iter().chain(&states) {
            at_least(4.5, text, "paper");
            at_least(4.5, text, "band");
        }
        for shape in ["fill"].iter().chain(&states) {
            at_least(3.0, shape, "paper");
        }
        for shape in ["fill"].iter().chain(&states[..3]) {
            at_least(3.0, shape, "track");
        }
    }
}
