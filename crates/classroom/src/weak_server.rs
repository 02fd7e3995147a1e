//! A server of the faithful protocol whose keys follow from one seed: the same generator for all its sessions.

use anyhow::Context;
use latchstring_arena::weakened::generator::SeededWithTime;
use latchstring_attacker::{
    cryptanalysis::generators::Generator, protocol_faithful::keys::SessionSecrets,
};
use rand::Rng;

use super::{catalogue::WeakServer, facts::Facts, seed::Seed};

/// One of them, with the sessions that it has had.
pub struct Seeded {
    generator: Generator,
    seed: u64,
    sessions: usize,
}

impl Seeded {
    /// Draws the seed of a server, and tells its facts.
    ///
    /// # Errors
    /// When the seeds are no numbers, or there is no seed to draw.
    pub fn draw(server: &WeakServer, seed: &Seed, facts: &mut Facts) -> anyhow::Result<Self> {
        let id = &server.id;
        let number = |field: &str, text: &str| {
            let text = facts.fill(text)?;
            let no_number =
                || format!("`{field}` of the server {id:?} is {text:?}, which is no number");
            text.parse::<u64>().with_context(no_number)
        };
        let (from, seeds) = (
            number("from", &server.from)?,
            number("seeds", &server.seeds)?,
        );
        let last = (seeds.checked_sub(1)).and_then(|more| from.checked_add(more));
        let last = last.with_context(|| {
            format!(
                "the server {id:?} has {seeds} seeds from {from} on: give one or more, below 2^64"
            )
        })?;
        let random = seed.stream(&format!("seed of {id}")).next_u64();
        let chosen = from + random % seeds;
        facts.set(format!("{id}.from"), from);
        facts.set(format!("{id}.to"), last);
        facts.set(format!("{id}.seeds"), seeds);
        facts.set(format!("{id}.seed"), chosen);
        facts.set(
            format!("{id}.bits"),
            u64::BITS - (seeds - 1).leading_zeros(),
        );
        let generator = server.generator.parse()?;
        Ok(Self {
            generator,
            seed: chosen,
            sessions: 0,
        })
    }

    /// The generator as it is when the next session begins: each session before has drawn a key and an IV.
    pub fn next_session(&mut self) -> SeededWithTime {
        let mut generator = SeededWithTime::with(self.generator, self.seed);
        for _ in 0..self.sessions {
            SessionSecrets::draw(&mut generator);
        }
        self.sessions += 1;
        generator
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(from: &str, seeds: &str) -> WeakServer {
        WeakServer {
            id: "clock".to_owned(),
            generator: "python".to_owned(),
            from: from.to_owned(),
            seeds: seeds.to_owned(),
        }
    }

    #[test]
    fn sessions_go_on_where_the_one_before_stopped() {
        let mut facts = Facts::default();
        facts.set("start", 1000);
        let drawn = Seeded::draw(&server("{start}", "60"), &Seed::chosen(1), &mut facts);
        let mut drawn = drawn.unwrap();
        assert_eq!(
            facts.fill("{clock.from} {clock.to} {clock.bits}").unwrap(),
            "1000 1059 6"
        );
        let seed: u64 = facts.fill("{clock.seed}").unwrap().parse().unwrap();
        assert!((1000..1060).contains(&seed));
        let whole: [u8; 80] = Generator::PythonRandom.bytes(seed);
        for session in 0..2 {
            let secrets = SessionSecrets::draw(&mut drawn.next_session());
            let both = [&secrets.key[..], &secrets.iv[..]].concat();
            assert_eq!(both, whole[session * 40..][..40]);
        }
    }

    #[test]
    fn seeds_that_are_no_numbers_or_none_at_all_are_named() {
        for (from, seeds, says) in [
            ("noon", "60", "`from` of the server \"clock\" is \"noon\""),
            ("1000", "0", "0 seeds"),
            ("18446744073709551615", "2", "below 2^64"),
        ] {
            let drawn = Seeded::draw(
                &server(from, seeds),
                &Seed::chosen(1),
                &mut Facts::default(),
            );
            let why = drawn.err().unwrap().to_string();
            assert!(why.contains(says), "{why}");
        }
    }
}
