//! The texts that each model learns from, and those that are held out to measure it.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

use anyhow::{Context, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    archive::{files, r_lines},
    mail::mail,
    packages::{self, Package},
    shorthand::shorthand,
    text::{clean, is_prose, messages, prose},
};

/// Mails that hold a line of the development cases: they are never trained on.
const HELD_OUT_MAILS: &str = include_str!("../held-out-mails.txt");
/// One conversation in this number is held out.
const HELD_OUT_CHAT: u8 = 50;
/// Older addresses to Congress are in a language that nobody types any more.
const FIRST_YEAR: u32 = 1900;
/// Collections of sayings that are drawings, or the text of songs, of a series or of one author.
const NOT_SAYINGS: [&str; 6] = [
    "ascii-art",
    "songs-poems",
    "startrek",
    "adams",
    "itatrek",
    "luttazzi",
];

/// The texts by name, each a list of messages: those that models learn from, and those that they are measured on.
pub(crate) type Texts = BTreeMap<&'static str, Vec<String>>;

/// Extracts all texts from the packages in `folder`, which are fetched where they are missing.
///
/// # Errors
/// If a package is not available or cannot be read.
pub(crate) fn collect(folder: &Path) -> Result<Texts> {
    let get = |package: Package| package.fetch(folder);
    let (chat, held_out_chat) = chat(&get(packages::CHITCHAT)?)?;
    let mail = mails(&get(packages::MAIL)?)?;
    let prose = [
        fortunes(&get(packages::FORTUNES)?)?,
        fortunes(&get(packages::FORTUNES_MIN)?)?,
        austen(&get(packages::AUSTEN)?)?,
        moby_dick(&get(packages::MOBY_DICK)?)?,
        speeches(&get(packages::SPEECHES)?)?,
    ];
    let dialogue_package = get(packages::DIALOGUE)?;
    let other = [
        dialogue(&dialogue_package, "english")?,
        jokes(&get(packages::JOKES)?)?,
    ];
    Ok(Texts::from([
        ("shorthand", shorthand(&[&chat[..], &mail[..]].concat())),
        ("chat", chat),
        ("mail", mail),
        ("prose", prose.concat()),
        ("italian", fortunes(&get(packages::FORTUNES_IT)?)?),
        ("held-out-chat", held_out_chat),
        ("held-out-other", other.concat()),
        ("held-out-sms", sms(&get(packages::SMS)?)?),
        ("held-out-italian", dialogue(&dialogue_package, "italian")?),
    ]))
}

fn json(bytes: &[u8]) -> Result<Value> {
    let mark = "\u{feff}".as_bytes();
    let bytes = bytes.strip_prefix(mark).unwrap_or(bytes);
    serde_json::from_slice(bytes).context("reading JSON")
}

/// The texts of all of a package's files that `wanted` accepts, in the order of their paths.
fn texts(package: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let files = files(package, wanted)?.into_iter();
    Ok(files
        .map(|(_, content)| String::from_utf8_lossy(&content).into_owned())
        .collect())
}

/// The conversations by their ids, and those held out.
fn chat(package: &Path) -> Result<(Vec<String>, Vec<String>)> {
    let (mut train, mut held_out) = (Vec::new(), Vec::new());
    for (_, content) in files(package, |path| path.ends_with("dataset.json"))? {
        let dataset = json(&content)?;
        let mut conversations: Vec<_> = dataset.as_object().into_iter().flatten().collect();
        conversations.sort_by_key(|(id, _)| *id);
        for (id, conversation) in conversations {
            let turns = conversation["messages"].as_array().into_iter().flatten();
            let said = turns.filter_map(Value::as_array).flatten();
            let lines = said
                .filter_map(|message| message["text"].as_str())
                .map(clean);
            let out = Sha256::digest(id.as_bytes())[0].is_multiple_of(HELD_OUT_CHAT);
            let part = if out { &mut held_out } else { &mut train };
            part.extend(lines.filter(|text| !text.is_empty()));
        }
    }
    Ok((train, held_out))
}

/// The mails but those held out, each paragraph once: newsletters repeat themselves.
fn mails(package: &Path) -> Result<Vec<String>> {
    let held_out: HashSet<&str> = HELD_OUT_MAILS.lines().collect();
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    let one_mail = |path: &str| path.ends_with(".json") && path.split('/').count() == 4;
    for (path, content) in files(package, one_mail)? {
        let name = path.trim_start_matches("package/data/");
        let id = name.split('.').next().unwrap_or(name);
        if !held_out.contains(id) {
            let content = json(&content)?;
            let text = content["text"].as_str().unwrap_or_default();
            out.extend(
                mail(text)
                    .into_iter()
                    .filter(|message| seen.insert(message.clone())),
            );
        }
    }
    Ok(out)
}

/// Sayings are divided by lines of one per cent sign; the text after two dashes names the author.
fn fortunes(package: &Path) -> Result<Vec<String>> {
    let wanted = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        path.contains("/games/fortunes/") && !name.contains('.') && !NOT_SAYINGS.contains(&name)
    };
    let mut out = Vec::new();
    for text in texts(package, wanted)? {
        for saying in text.split("\n%\n") {
            let saying = clean(saying);
            let saying = saying.split(" -- ").next().unwrap_or_default();
            if is_prose(saying) {
                out.extend(messages(saying));
            }
        }
    }
    Ok(out)
}

fn austen(package: &Path) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for (_, content) in files(package, |path| path.ends_with("data/Rdata.rdb"))? {
        let text = r_lines(&content)?.join("\n");
        out.extend(prose(&text.replace("--", " - ").replace('_', "")));
    }
    Ok(out)
}

fn moby_dick(package: &Path) -> Result<Vec<String>> {
    let texts = texts(package, |path| path == "package/data/data.txt")?;
    Ok(texts.iter().flat_map(|text| prose(text)).collect())
}

fn speeches(package: &Path) -> Result<Vec<String>> {
    let year = |path: &str| {
        path.strip_prefix("package/data/")?
            .get(..4)?
            .parse::<u32>()
            .ok()
    };
    let recent = |path: &str| year(path).is_some_and(|year| year >= FIRST_YEAR);
    let texts = texts(package, |path| path.ends_with(".txt") && recent(path))?;
    Ok(texts.iter().flat_map(|text| prose(text)).collect())
}

/// Each turn is a line that begins with one dash or two.
fn dialogue(package: &Path, language: &str) -> Result<Vec<String>> {
    let folder = format!("/data/{language}/");
    let wanted = |path: &str| path.contains(&folder) && path.ends_with(".yml");
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for line in texts(package, wanted)?.iter().flat_map(|text| text.lines()) {
        let line = clean(line);
        if let Some(turn) = line.strip_prefix("- ") {
            let turn = turn.trim_start_matches("- ").trim_matches(['"', '\'']);
            if !turn.is_empty() && seen.insert(turn.to_owned()) {
                out.push(turn.to_owned());
            }
        }
    }
    Ok(out)
}

fn jokes(package: &Path) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for (_, content) in files(package, |path| path == "package/jokes.json")? {
        let jokes = json(&content)?;
        let jokes = jokes.as_array().into_iter().flatten();
        out.extend(jokes.filter_map(|joke| joke["body"].as_str()).map(clean));
    }
    Ok(out)
}

/// Each line is a kind (`ham` or `spam`), a tab and a message. Three kinds of lines are left out: texts that people did
/// not write to each other, repetitions, and messages with a masked number. The collectors wrote `<#>` for the number,
/// with HTML's entities for the brackets.
fn sms(package: &Path) -> Result<Vec<String>> {
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for text in texts(package, |path| path.ends_with("/spam_collection.csv"))? {
        let written = text.lines().filter_map(|line| line.strip_prefix("ham\t"));
        let whole = written.filter(|message| !message.contains("&lt;"));
        let clean = whole.map(|message| clean(&message.replace("&gt;", ">").replace("&amp;", "&")));
        out.extend(clean.filter(|text| seen.insert(text.clone())));
    }
    Ok(out)
}
