//! Why a program has not kept a server busy as it should have.

use std::time::Duration;

use latchstring_arena::truth::counted;

use super::Trouble;
use crate::{catalogue::Jam, target::gate::Spent};

/// What happened while a program kept the server busy, and afterwards.
#[derive(Debug, Clone)]
pub struct Jammed {
    /// How long an honest login waited at most; `None` when the program never connected.
    pub kept_out: Option<Duration>,
    /// What the program has spent.
    pub spent: Spent,
    /// Whether the honest user was served again when the program was gone.
    pub recovered: bool,
}

impl Jammed {
    /// Why this is not what was asked for.
    pub fn trouble(&self, jam: &Jam, broken: Option<&Trouble>) -> Option<Trouble> {
        let Some(kept_out) = self.kept_out else {
            return Some(broken.cloned().unwrap_or_else(|| {
                Trouble::new(
                    "nobody connected to the server, so no honest login was tried",
                    "connect to the host and the port that your program is given",
                )
            }));
        };
        let Spent { connections, bytes } = self.spent;
        if connections > jam.connections || bytes > jam.bytes {
            return Some(Trouble::new(
                format!(
                    "your program spent {} and {}; the budget is {} and {}",
                    counted(connections as usize, "connection"),
                    counted(bytes as usize, "byte"),
                    jam.connections,
                    jam.bytes
                ),
                "find a way that costs the server more than it costs you",
            ));
        }
        if kept_out < jam.time() {
            let found = format!(
                "an honest user was let in after {:.1} seconds; {} are asked for",
                kept_out.as_secs_f64(),
                jam.seconds
            );
            // A program that ran into its time limit has held on: that is no fault here.
            let broken = broken.filter(|broken| !broken.late);
            return Some(match broken {
                Some(broken) => Trouble {
                    found: format!("{found}. {}", broken.found),
                    ..broken.clone()
                },
                None => Trouble::wrong(found),
            });
        }
        (!self.recovered).then(|| {
            Trouble::new(
                "when your program was gone, the honest user was still not served",
                "keep the server busy, and leave it running",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JAM: Jam = Jam {
        seconds: 2,
        connections: 4,
        bytes: 100,
    };

    fn jammed(ms: u64, connections: u64, bytes: u64) -> Jammed {
        Jammed {
            kept_out: Some(Duration::from_millis(ms)),
            spent: Spent { connections, bytes },
            recovered: true,
        }
    }

    #[test]
    fn a_jam_holds_for_its_time_within_its_budget_and_ends_with_the_program() {
        let found = |jammed: &Jammed| jammed.trouble(&JAM, None).map(|trouble| trouble.found);
        assert_eq!(found(&jammed(2000, 4, 100)), None);
        assert!(
            found(&jammed(700, 4, 100))
                .unwrap()
                .contains("after 0.7 seconds")
        );
        for spent in [(5, 0), (4, 101)] {
            let over = found(&jammed(2000, spent.0, spent.1)).unwrap();
            assert!(over.contains("the budget is 4 and 100"), "{over}");
        }
        let gone = Jammed {
            recovered: false,
            ..jammed(2000, 1, 0)
        };
        assert!(found(&gone).unwrap().contains("still not served"));
        let never = Jammed {
            kept_out: None,
            ..gone
        };
        assert!(found(&never).unwrap().contains("nobody connected"));
    }
}
