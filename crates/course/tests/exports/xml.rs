//! A strict reader of the XML that the exports need: elements, attributes in double quotes, text, the five entities and
//! numbers (<https://www.w3.org/TR/xml/>, fifth edition). Comments, sections and declarations of types are faults.

#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
    pub(crate) text: String,
}

impl Element {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.attributes.iter().filter(|(one, _)| one == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

/// The root of a document.
pub(crate) fn read(text: &str) -> Result<Element, String> {
    let text = text
        .strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
        .ok_or("no declaration")?;
    // Section 2.2: the characters that a document may have.
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if let Some(c) = text.chars().find(|c| !allowed(*c)) {
        return Err(format!("the character {c:?}"));
    }
    let mut reader = Reader {
        rest: text.trim_start(),
    };
    let root = reader.element()?;
    match reader.rest.trim().is_empty() {
        true => Ok(root),
        false => Err("text behind the root".to_owned()),
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, text: &str) -> Result<(), String> {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.ok_or_else(|| format!("{text:?} was expected at {:.40?}", self.rest))?;
        Ok(())
    }

    fn until(&mut self, end: impl Fn(char) -> bool) -> &'a str {
        let at = self.rest.find(end).unwrap_or(self.rest.len());
        let (found, rest) = self.rest.split_at(at);
        self.rest = rest;
        found
    }

    fn name(&mut self) -> Result<String, String> {
        let name = self.until(|c| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
        match name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            true => Ok(name.to_owned()),
            false => Err(format!("no name at {:.40?}", self.rest)),
        }
    }

    fn element(&mut self) -> Result<Element, String> {
        self.take("<")?;
        let mut element = Element {
            name: self.name()?,
            ..Element::default()
        };
        while self.rest.starts_with(' ') {
            self.rest = self.rest.trim_start();
            let name = self.name()?;
            self.take("=\"")?;
            let value = self.until(|c| c == '"' || c == '<');
            self.take("\"")?;
            if element.get(&name).is_some() {
                return Err(format!("the attribute {name} twice"));
            }
            element.attributes.push((name, unescaped(value)?));
        }
        if self.rest.starts_with("/>") {
            return self.take("/>").map(|()| element);
        }
        self.take(">")?;
        loop {
            let text = self.until(|c| c == '<');
            if text.contains("]]>") {
                return Err("]]> in text".to_owned());
            }
            element.text.push_str(&unescaped(text)?);
            if self.rest.starts_with("</") {
                self.take(&format!("</{}>", element.name))?;
                return Ok(element);
            }
            element.children.push(self.element()?);
        }
    }
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut parts = text.split('&');
    let mut found = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (entity, rest) = part.split_once(';').ok_or("a bare &")?;
        found.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#10" => '\n',
            other => return Err(format!("the entity {other}")),
        });
        found.push_str(rest);
    }
    Ok(found)
}

#[test]
fn a_text_that_is_no_xml_is_refused() {
    let wrapped = |text: &str| format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}\n");
    let good = read(&wrapped("<a b=\"1 &lt;&#10;\"><c/>x &amp; y</a>")).unwrap();
    assert_eq!(
        (good.get("b"), good.text.as_str()),
        (Some("1 <\n"), "x & y")
    );
    for bad in [
        "<a>",
        "<a></b>",
        "<a b=1/>",
        "<a b=\"<\"/>",
        "<a b=\"1\" b=\"2\"/>",
        "<a>&</a>",
        "<a>&nbsp;</a>",
        "<a>\u{1b}</a>",
        "<a>\u{fffe}</a>",
        "<a>]]></a>",
        "<a/>b",
        "<!-- a --><a/>",
    ] {
        assert!(read(&wrapped(bad)).is_err(), "{bad:?}");
    }
    assert!(read("<a/>").is_err());
}
