//! Where interpreters, compilers and their libraries are: what every program may read and execute.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Folders of the system. None of them holds a person's files. A folder that does not exist is left out later.
const SYSTEM: [&str; 14] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc",
    "/opt",
    "/nix",
    "/snap",
    "/sys",
    "/proc",
    "/home/linuxbrew",
    "/Library",
];
/// Folders below the home folder in which people install languages.
const AT_HOME: [&str; 8] = [
    ".rustup",
    ".pyenv",
    ".local/lib",
    ".asdf",
    ".nvm",
    ".sdkman",
    ".ghcup",
    ".cargo/bin",
];
/// Devices without memory of their own.
pub const DEVICES: [&str; 5] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// All of them, on this machine.
pub fn all() -> Vec<PathBuf> {
    let home = env::var_os("HOME").map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> = env::split_paths(&path).collect();
    let mut roots: Vec<PathBuf> = SYSTEM.map(PathBuf::from).to_vec();
    roots.extend(
        home.iter()
            .flat_map(|home| AT_HOME.map(|name| home.join(name))),
    );
    roots.extend(
        path.iter()
            .filter(|folder| folder.is_absolute())
            .map(|folder| installed(folder, home.as_deref()).unwrap_or_else(|| folder.clone())),
    );
    roots
}

/// The folder above `bin`, where an installation has its `lib`. Not one that holds a home, and not `~/.local`, which holds
/// a person's data too.
fn installed(folder: &Path, home: Option<&Path>) -> Option<PathBuf> {
    let is_bin = ["bin", "sbin", "shims"]
        .iter()
        .any(|name| folder.ends_with(name));
    let above = folder.parent().filter(|_| is_bin)?;
    let holds_home = home.is_some_and(|home| home.starts_with(above));
    let is_top = above.parent().is_none();
    let is_data = above.ends_with(".local");
    (!holds_home && !is_top && !is_data).then(|| above.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_is_readable_and_a_home_is_not() {
        let home = Some(Path::new("/home/ada"));
        for (folder, readable) in [
            ("/home/ada/miniconda3/bin", Some("/home/ada/miniconda3")),
            ("/home/ada/.pyenv/shims", Some("/home/ada/.pyenv")),
            ("/home/ada/.local/bin", None),
            ("/home/ada/bin", None),
            ("/home/bin", None),
            ("/bin", None),
            ("/home/ada/project/target/release", None),
        ] {
            assert_eq!(
                installed(Path::new(folder), home),
                readable.map(PathBuf::from),
                "{folder}"
            );
        }
    }
}
