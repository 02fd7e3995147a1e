//! The command line: which end, which rung, which port, which files.

use std::path::PathBuf;

use crate::{error::Result, rung::RUNGS};

pub const USAGE: &str = "usage: peer server --port P --dir D
       peer client --port P --dir D --user NAME

The client sends each line of its standard input as a text. With `--rung N` a peer that speaks several rungs
speaks this one; without, the highest.";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Server,
    Client,
}

pub struct Args {
    pub side: Side,
    pub rung: u8,
    pub port: u16,
    /// The folder with `client.keys` and `server.keys`.
    pub dir: PathBuf,
    /// Who logs in; only a client needs it.
    pub user: String,
}

impl Args {
    /// Reads the words behind the program's name.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let side = match words.next().as_deref() {
            Some("server") => Side::Server,
            Some("client") => Side::Client,
            _ => return Err("the first word must be `server` or `client`".into()),
        };
        let (mut rung, mut port, mut dir, mut user) = (None, None, None, None);
        while let Some(option) = words.next() {
            let value = words.next().ok_or_else(|| format!("{option} needs a value"))?;
            match option.as_str() {
                "--rung" => rung = Some(number(&option, &value)?),
                "--port" => port = Some(number(&option, &value)?),
                "--dir" => dir = Some(PathBuf::from(value)),
                "--user" => user = Some(value),
                _ => return Err(format!("there is no option {option}").into()),
            }
        }
        Ok(Self {
            side,
            rung: rung.unwrap_or(*RUNGS.end()),
            port: port.ok_or("--port is missing")?,
            dir: dir.ok_or("--dir is missing")?,
            user: match side {
                Side::Client => user.ok_or("--user is missing")?,
                Side::Server => String::new(),
            },
        })
    }

    /// Refuses a rung that this peer does not speak.
    pub fn check_rung(&self) -> Result<()> {
        if RUNGS.contains(&self.rung) {
            return Ok(());
        }
        let (lowest, highest) = (RUNGS.start(), RUNGS.end());
        Err(format!(
            "this peer does not speak rung {}, but {lowest} to {highest}: \
             leave out --rung, or write the next rung and raise RUNGS in src/rung.rs",
            self.rung
        )
        .into())
    }
}

fn number<N: std::str::FromStr>(option: &str, value: &str) -> Result<N> {
    let number = value.parse();
    number.map_err(|_| format!("{option} needs a number, and {value:?} is none that fits").into())
}
