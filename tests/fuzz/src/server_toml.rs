//! `server.toml` as an operator may have left it.
//!
//! Besides "no panic": what is taken keeps every limit within its bounds and all paths beside the file or absolute; an
//! error names the file.

use latchstring_server_core::config::Config;

use super::scratch;

/// Runs one input.
pub fn run(data: &[u8]) {
    let folder = scratch::folder("server");
    let path = scratch::file(&folder, "server.toml", data);
    match Config::load(&path) {
        Ok(config) => {
            // All limits by their names in the debug output, so that a new one is not forgotten.
            let limits = format!("{:?}", config.limits);
            let numbers = limits
                .split(|c: char| !c.is_ascii_digit())
                .filter(|word| !word.is_empty());
            for number in numbers {
                let number: u64 = number.parse().expect("digits");
                assert!((1..=1_000_000).contains(&number), "{limits}");
            }
            for path in [&config.host_key, &config.database] {
                assert!(path.is_absolute(), "{}", path.display());
            }
        }
        Err(error) => {
            let said = error.to_string();
            assert!(said.contains("server.toml"), "{said}");
        }
    }
}
