//! The text of a mail: without headers, quotations, attachments and markup.

use std::collections::HashMap;

use crate::text::{clean, is_prose, messages, paragraphs};

/// Deeper nesting than this is not followed.
const NESTING: usize = 6;
/// Shorter paragraphs are greetings and signatures.
const SHORTEST: usize = 10;

/// The messages of a mail, headers and all.
pub(crate) fn mail(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for body in bodies(&text.replace('\r', ""), NESTING) {
        for lines in paragraphs(&body) {
            let own: Vec<&str> = lines.into_iter().filter(|line| is_own(line)).collect();
            let paragraph = clean(&own.join(" "));
            if is_prose(&paragraph) && paragraph.len() >= SHORTEST {
                out.extend(messages(&paragraph));
            }
        }
    }
    out
}

/// Whether the sender wrote a line: it is neither quoted nor a rule.
fn is_own(line: &str) -> bool {
    let line = line.trim();
    let quoted = line.starts_with(['>', '|', ':', '}']);
    let attribution = ["wrote:", "writes:", "said:"];
    let attributed = attribution.iter().any(|end| line.ends_with(end));
    let rule = line.len() >= 4 && line.chars().take(4).all(|c| "-_=*#".contains(c));
    !(quoted || attributed || rule)
}

/// The texts of a mail or of one part of it.
fn bodies(part: &str, nesting: usize) -> Vec<String> {
    let (head, body) = part.split_once("\n\n").unwrap_or((part, ""));
    let headers = headers(head);
    let header = |name: &str| headers.get(name).map_or("", String::as_str);
    let kind = header("content-type").to_ascii_lowercase();
    if let Some(boundary) = boundary(header("content-type")) {
        let marker = format!("--{boundary}");
        let parts = body.split(&marker).skip(1);
        let parts = parts.take_while(|part| nesting > 0 && !part.starts_with("--"));
        let each = parts.map(|part| bodies(part.trim_start_matches('\n'), nesting - 1));
        return each.flatten().collect();
    }
    let encoding = header("content-transfer-encoding").to_ascii_lowercase();
    let html = kind.contains("text/html");
    let text = html || kind.is_empty() || kind.contains("text/plain");
    if encoding.contains("base64") || !text {
        return Vec::new();
    }
    let body = match encoding.contains("quoted") {
        true => quoted_printable(body),
        false => body.to_owned(),
    };
    vec![if html { without_markup(&body) } else { body }]
}

/// Headers by name in lower case, with continuation lines.
fn headers(head: &str) -> HashMap<String, String> {
    let unfolded = head.replace("\n\t", " ").replace("\n ", " ");
    let pairs = unfolded.lines().filter_map(|line| line.split_once(':'));
    let clean =
        |(name, value): (&str, &str)| (name.trim().to_ascii_lowercase(), value.trim().to_owned());
    pairs.map(clean).collect()
}

fn boundary(kind: &str) -> Option<&str> {
    let lower = kind.to_ascii_lowercase();
    if !lower.starts_with("multipart/") {
        return None;
    }
    let value = kind.get(lower.find("boundary=")? + "boundary=".len()..)?;
    match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split([';', ' ']).next(),
    }
}

fn quoted_printable(body: &str) -> String {
    let joined = body.replace("=\n", "");
    let mut out = Vec::with_capacity(joined.len());
    let mut rest = joined.as_bytes();
    while let Some((&byte, more)) = rest.split_first() {
        let digits = more.get(..2).filter(|_| byte == b'=');
        let code = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                rest = &more[2..];
            }
            None => {
                out.push(byte);
                rest = more;
            }
        }
    }
    out.into_iter().map(char::from).collect()
}

/// HTML as text: tags that begin a block end a paragraph, scripts and styles go, the commonest entities are decoded.
fn without_markup(html: &str) -> String {
    const BLOCKS: [&str; 10] = [
        "p", "br", "div", "td", "tr", "li", "h1", "h2", "h3", "table",
    ];
    const ENTITIES: [(&str, &str); 6] = [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    let mut pieces = html.split('<');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    let mut hidden = false;
    for piece in pieces {
        let (tag, text) = piece.split_once('>').unwrap_or((piece, ""));
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next();
        let name = name.unwrap_or_default().to_ascii_lowercase();
        if name == "script" || name == "style" {
            hidden = !tag.starts_with('/');
        }
        if BLOCKS.contains(&name.as_str()) {
            out.push_str("\n\n");
        }
        if !hidden {
            out.push_str(text);
        }
    }
    let decode = |text: String, (entity, letter): &(&str, &str)| text.replace(entity, letter);
    ENTITIES.iter().fold(out, decode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_sender_wrote_is_left() {
        let plain = "From: a\nSubject: b\n\nJohn wrote:\n> No way.\n\nI think that it works well.\n\n-----\nsig\n";
        assert_eq!(mail(plain), ["I think that it works well."]);
        let parts = "Content-Type: multipart/mixed;\n boundary=\"x\"\n\n--x\nContent-Type: text/html\n\
            Content-Transfer-Encoding: quoted-printable\n\n<style>p {}</style><p>Costs &lt; ten=\n dollars=2E</p>\n\
            --x\nContent-Type: image/png\n\nnot any text here\n--x--\n";
        assert_eq!(mail(parts), ["Costs < ten dollars."]);
    }
}
