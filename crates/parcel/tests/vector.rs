//! The vector of the page `docs/src/files.md`, which a program in Python made from that page.

use latchstring_parcel::{Name, Part, join, split};
use latchstring_protocol::hardened::primitives::hash;
use serde_json::Value;

fn vector() -> Value {
    let text = include_str!("../../../tests/vectors/files.json");
    serde_json::from_str(text).unwrap()
}

fn texts(of: &Value, bytes: &[u8]) -> Vec<String> {
    let name = Name::new(of["name"].as_str().unwrap()).unwrap();
    let parts = split(name, bytes).unwrap();
    assert_eq!(parts.head().sha256_hex(), of["sha256"]);
    assert_eq!(parts.head().count() as usize, parts.texts().count());
    parts.texts().collect()
}

#[test]
fn the_short_file_is_the_text_on_the_page() {
    let short = &vector()["short"];
    let bytes = hex::decode(short["hex"].as_str().unwrap()).unwrap();
    assert_eq!(texts(short, &bytes), [short["part"].as_str().unwrap()]);
    let page = include_str!("../../../docs/src/files.md");
    for value in [&short["part"], &short["sha256"]] {
        assert!(page.contains(value.as_str().unwrap()), "{value}");
    }
}

#[test]
fn the_long_file_has_the_parts_of_the_vector() {
    let long = &vector()["long"];
    let bytes: Vec<u8> = (0..25_000_u32).map(|i| (7 * i + 3) as u8).collect();
    let texts = texts(long, &bytes);
    let page = include_str!("../../../docs/src/files.md");
    for (text, part) in texts.iter().zip(long["parts"].as_array().unwrap()) {
        assert!(text.starts_with(part["begins"].as_str().unwrap()));
        assert_eq!(text.len(), part["bytes"]);
        assert_eq!(hex::encode(hash(&[text.as_bytes()])), part["sha256"]);
        assert!(page.contains(part["sha256"].as_str().unwrap()));
    }
    let head = Part::parse(&texts[1]).unwrap().unwrap().head;
    assert_eq!(join(&head, &texts).unwrap(), bytes);
}
