//! What a check finds, judged from numbers alone.

use std::{fmt, time::Duration};

use latchstring_server_core::{Limits, store::password::Cost};
use serde::Serialize;

/// Descriptors that a server needs besides its connections: the store, the log, and the runtime.
const OWN_DESCRIPTORS: u64 = 64;
/// The memory that a connection may take before its login.
const CONNECTION: u64 = 8 * 1024;
/// With less room than this, a wrong password can soon not be counted, and nobody can log in.
const LITTLE_ROOM: u64 = 64 * MIB;
/// With less room than this, it is time to look.
const SOME_ROOM: u64 = 1024 * MIB;
/// A clock may be this far behind what the store has seen.
const SLACK: u64 = 60;
/// 2026-01-01: no clock that is right is before that.
const NOT_BEFORE: u64 = 1_767_225_600;
const MIB: u64 = 1024 * 1024;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// The server works, and somebody should look at this.
    Warning,
    /// The server does not start, or fails sooner or later.
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// The thing.
    pub(super) about: &'static str,
    /// What was seen; and what to do, if there is something to do.
    pub(super) text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Error => "error",
        };
        write!(f, "{level:<8} {:<17} {}", self.about, self.text)
    }
}

impl Finding {
    pub(super) fn ok(about: &'static str, text: impl fmt::Display) -> Self {
        Self::new(Level::Ok, about, text)
    }

    pub(super) fn warning(about: &'static str, text: impl fmt::Display) -> Self {
        Self::new(Level::Warning, about, text)
    }

    pub(super) fn error(about: &'static str, text: impl fmt::Display) -> Self {
        Self::new(Level::Error, about, text)
    }

    /// Whether nobody has to do anything about it.
    pub(super) fn is_ok(&self) -> bool {
        self.level == Level::Ok
    }

    fn new(level: Level, about: &'static str, text: impl fmt::Display) -> Self {
        Self {
            level,
            about,
            text: text.to_string(),
        }
    }

    /// Whether a process may have enough descriptors for all its connections. `None` is no bound.
    pub(super) fn descriptors(limits: &Limits, may_have: Option<u64>) -> Self {
        let about = "file descriptors";
        let needed = limits.max_connections as u64 + OWN_DESCRIPTORS;
        match may_have {
            Some(may_have) if may_have < needed => Self::error(
                about,
                format_args!(
                    "a process may have {may_have}, and max_connections = {} needs {needed}; raise LimitNOFILE in the unit, or \
                     `ulimit -n`, or lower max_connections",
                    limits.max_connections
                ),
            ),
            Some(may_have) => Self::ok(about, format_args!("{may_have}, and {needed} are needed")),
            None => Self::ok(about, format_args!("no bound, and {needed} are needed")),
        }
    }

    /// Whether password hashes and connections fit into the memory.
    pub(super) fn memory(limits: &Limits, cost: Cost, there_is: u64) -> Self {
        let hash = u64::from(cost.memory_mib()) * MIB;
        let hashes = hash.saturating_mul(limits.password_permits as u64);
        let connections = CONNECTION.saturating_mul(limits.max_connections as u64);
        let needed = hashes.saturating_add(connections);
        let text = format!(
            "{} MiB, of which up to {} are used",
            there_is / MIB,
            needed / MIB
        );
        let advice = "lower password_permits or memory_mib";
        match needed {
            _ if needed > there_is => Self::error("memory", format_args!("{text}; {advice}")),
            _ if needed > there_is / 2 => Self::warning(
                "memory",
                format_args!("{text}, which is more than half; {advice}"),
            ),
            _ => Self::ok("memory", text),
        }
    }

    /// Whether there is room on the disk for what is stored.
    pub(super) fn room(free: u64) -> Self {
        let text = format!("{} MiB are free", free / MIB);
        let advice = "make room: without it the server stores no message, and lets nobody in";
        match free {
            _ if free < LITTLE_ROOM => Self::error("disk", format_args!("{text}; {advice}")),
            _ if free < SOME_ROOM => Self::warning("disk", format_args!("{text}; {advice}")),
            _ => Self::ok("disk", text),
        }
    }

    /// Whether the clock can be right, in seconds since 1970. `seen` is the latest time in the store.
    pub(super) fn clock(now: u64, seen: Option<u64>) -> Self {
        let behind = seen.unwrap_or(0).max(NOT_BEFORE).saturating_sub(now);
        if behind <= SLACK {
            return Self::ok("clock", "not before what the store has seen");
        }
        let behind = humantime::format_duration(Duration::from_secs(behind));
        Self::error(
            "clock",
            format_args!(
                "it is {behind} behind what it has been; set it, for example with: timedatectl set-ntp true"
            ),
        )
    }

    /// What stored passwords cost to guess, beside what new ones do.
    pub(super) fn password_hashes(configured: Cost, stored: &[Option<Cost>]) -> Self {
        let about = "password hashes";
        let unusable = stored.iter().filter(|cost| cost.is_none()).count();
        if unusable > 0 {
            return Self::error(
                about,
                format_args!(
                    "{unusable} of {} cannot be used; give these users new passwords with: latchstring-server user passwd",
                    stored.len()
                ),
            );
        }
        let cheaper = |cost: &Cost| {
            cost.memory_mib() < configured.memory_mib() || cost.passes() < configured.passes()
        };
        match stored.iter().flatten().filter(|cost| cheaper(cost)).count() {
            0 => Self::ok(about, "none costs less than a new one"),
            cheaper => Self::warning(
                about,
                format_args!(
                    "{cheaper} of {} cost less than new ones do; each is renewed when its user logs in next",
                    stored.len()
                ),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(memory_mib: u32, passes: u32) -> Cost {
        Cost::new(memory_mib, passes).unwrap()
    }

    fn limits() -> Limits {
        Limits::default()
    }

    #[test]
    fn descriptors_must_be_enough_for_all_connections() {
        for (may_have, level) in [
            (Some(256), Level::Error),
            (Some(1063), Level::Error),
            (Some(1064), Level::Ok),
            (None, Level::Ok),
        ] {
            let found = Finding::descriptors(&limits(), may_have);
            assert_eq!(found.level, level, "{found}");
            assert_eq!(found.text.contains("LimitNOFILE"), level == Level::Error);
        }
    }

    #[test]
    fn hashes_must_fit_into_the_memory() {
        // Two hashes of 64 MiB, and 8 MiB of connections.
        for (there_is, level) in [(135, Level::Error), (200, Level::Warning), (300, Level::Ok)] {
            let found = Finding::memory(&limits(), cost(64, 3), there_is * MIB);
            assert_eq!(found.level, level, "{found}");
        }
        let found = Finding::memory(&limits(), cost(256, 3), 400 * MIB);
        assert_eq!(found.level, Level::Error, "{found}");
    }

    #[test]
    fn a_full_disk_is_an_error_before_it_is_full() {
        for (free, level) in [(0, Level::Error), (500, Level::Warning), (2000, Level::Ok)] {
            assert_eq!(Finding::room(free * MIB).level, level, "{free}");
        }
    }

    #[test]
    fn a_clock_that_went_back_is_an_error() {
        let now = NOT_BEFORE + 1_000_000;
        for (seen, level) in [
            (None, Level::Ok),
            (Some(now), Level::Ok),
            (Some(now + 60), Level::Ok),
            (Some(now + 3600), Level::Error),
        ] {
            assert_eq!(Finding::clock(now, seen).level, level, "{seen:?}");
        }
        let found = Finding::clock(0, None);
        assert_eq!(found.level, Level::Error);
        assert!(found.text.contains("years"), "{found}");
    }

    #[test]
    fn hashes_that_cost_less_and_hashes_that_are_none_are_counted() {
        let stored = |costs: &[(u32, u32)]| -> Vec<_> {
            costs.iter().map(|(m, t)| Some(cost(*m, *t))).collect()
        };
        let judged = |costs: &[(u32, u32)]| Finding::password_hashes(cost(64, 3), &stored(costs));
        assert_eq!(judged(&[]).level, Level::Ok);
        assert_eq!(judged(&[(64, 3), (128, 3)]).level, Level::Ok);
        let found = judged(&[(64, 3), (32, 3), (64, 2)]);
        assert_eq!(found.level, Level::Warning);
        assert!(found.text.starts_with("2 of 3"), "{found}");
        let mut broken = stored(&[(64, 3)]);
        broken.push(None);
        let found = Finding::password_hashes(cost(64, 3), &broken);
        assert!(
            found.level == Level::Error && found.text.starts_with("1 of 2"),
            "{found}"
        );
    }
}
