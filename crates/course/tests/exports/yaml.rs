//! A strict reader of the YAML that `challenge.yml` needs: a mapping of numbers, double-quoted scalars, lists of these, and
//! lists of such mappings (<https://yaml.org/spec/1.2.2/>). Everything else is a fault.

use serde_json::{Map, Value};

pub(crate) fn read(text: &str) -> Result<Map<String, Value>, String> {
    let mut root = Map::new();
    let mut list: Option<String> = None;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(rest) = line.strip_prefix("  - ") {
            let key = list.as_ref().ok_or("an item of no list")?;
            let items = root[key].as_array_mut().unwrap();
            items.push(match rest.starts_with('"') {
                true => scalar(rest)?,
                false => Value::Object(Map::from_iter([pair(rest)?])),
            });
        } else if let Some(rest) = line.strip_prefix("    ") {
            let key = list.as_ref().ok_or("a part of no item")?;
            let item = root[key].as_array_mut().unwrap().last_mut();
            let object = item
                .and_then(Value::as_object_mut)
                .ok_or("a part of no mapping")?;
            insert(object, pair(rest)?)?;
        } else if let Some(key) = line.strip_suffix(':') {
            insert(&mut root, (name(key)?, Value::Array(Vec::new())))?;
            list = Some(key.to_owned());
        } else {
            insert(&mut root, pair(line)?)?;
            list = None;
        }
    }
    Ok(root)
}

fn insert(into: &mut Map<String, Value>, (key, value): (String, Value)) -> Result<(), String> {
    match into.insert(key.clone(), value) {
        None => Ok(()),
        Some(_) => Err(format!("{key} twice")),
    }
}

fn name(key: &str) -> Result<String, String> {
    match !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase()) {
        true => Ok(key.to_owned()),
        false => Err(format!("the key {key:?}")),
    }
}

fn pair(line: &str) -> Result<(String, Value), String> {
    let (key, value) = line
        .split_once(": ")
        .ok_or_else(|| format!("no pair: {line:?}"))?;
    Ok((name(key)?, scalar(value)?))
}

fn scalar(text: &str) -> Result<Value, String> {
    if let Ok(number) = text.parse::<u32>() {
        return Ok(number.into());
    }
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let mut rest = inner.ok_or_else(|| format!("no quotes: {text:?}"))?.chars();
    let mut found = String::new();
    while let Some(c) = rest.next() {
        found.push(match c {
            ' '..='~' if c != '"' && c != '\\' => c,
            '\\' => escape(&mut rest)?,
            c => return Err(format!("{c:?} in quotes")),
        });
    }
    Ok(Value::String(found))
}

/// Section 5.7. An escaped half of a surrogate pair is no character of YAML.
fn escape(rest: &mut std::str::Chars<'_>) -> Result<char, String> {
    let digits = match rest.next() {
        Some(c @ ('"' | '\\')) => return Ok(c),
        Some('n') => return Ok('\n'),
        Some('u') => 4,
        Some('U') => 8,
        other => return Err(format!("the escape {other:?}")),
    };
    let code: String = rest.by_ref().take(digits).collect();
    let code = u32::from_str_radix(&code, 16).map_err(|error| error.to_string())?;
    char::from_u32(code).ok_or_else(|| format!("no character: {code:x}"))
}

#[test]
fn a_text_that_is_no_yaml_is_refused() {
    let good = read(
        "# c\na: \"x\\n\\u00E4\\U0001F980\"\nb: 3\nc:\n  - \"y\"\nd:\n  - e: 1\n    f: \"\"\n",
    )
    .unwrap();
    assert_eq!(good["a"], "x\nä🦀");
    assert_eq!(good["d"][0]["f"], "");
    for bad in [
        "a: x",
        "a: \"x",
        "a: \"\"\"",
        "a: \"\\q\"",
        "a: \"\\uD83E\\uDD80\"",
        "a: \"ä\"",
        "a: 1\na: 2",
        "  - \"x\"",
        "a:\n  - \"x\"\n    b: 1",
        "a",
    ] {
        assert!(read(bad).is_err(), "{bad:?}");
    }
}
