//! Programs in the folder of this one. A program may start another one of the project without being linked with it.

use std::{env, error::Error, fmt, path::PathBuf};

/// A program that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Its name.
    pub name: String,
    /// Where it should be.
    pub path: PathBuf,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, path } = self;
        write!(
            f,
            "the program {name} is not at {}: build it with `cargo build --release -p {name}`, or copy it there, and run the \
             same command again",
            path.display()
        )
    }
}

impl Error for Missing {}

/// The program of this name in the folder of this one.
///
/// # Errors
/// [`Missing`].
pub fn program(name: &str) -> Result<PathBuf, Missing> {
    let here = env::current_exe().unwrap_or_default();
    let path = here.with_file_name(name);
    match path.is_file() {
        true => Ok(path),
        false => Err(Missing {
            name: name.to_owned(),
            path,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_beside_this_one_and_a_missing_one_is_named_with_its_place() {
        let here = env::current_exe().unwrap();
        let name = here.file_name().unwrap().to_str().unwrap();
        assert_eq!(program(name).unwrap(), here);
        let missing = program("no-such-program").unwrap_err().to_string();
        let place = here.parent().unwrap().display().to_string();
        assert!(missing.contains("no-such-program is not at"), "{missing}");
        assert!(missing.contains(&place), "{missing}");
    }
}
