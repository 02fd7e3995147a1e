//! The result of a search, for a person and as JSON.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use anyhow::Result;
use latchstring_cryptanalysis::{
    brute_force::{Cost, Prices, Round, counting_energy},
    seeds::{Read, SECRETS_LEN, keystream_blocks},
};
use latchstring_net::terminal::visible;
use serde_json::json;

use super::{Arguments, Found, Judged};

/// The price of trying keys instead of seeds.
struct Price {
    keys_a_second: f64,
    all: Cost,
}

impl Price {
    /// From how many AES-256 keys one core of this machine tries in a second, measured now.
    fn of_all_keys() -> Self {
        const TIME: Duration = Duration::from_millis(200);
        let mut candidates = [[0; SECRETS_LEN]; 128];
        let (began, mut tried) = (Instant::now(), 0u64);
        while began.elapsed() < TIME {
            for (candidate, key) in candidates.iter_mut().zip(tried..) {
                candidate[..8].copy_from_slice(&key.to_le_bytes());
            }
            std::hint::black_box(keystream_blocks(&candidates));
            tried += candidates.len() as u64;
        }
        let keys_a_second = tried as f64 / began.elapsed().as_secs_f64();
        let all = Cost::of_keys(256, keys_a_second, &Prices::RENTED_CORE);
        Self { keys_a_second, all }
    }
}

/// Prints what a search came to.
///
/// # Errors
/// If `out` fails.
pub(super) fn print(out: &mut impl Write, arguments: &Arguments, found: &Found) -> Result<()> {
    let price = Price::of_all_keys();
    match arguments.json {
        true => as_json(out, arguments, found, &price),
        false => in_words(out, arguments, found, &price),
    }
}

fn in_words(
    out: &mut impl Write,
    arguments: &Arguments,
    found: &Found,
    price: &Price,
) -> Result<()> {
    writeln!(
        out,
        "listened: {} bytes of the client in session {} of {}; nothing that the server said is used",
        found.sniffed.len(),
        arguments.session,
        arguments.capture.display()
    )?;
    writeln!(
        out,
        "tried: {} of {} seeds of {}, {} a second",
        found.tried,
        found.seeds,
        arguments.generator,
        Round(found.tried as f64 / found.seconds)
    )?;
    if let Some(next) = found.next {
        writeln!(
            out,
            "ended before seed {next}: {} of the seeds were tried, and nothing is known of the others",
            percent(found.done, found.seeds)
        )?;
    }
    for judged in &found.hits {
        hit(out, arguments, found, judged)?;
    }
    nothing_sure(out, found)?;
    writeln!(
        out,
        "\nOf a server with a good generator, all 2^256 keys would have to be tried. One core of this machine tries {} a \
         second:\nthat is {} years of it, {} kWh, and {} dollars at 4 cents an hour. Merely to count so far takes {} J \
         at 3 K;\nthe sun gives 1.2e34 J a year.",
        Round(price.keys_a_second),
        Round(price.all.years_on(1.0)),
        Round(price.all.kilowatt_hours),
        Round(price.all.money),
        Round(counting_energy(256, 3.0))
    )?;
    Ok(())
}

/// The advice after a search without a certain seed.
fn nothing_sure(out: &mut impl Write, found: &Found) -> Result<()> {
    if found.sure() {
        return Ok(());
    }
    if !found.hits.is_empty() {
        writeln!(
            out,
            "\nno seed is beyond doubt: there is too little text to tell a right one from a wrong one; record more of the session"
        )?;
        return Ok(());
    }
    if found.next.is_some() {
        writeln!(
            out,
            "so far no seed makes text of what the client sent; the search is not over"
        )?;
        return Ok(());
    }
    writeln!(
        out,
        "no seed makes text of what the client sent. One of these is so:\n  \
         - the server used another generator, another unit, or a time outside --from and --to\n  \
         - it had other sessions since it was seeded, or was seeded otherwise: --earlier N\n  \
         - the capture lacks the beginnings of the messages, or holds too little text\n  \
         - its keys come from a good generator, and cannot be guessed"
    )?;
    Ok(())
}

/// Never 100 unless all are done.
fn percent(done: u64, all: u64) -> String {
    let percent = 100.0 * done as f64 / all as f64;
    match percent {
        ..0.01 => "less than 0.01 %".to_owned(),
        0.01..99.9 => format!("{percent:.2} %"),
        _ => "99.9 %".to_owned(),
    }
}

fn hit(out: &mut impl Write, arguments: &Arguments, found: &Found, judged: &Judged) -> Result<()> {
    let Judged { hit, false_hits } = judged;
    let time = arguments.unit.time(hit.seed);
    let time = time.map_or(String::new(), |time| format!(" ({time})"));
    let (key, iv) = hit.secrets.split_at(32);
    writeln!(out, "\nseed {}{time}", hit.seed)?;
    let doubt = match judged.sure() {
        true => "",
        false => ": this may be one of them",
    };
    writeln!(
        out,
        "  of {} wrong seeds, at most {} are expected to make text as good{doubt}",
        found.seeds,
        Round(*false_hits)
    )?;
    writeln!(out, "  session key {}", hex::encode(key))?;
    writeln!(out, "  IV          {}", hex::encode(iv))?;
    for (number, read) in found.sniffed.read(&hit.secrets).iter().enumerate() {
        match read {
            Read::Text(text) => writeln!(out, "  \"{}\"", visible(text))?,
            Read::NoText(bytes @ 120..=128) if number == 0 => {
                writeln!(
                    out,
                    "  ({bytes} bytes that are no text under this key: the login)"
                )?;
            }
            Read::NoText(bytes) => {
                writeln!(out, "  ({bytes} bytes that are no text under this key)")?;
            }
        }
    }
    Ok(())
}

fn as_json(
    out: &mut impl Write,
    arguments: &Arguments,
    found: &Found,
    price: &Price,
) -> Result<()> {
    let hits = found.hits.iter().map(|judged| {
        let hit = &judged.hit;
        let (key, iv) = hit.secrets.split_at(32);
        let (mut messages, mut no_text) = (Vec::new(), 0);
        for read in found.sniffed.read(&hit.secrets) {
            match read {
                Read::Text(text) => messages.push(text),
                Read::NoText(bytes) => no_text += bytes,
            }
        }
        json!({
            "seed": hit.seed,
            "time": arguments.unit.time(hit.seed),
            "key": hex::encode(key),
            "iv": hex::encode(iv),
            "messages": messages,
            "bytes_that_are_no_text": no_text,
            "expected_false_hits": judged.false_hits,
            "sure": judged.sure(),
        })
    });
    let all = json!({
        "generator": arguments.generator.name(),
        "seeds": found.seeds,
        "tried": found.tried,
        "done": found.done,
        "seconds": found.seconds,
        "ended_before": found.next,
        "found": found.sure(),
        "hits": hits.collect::<Vec<_>>(),
        "all_keys": {
            "keys_a_second_on_one_core": price.keys_a_second,
            "years_of_one_core": price.all.years_on(1.0),
            "kilowatt_hours": price.all.kilowatt_hours,
        },
    });
    writeln!(out, "{all:#}")?;
    Ok(())
}
