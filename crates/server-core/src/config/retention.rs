//! The section `[retention]`: how long messages stay in the store.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error as _};

/// A shorter time is most often a slip of the keyboard, and the messages would be gone.
const SHORTEST: Duration = Duration::from_secs(60 * 60);

/// How long messages stay. Without any rule they stay for ever.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Messages that came longer ago are removed.
    #[serde(deserialize_with = "time")]
    pub keep: Option<Duration>,
    /// Of more messages than this the oldest are removed.
    #[serde(deserialize_with = "number")]
    pub max_messages: Option<u64>,
    /// Of texts with more MiB than this the oldest are removed.
    #[serde(deserialize_with = "number")]
    pub max_size_mib: Option<u64>,
}

fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(from)?;
    let time = humantime::parse_duration(&text).ok();
    match time.filter(|time| *time >= SHORTEST) {
        Some(time) => Ok(Some(time)),
        None => Err(D::Error::custom(format!(
            "\"{text}\" is no time of an hour or more; write for example keep = \"90d\""
        ))),
    }
}

fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    match u64::deserialize(from)? {
        0 => Err(D::Error::custom(
            "0 would remove every message; use 1 or more, or delete this line",
        )),
        number => Ok(Some(number)),
    }
}

/// A time in the largest unit that needs no fraction.
fn shown(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds % (24 * 60 * 60), seconds % (60 * 60)) {
        (0, _) => format!("{}d", seconds / (24 * 60 * 60)),
        (_, 0) => format!("{}h", seconds / (60 * 60)),
        _ => format!("{seconds}s"),
    }
}

impl Retention {
    /// Whether there is no rule, so that messages stay for ever.
    pub fn is_for_ever(&self) -> bool {
        *self == Self::default()
    }

    /// The differences from another section: `name old -> new` for each.
    pub(super) fn changes(&self, new: &Self) -> Vec<String> {
        let texts = |retention: &Self| {
            let number = |n: Option<u64>| n.map(|n| n.to_string());
            [
                ("keep", retention.keep.map(shown)),
                ("max_messages", number(retention.max_messages)),
                ("max_size_mib", number(retention.max_size_mib)),
            ]
        };
        let none = || "none".to_owned();
        let pairs = texts(self).into_iter().zip(texts(new));
        pairs
            .filter(|(old, new)| old != new)
            .map(|((name, old), (_, new))| {
                let [old, new] = [old, new].map(|text| text.unwrap_or_else(none));
                format!("{name} {old} -> {new}")
            })
            .collect()
    }

    /// The section of a new file.
    pub(super) const SECTION: &'static str = r#"[retention]

# Messages stay in the store until they are removed. With a rule here the server removes the oldest ones, at its start
# and once an hour: those that came longer ago than `keep`, and those beyond a number or a size. A message that waits
# for the sink stays. `latchstring-server messages prune` does it at once.
# keep = "90d"
# max_messages = 1000000
# max_size_mib = 1024
"#;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Retention, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn without_a_rule_messages_stay_for_ever() {
        assert!(read("").unwrap().is_for_ever());
        let section = Retention::SECTION.replace("[retention]", "");
        assert!(read(&section).unwrap().is_for_ever());
        // And the lines that are left out there are good ones.
        let rules = section.replace("# keep", "keep").replace("# max", "max");
        let rules = read(&rules).unwrap();
        assert_eq!(rules.keep, Some(Duration::from_secs(90 * 24 * 60 * 60)));
        assert_eq!(rules.max_messages, Some(1_000_000));
        assert_eq!(rules.max_size_mib, Some(1024));
    }

    #[test]
    fn a_rule_that_would_remove_everything_is_refused() {
        for (text, says) in [
            ("keep = \"90\"", "write for example"),
            ("keep = \"5m\"", "an hour or more"),
            ("keep = \"0d\"", "an hour or more"),
            ("max_messages = 0", "remove every message"),
            ("max_size_mib = 0", "remove every message"),
            ("max_messages = -1", "-1"),
            ("kept = \"90d\"", "unknown field"),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.contains(says), "{text}: {why}");
        }
    }

    #[test]
    fn each_rule_that_changes_is_named() {
        let rules = read("keep = \"90d\"\nmax_messages = 5").unwrap();
        let changes = Retention::default().changes(&rules);
        assert_eq!(changes, ["keep none -> 90d", "max_messages none -> 5"]);
        for (text, as_shown) in [("36h", "36h"), ("61m", "3660s"), ("48h", "2d")] {
            let keep = read(&format!("keep = \"{text}\"")).unwrap().keep;
            assert_eq!(shown(keep.unwrap()), as_shown);
        }
        assert!(rules.changes(&rules).is_empty());
    }
}
