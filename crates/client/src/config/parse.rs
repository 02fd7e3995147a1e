//! The lines of the file: `Keyword value`, `Keyword=value` or `Keyword "value"`.

use std::path::{Path, PathBuf};

use latchstring_cli::suggest::did_you_mean;
use latchstring_client_core::place::Place;
use latchstring_net::protocol::hardened::message::UserName;

use super::{Block, MAX_WAIT, Settings, pattern::Pattern, split_port};
use crate::usage::Usage;

/// Every keyword, as the page writes it.
pub(super) const KEYWORDS: [&str; 10] = [
    "Host",
    "HostName",
    "Port",
    "User",
    "IdentityFile",
    "PassphraseFile",
    "PasswordFile",
    "Fingerprint",
    "Wait",
    "Reconnect",
];

/// The blocks of a text. Settings before the first `Host` are for all hosts.
///
/// # Errors
/// [`Usage`], with the file and the line.
pub(super) fn blocks(text: &str, path: &Path, home: Option<&Path>) -> Result<Vec<Block>, Usage> {
    let everybody = Pattern::new("*").into_iter().collect();
    let mut blocks = vec![Block {
        patterns: everybody,
        settings: Settings::default(),
    }];
    for (number, line) in text.lines().enumerate() {
        let done = take(line.trim(), &mut blocks, home);
        done.map_err(|why| Usage(format!("line {} of {}: {why}", number + 1, path.display())))?;
    }
    Ok(blocks)
}

/// Does what a line says.
fn take(line: &str, blocks: &mut Vec<Block>, home: Option<&Path>) -> Result<(), String> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(());
    }
    let end = line.find(|c: char| c.is_whitespace() || c == '=');
    let (word, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim();
    let known = KEYWORDS
        .iter()
        .find(|known| known.eq_ignore_ascii_case(word));
    let Some(keyword) = known else {
        let small: Vec<String> = KEYWORDS
            .iter()
            .map(|one| one.to_ascii_lowercase())
            .collect();
        let nearest = did_you_mean(word, small.iter().map(String::as_str).zip(KEYWORDS));
        return Err(format!(
            "{word:?} is no keyword{nearest}; the keywords are {}",
            KEYWORDS.join(", ")
        ));
    };
    let values = values(rest).map_err(|why| format!("{keyword}: {why}"))?;
    if *keyword == "Host" {
        if values.is_empty() {
            return Err("Host has no name after it; write for example: Host work".to_owned());
        }
        let patterns: Result<_, _> = values.iter().map(|value| Pattern::new(value)).collect();
        blocks.push(Block {
            patterns: patterns.map_err(|why| format!("Host: {why}"))?,
            settings: Settings::default(),
        });
        return Ok(());
    }
    let [value] = &values[..] else {
        return Err(format!(
            "{keyword} has {} values; give it one, in quotation marks if it has spaces",
            values.len()
        ));
    };
    match blocks.last_mut() {
        Some(block) => set(&mut block.settings, keyword, value, home),
        None => Ok(()),
    }
}

/// The words of a line; quotation marks hold words with spaces together.
fn values(mut rest: &str) -> Result<Vec<String>, &'static str> {
    let mut values = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() || rest.starts_with('#') {
            return Ok(values);
        }
        let (value, after) = match rest.strip_prefix('"') {
            Some(inside) => inside
                .split_once('"')
                .ok_or("a quotation mark is not closed; add the second one")?,
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        values.push(value.to_owned());
        rest = after;
    }
}

fn set(
    settings: &mut Settings,
    keyword: &str,
    value: &str,
    home: Option<&Path>,
) -> Result<(), String> {
    let bad = |why: &str| format!("{keyword} {value:?}: {why}");
    match keyword {
        "HostName" => {
            // Only for the check: the port comes from another line.
            let whole: Result<Place, _> = value.parse();
            whole.map_err(|why| bad(&format!("it {why}")))?;
            if split_port(value).1.is_some() {
                return Err(bad("it has a port; write it in a line Port NUMBER"));
            }
            once(&mut settings.host_name, value.to_owned(), keyword)
        }
        "Port" => {
            let port: Option<u16> = value.parse().ok().filter(|port| *port > 0);
            let port = port.ok_or_else(|| bad("write a number from 1 to 65535"))?;
            once(&mut settings.port, port, keyword)
        }
        "User" => {
            let user = UserName::parse(value).map_err(|why| bad(&why.to_string()))?;
            once(&mut settings.user, user, keyword)
        }
        "IdentityFile" => once(&mut settings.identity_file, file(value, home)?, keyword),
        "PassphraseFile" => once(&mut settings.passphrase_file, file(value, home)?, keyword),
        "PasswordFile" => once(&mut settings.password_file, file(value, home)?, keyword),
        "Fingerprint" => {
            let fingerprint = value.parse().map_err(|_| {
                bad("write SHA256: and 43 characters of base64, as the operator gave it")
            })?;
            once(&mut settings.fingerprint, fingerprint, keyword)
        }
        "Wait" => once(&mut settings.wait, seconds(value, keyword)?, keyword),
        _ => once(&mut settings.reconnect, seconds(value, keyword)?, keyword),
    }
}

/// A second value for the same hosts would never be used.
fn once<T>(setting: &mut Option<T>, value: T, keyword: &str) -> Result<(), String> {
    match setting.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!(
            "{keyword} stands here a second time for the same Host; delete one of the two lines"
        )),
    }
}

fn seconds(value: &str, keyword: &str) -> Result<u64, String> {
    let seconds: Option<u64> = value.parse().ok().filter(|seconds| *seconds <= MAX_WAIT);
    seconds
        .ok_or_else(|| format!("{keyword} {value:?}: write a number of seconds, 0 to {MAX_WAIT}"))
}

/// A path; `~/` is the home directory. A relative one would be another file in each folder.
fn file(value: &str, home: Option<&Path>) -> Result<PathBuf, String> {
    let path = match (value.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(value),
    };
    match path.is_absolute() {
        true => Ok(path),
        false => Err(format!(
            "the path {value:?} is not absolute; begin it with / or ~/"
        )),
    }
}
