//! The keys of a command: on the command line, and in files of every kind.

use std::{iter::Peekable, path::Path};

use anyhow::{Context, Result, anyhow, bail, ensure};
use dashu_int::ops::BitTest;
use latchstring_cryptanalysis::rsa::UBig;
use latchstring_net::terminal::visible;
use serde_json::Value;

use super::formats::{self, Public, is_pairs};
use crate::input::Input;

/// One key to factor.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// Counted from 1.
    pub(super) number: usize,
    /// The file and the place in it, or what kind of number it is.
    pub(super) name: String,
    /// For a file with its private key.
    pub(super) file: String,
    pub(super) n: UBig,
    /// `None` for a number, which has no exponent.
    pub(super) e: Option<UBig>,
}

/// Keys, and what was not understood.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) keys: Vec<Key>,
    /// Each with its file and line.
    pub(super) refused: Vec<String>,
}

impl Keys {
    /// Reads what each argument names: a number, a file, or `-` for the standard input.
    ///
    /// # Errors
    /// If there is no key at all.
    pub(super) fn read(arguments: &[String]) -> Result<Self> {
        let mut all = Self::default();
        for argument in arguments {
            match formats::number(argument).filter(|_| !Path::new(argument).is_file()) {
                Some(n) => all.add("", "", Public { n, e: None }),
                None => all.file(argument),
            }
        }
        if all.keys.is_empty() {
            bail!("no RSA key was found: {}", all.refused.join("; "));
        }
        all.name_files();
        Ok(all)
    }

    fn file(&mut self, argument: &str) {
        let path = Path::new(argument);
        let is_there = argument == "-" || path.symlink_metadata().is_ok();
        let before = (self.keys.len(), self.refused.len());
        let read = match Input::read(path) {
            Ok(input) => self.bytes(&input),
            Err(error) if is_there => Err(error),
            Err(error) => Err(error.context(
                "it is neither a natural number (decimal, or 0x and hexadecimal) nor a file",
            )),
        };
        match read {
            Err(error) => self.refuse(argument, "", &error),
            Ok(()) if before == (self.keys.len(), self.refused.len()) => {
                self.refuse(argument, "", &anyhow!("it holds no key"));
            }
            Ok(()) => {}
        }
    }

    /// Reads what one file holds.
    ///
    /// # Errors
    /// If it is UTF-16.
    pub(super) fn bytes(&mut self, input: &Input) -> Result<()> {
        let name = &input.name;
        // DER begins as a text that begins with the digit 0.
        if input.bytes.starts_with(&[0x30]) {
            let key = formats::der(&input.bytes);
            if key.is_ok() || std::str::from_utf8(&input.bytes).is_err() {
                self.result(name, "", key);
                return Ok(());
            }
        }
        let text = std::str::from_utf8(input.text()?);
        let Ok(text) = text else {
            self.result(
                name,
                "",
                Err(anyhow!("it is neither text nor a key in DER")),
            );
            return Ok(());
        };
        if text.trim_start().starts_with(['{', '[']) {
            self.json(name, &formats::with_long_numbers_quoted(text));
            return Ok(());
        }
        self.lines(input, name)
    }

    /// One JSON value, or several, as in a file with one a line.
    fn json(&mut self, name: &str, text: &str) {
        let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        for (number, value) in (1..).zip(values) {
            let which = match number {
                1 => String::new(),
                number => format!(" (value {number})"),
            };
            match value {
                Ok(value) => {
                    for (at, key) in formats::json(&value) {
                        self.result(name, &format!("{which}{at}"), key);
                    }
                }
                Err(error) => {
                    let error = anyhow::Error::new(error).context("it looks like JSON and is not");
                    self.refuse(name, &which, &error);
                }
            }
        }
    }

    /// PEM blocks and lines with keys, in any order.
    fn lines(&mut self, input: &Input, name: &str) -> Result<()> {
        let text = String::from_utf8_lossy(input.text()?)
            .replace("\r\n", "\n")
            .replace('\r', "\n");
        let mut lines = (1..).zip(text.lines().map(str::trim)).peekable();
        let mut exponent = Ahead::default();
        while let Some((number, line)) = lines.next() {
            let at = format!(":{number}");
            if let Some(label) = pem_begin(line) {
                let end = format!("END {label}");
                let mut block = Vec::new();
                let mut ended = false;
                for (_, line) in lines.by_ref() {
                    ended = line.contains(&end);
                    if ended {
                        break;
                    }
                    block.push(line);
                }
                let key = match ended {
                    true => pem_contents(&block).and_then(|bytes| formats::pem(label, &bytes)),
                    false => Err(anyhow!("it has no line with {end:?}")),
                };
                self.result(name, &at, key);
            } else if let Some(heading) = line.strip_suffix(':').filter(|_| !is_pairs(line)) {
                // As OpenSSL prints numbers: a heading, then lines of pairs of digits.
                let digits = with_pairs(String::new(), &mut lines);
                let modulus = heading.to_ascii_lowercase().starts_with("modulus");
                match formats::number(&digits).filter(|_| modulus) {
                    Some(_) if digits.ends_with(':') => {
                        self.refuse(name, &at, &anyhow!("it ends too early"));
                    }
                    Some(n) => self.add(name, &at, Public { n, e: None }),
                    None => self.refuse(name, &at, &anyhow!("{heading:?} is no modulus")),
                }
            } else if !line.is_empty() && !line.starts_with(['#', ';']) && !line.starts_with("//") {
                let line = continued(line, &mut lines);
                self.line(name, number, &line, &mut exponent);
            }
        }
        if let Some((number, _)) = exponent.0 {
            self.refuse(
                name,
                &format!(":{number}"),
                &anyhow!("an exponent without a modulus"),
            );
        }
        Ok(())
    }

    /// One line outside of PEM: `ssh-rsa AAAA...` (with options or hosts before it), `n = ...`, `e = ...`, a number, or base64
    /// of DER.
    fn line(&mut self, name: &str, number: usize, line: &str, exponent: &mut Ahead) {
        let at = format!(":{number}");
        if let Some(key) = openssh_line(line) {
            return self.result(name, &at, key);
        }
        if is_pairs(line) && line.ends_with(':') {
            return self.refuse(name, &at, &anyhow!("it ends too early"));
        }
        let (label, value) = line.split_once(['=', ':']).unwrap_or(("", line));
        // OpenSSL: 65537 (0x10001)
        let value = value.split(" (").next().unwrap_or(value);
        match (
            label.trim().to_ascii_lowercase().as_str(),
            formats::number(value),
        ) {
            ("e" | "exponent" | "publicexponent", Some(e)) => match self.keys.last_mut() {
                Some(key) if key.e.is_none() && key.name.starts_with(name) => key.e = Some(e),
                _ => {
                    if let Some((number, _)) = exponent.0.replace((number, e)) {
                        let twice = anyhow!("an exponent without a modulus");
                        self.refuse(name, &format!(":{number}"), &twice);
                    }
                }
            },
            ("n" | "modulus", Some(n)) => {
                let e = exponent.0.take().map(|(_, e)| e);
                self.add(name, &at, Public { n, e });
            }
            _ => match formats::number(line) {
                Some(n) => self.add(name, &at, Public { n, e: None }),
                None => {
                    let of_der = formats::unbase64(line).and_then(|bytes| formats::der(&bytes));
                    let what = "it is no number, no ssh-rsa key and no base64 of a key";
                    self.result(name, &at, of_der.map_err(|_| anyhow!(what)));
                }
            },
        }
    }

    fn result(&mut self, file: &str, at: &str, key: Result<Public>) {
        match key {
            Ok(public) => self.add(file, at, public),
            Err(error) => self.refuse(file, at, &error),
        }
    }

    fn refuse(&mut self, file: &str, at: &str, error: &anyhow::Error) {
        self.refused
            .push(visible(&format!("{file}{at}: {error:#}")).into_owned());
    }

    fn add(&mut self, file: &str, at: &str, public: Public) {
        let bits = public.n.bit_len();
        let name = match file {
            "" if bits == 1 => "modulus of 1 bit".to_owned(),
            "" => format!("modulus of {bits} bits"),
            file => visible(&format!("{file}{at}")).into_owned(),
        };
        let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str());
        self.keys.push(Key {
            number: self.keys.len() + 1,
            name,
            file: stem.unwrap_or("key").to_owned(),
            n: public.n,
            e: public.e,
        });
    }

    /// A file of several keys, and a number, have no name for a private key: they are counted.
    fn name_files(&mut self) {
        let stems: Vec<String> = self.keys.iter().map(|key| key.file.clone()).collect();
        let mut counted = std::collections::HashMap::new();
        for (key, stem) in self.keys.iter_mut().zip(&stems) {
            let count: &mut usize = counted.entry(stem).or_default();
            *count += 1;
            if stems.iter().filter(|other| *other == stem).nth(1).is_some() || stem == "key" {
                key.file = format!("{stem}-{count}");
            }
        }
    }
}

/// An exponent that stands before its modulus, and the number of its line.
#[derive(Default)]
struct Ahead(Option<(usize, UBig)>);

/// Digits with the lines of pairs of digits that follow, as one. The last line may hold a single pair, which has no colon.
fn with_pairs<'a>(
    mut digits: String,
    lines: &mut Peekable<impl Iterator<Item = (usize, &'a str)>>,
) -> String {
    while let Some((_, pairs)) = lines.next_if(|(_, line)| {
        is_pairs(line) || (digits.ends_with(':') && is_pairs(&format!("{line}:")))
    }) {
        digits.push_str(pairs);
    }
    digits
}

/// A line with those that continue it: behind a backslash, as `bc` folds numbers, and behind pairs of digits that end with a
/// colon.
fn continued<'a>(
    line: &str,
    lines: &mut Peekable<impl Iterator<Item = (usize, &'a str)>>,
) -> String {
    let mut whole = line.to_owned();
    while whole.ends_with('\\')
        && let Some((_, next)) = lines.next()
    {
        whole.pop();
        whole.push_str(next);
    }
    match is_pairs(&whole) && whole.ends_with(':') {
        true => with_pairs(whole, lines),
        false => whole,
    }
}

/// The label of a line that begins a PEM block, or one of RFC 4716, which has four dashes and a space.
fn pem_begin(line: &str) -> Option<&str> {
    let inside = line
        .strip_prefix("----")?
        .trim_start_matches('-')
        .trim_start();
    let label = inside.strip_prefix("BEGIN ")?;
    Some(label.trim_end_matches('-').trim_end())
}

/// The bytes between the two lines of a block. Headers are left out; one that says that the rest is encrypted is an error.
fn pem_contents(lines: &[&str]) -> Result<Vec<u8>> {
    let mut base64 = String::new();
    let mut continued = false;
    for line in lines {
        let header = line.contains(':') || continued;
        ensure!(
            !(header && line.contains("ENCRYPTED")),
            "it is encrypted as a whole: decrypt it, or give its public key"
        );
        continued = header && line.ends_with('\\');
        if !header {
            base64.push_str(line);
        }
    }
    formats::unbase64(&base64)
}

/// The key in a line of `authorized_keys`, `known_hosts` or a `.pub` file.
fn openssh_line(line: &str) -> Option<Result<Public>> {
    let mut words = line.split_ascii_whitespace();
    words.find(|word| {
        ["ssh-", "ecdsa-", "sk-"]
            .iter()
            .any(|kind| word.starts_with(kind))
    })?;
    let blob = words.next().context("nothing follows the algorithm's name");
    Some(
        blob.and_then(formats::unbase64)
            .and_then(|blob| formats::openssh_public(&blob)),
    )
}
