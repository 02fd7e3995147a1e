//! The losses of a capture, and the packets that were not understood: counted during reading, reported at the end.

use std::{collections::BTreeMap, fmt};

use crate::{
    CaptureError,
    decode::{Carried, Skip},
    reassembly::Strays,
};

/// The losses on the way from the wire to the sessions.
#[derive(Debug, Default)]
pub struct Losses {
    /// How many packets were read in all.
    pub packets: u64,
    /// Packets without a TCP segment, by the reason.
    skipped: BTreeMap<Skip, u64>,
    /// Fragments of IP packets of which other fragments are missing.
    fragments: u64,
    /// Segments outside the window of their session.
    strays: Strays,
    /// Packets that the recorder lost, by the file's own account.
    pub dropped: u64,
    /// Why the file could not be read to its end.
    pub ended: Option<CaptureError>,
}

impl Losses {
    pub(crate) fn skip(&mut self, why: Skip) {
        *self.skipped.entry(why).or_default() += 1;
    }

    pub(crate) fn fragments_left_over(&mut self, count: u64) {
        self.fragments = count;
    }

    pub(crate) fn stray(&mut self, strays: Strays) {
        self.strays.packets += strays.packets;
        self.strays.bytes += strays.bytes;
    }

    /// How many packets gave no segment for this kind of reason.
    pub fn skipped(&self, is_one: impl Fn(&Skip) -> bool) -> u64 {
        let skipped = self.skipped.iter().filter(|(why, _)| is_one(why));
        skipped.map(|(_, count)| count).sum()
    }

    /// Whether everything in the file was understood and is used. Packets of other protocols are understood.
    pub fn is_empty(&self) -> bool {
        self.lines().is_empty()
    }

    /// A sentence for each thing that was lost or not understood; none when there is nothing to say.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (why, &count) in &self.skipped {
            match why {
                Skip::Link(number) => lines.push(format!(
                    "{} not understood: link type {number}{}",
                    were(count),
                    link_name(*number)
                )),
                Skip::Cut => lines.push(format!(
                    "{} not understood: the recorder cut the packet before the end of its headers",
                    were(count)
                )),
                Skip::Malformed(what) => {
                    lines.push(format!("{} not understood: {what}", were(count)));
                }
                Skip::BadFragment => lines.push(format!(
                    "{} not used: a part of an IP packet that is cut or contradicts another part",
                    were(count)
                )),
                Skip::Fragment | Skip::Other(_) => {}
            }
        }
        if self.fragments > 0 {
            lines.push(format!(
                "{} not used: parts of IP packets whose other parts are not in the capture",
                were(self.fragments)
            ));
        }
        if self.strays.packets > 0 {
            lines.push(format!(
                "{} left out ({}): outside of the window of the session",
                were(self.strays.packets),
                bytes(self.strays.bytes)
            ));
        }
        if self.dropped > 0 {
            lines.push(format!(
                "the recorder says that it lost {}",
                packets(self.dropped)
            ));
        }
        if let Some(error) = &self.ended {
            lines.push(error.to_string());
        }
        lines
    }

    /// The packets that are understood and hold no TCP, by content; empty without such packets.
    pub fn others(&self) -> String {
        let carried = self.skipped.iter().filter_map(|(why, count)| match why {
            Skip::Other(carried) => Some((*carried, *count)),
            _ => None,
        });
        let mut carried: Vec<(Carried, u64)> = carried.collect();
        carried.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let each = carried
            .iter()
            .map(|(what, count)| format!("{count} {what}"));
        each.collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().join("\n"))
    }
}

fn were(count: u64) -> String {
    let verb = if count == 1 { "was" } else { "were" };
    format!("{} {verb}", packets(count))
}

/// "1 packet", "2 packets".
pub fn packets(count: u64) -> String {
    counted(count, "packet")
}

/// "1 byte", "2 bytes".
pub fn bytes(count: u64) -> String {
    counted(count, "byte")
}

/// A number with its noun.
pub fn counted(count: u64, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}

/// The names of link types that are met most often and not understood.
fn link_name(number: u32) -> &'static str {
    match number {
        189 | 220 | 249 => " (USB)",
        187 | 201 | 251 => " (Bluetooth)",
        195 | 230 => " (IEEE 802.15.4)",
        119 | 163 => " (802.11 with an old radio header)",
        147..=162 => " (for private use)",
        253 => " (Linux netlink)",
        227 => " (CAN bus)",
        _ => "",
    }
}
