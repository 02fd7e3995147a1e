//! The one directory that client *and* server use.
//!
//! ```text
//! client.keys/<user>       private key     <- the server reads these, too
//! client.keys/<user>.pub   public key
//! server.keys/<user>.pub   the same public key again; nobody reads it
//! server.keys/clients      one user a line; a user who generated keys twice stands there twice
//! ```

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use latchstring_protocol_faithful::{
    Error as ProtocolError,
    keys::{PrivateKey, PublicKey},
    message::UserName,
};
use rand::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

/// Longest key file or list that is read, in bytes. A key file has less than 1,000; a list of 100,000 users fits.
const MAX_FILE: u64 = 1 << 20;

/// The directory with everybody's keys.
#[derive(Debug, Clone)]
pub struct KeyDir(PathBuf);

/// The errors of the directory's files, with the file, the fault and the next step.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The directory itself is not there or is something else.
    #[error("{}: {why}; give --dir a directory that exists and that you may read", dir.display())]
    Directory {
        /// Where.
        dir: PathBuf,
        /// The error of the system.
        why: io::Error,
    },
    /// There is no such user.
    #[error("{} does not exist: generate keys for {user} first (option 2)", path.display())]
    NoKey {
        /// The user.
        user: UserName,
        /// Where the key should be.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("cannot {doing} {}: {why}; check that it is a file below --dir and its permissions", path.display())]
    File {
        /// `read` or `write`.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// The error of the system.
        why: io::Error,
    },
    /// A key file does not hold a key.
    #[error("{}: {why}", path.display())]
    Key {
        /// Where.
        path: PathBuf,
        /// The error of the parser.
        why: ProtocolError,
    },
}

impl KeyDir {
    /// Uses an existing directory. Its two folders are made when the first keys are.
    ///
    /// # Errors
    /// [`KeyError::Directory`] when it cannot be listed.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, KeyError> {
        let dir = dir.into();
        match fs::read_dir(&dir) {
            Ok(_) => Ok(Self(dir)),
            Err(why) => Err(KeyError::Directory { dir, why }),
        }
    }

    /// Makes keys for a user and overwrites existing ones **without a question**: a person who can write here can
    /// become any user.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn generate<R: CryptoRng + ?Sized>(
        &self,
        user: &UserName,
        rng: &mut R,
    ) -> Result<PrivateKey, KeyError> {
        let private_path = self.private_path(user);
        let broken = |why| KeyError::Key {
            path: private_path.clone(),
            why,
        };
        let key = PrivateKey::generate(rng).map_err(broken)?;
        let public = key.public_key().to_pem().map_err(broken)?;
        let private = key.to_pem().map_err(broken)?;

        for folder in ["client.keys", "server.keys"] {
            let path = self.0.join(folder);
            fs::create_dir_all(&path).map_err(file_error("write", &path))?;
        }
        write(&private_path, private.as_bytes())?;
        write(&self.public_path(user), public.as_bytes())?;
        write(
            &self.0.join("server.keys").join(format!("{user}.pub")),
            public.as_bytes(),
        )?;
        self.append_to_list(user)?;
        Ok(key)
    }

    /// The names in the list, in order. A directory in which nobody ever generated keys has none.
    ///
    /// A line that is not a user name comes back as an error text, so that no line can lead out of the directory.
    ///
    /// # Errors
    /// When there is a list that cannot be read.
    pub fn names(&self) -> Result<Vec<Result<UserName, String>>, KeyError> {
        let path = self.list_path();
        let list = match read(&path) {
            Err(KeyError::File { why, .. }) if why.kind() == io::ErrorKind::NotFound => {
                // Nobody enrolled yet, or the directory is gone: these are two different things.
                Self::open(&self.0)?;
                return Ok(Vec::new());
            }
            list => list?,
        };
        let lines = list.lines().filter(|line| !line.is_empty());
        Ok(lines
            .map(|line| UserName::parse(line).map_err(|e| format!("the line {line:?}: {e}")))
            .collect())
    }

    /// Reads `client.keys/<user>`.
    ///
    /// # Errors
    /// When the file does not exist, cannot be read or holds no key.
    pub fn private_key(&self, user: &UserName) -> Result<PrivateKey, KeyError> {
        self.key(user, self.private_path(user), PrivateKey::from_pem)
    }

    /// Reads `client.keys/<user>.pub`.
    ///
    /// # Errors
    /// When the file does not exist, cannot be read or holds no key.
    pub fn public_key(&self, user: &UserName) -> Result<PublicKey, KeyError> {
        self.key(user, self.public_path(user), PublicKey::from_pem)
    }

    fn key<K>(
        &self,
        user: &UserName,
        path: PathBuf,
        parse: impl Fn(&str) -> Result<K, ProtocolError>,
    ) -> Result<K, KeyError> {
        match read(&path) {
            Ok(pem) => parse(&pem).map_err(|why| KeyError::Key { path, why }),
            Err(KeyError::File { why, path, .. }) if why.kind() == io::ErrorKind::NotFound => {
                let user = user.clone();
                Err(KeyError::NoKey { user, path })
            }
            Err(e) => Err(e),
        }
    }

    fn append_to_list(&self, user: &UserName) -> Result<(), KeyError> {
        let path = self.list_path();
        let file = fs::OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut list| list.write_all(format!("{user}\n").as_bytes()))
            .map_err(file_error("write", &path))
    }

    fn private_path(&self, user: &UserName) -> PathBuf {
        self.0.join("client.keys").join(user.as_str())
    }

    fn public_path(&self, user: &UserName) -> PathBuf {
        self.0.join("client.keys").join(format!("{user}.pub"))
    }

    fn list_path(&self) -> PathBuf {
        self.0.join("server.keys").join("clients")
    }
}

fn file_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_owned();
    move |why| KeyError::File { doing, path, why }
}

fn write(path: &Path, content: &[u8]) -> Result<(), KeyError> {
    fs::write(path, content).map_err(file_error("write", path))
}

/// Reads a text file of at most [`MAX_FILE`] bytes. Wiped when dropped, because most of them hold a private key.
fn read(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let read = || {
        let meta = fs::metadata(path)?;
        if !meta.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        if meta.len() > MAX_FILE {
            return Err(io::Error::other(format!(
                "it has {} bytes, and at most {MAX_FILE} are read",
                meta.len()
            )));
        }
        fs::read_to_string(path).map(Zeroizing::new)
    };
    read().map_err(file_error("read", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::ChaCha20Rng};

    fn name(name: &str) -> UserName {
        UserName::parse(name).unwrap()
    }

    #[test]
    fn keys_are_written_where_the_report_has_them_and_overwritten_freely() {
        let dir = tempfile::tempdir().unwrap();
        let keys = KeyDir::open(dir.path()).unwrap();
        assert!(keys.names().unwrap().is_empty());
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let first = keys.generate(&name("alice"), &mut rng).unwrap();
        let second = keys.generate(&name("alice"), &mut rng).unwrap();
        assert_ne!(first.public_key(), second.public_key());

        let file = |path: &str| fs::read_to_string(dir.path().join(path)).unwrap();
        assert_eq!(file("client.keys/alice"), *second.to_pem().unwrap());
        assert_eq!(file("client.keys/alice.pub"), file("server.keys/alice.pub"));
        assert_eq!(file("server.keys/clients"), "alice\nalice\n");
        assert!(file("client.keys/alice").starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
        assert!(file("client.keys/alice.pub").starts_with("-----BEGIN PUBLIC KEY-----\n"));
        assert!(file("client.keys/alice.pub").ends_with("-----END PUBLIC KEY-----"));
        assert_eq!(keys.names().unwrap().len(), 2);
        let read = keys.private_key(&name("alice")).unwrap().public_key();
        assert_eq!(read, keys.public_key(&name("alice")).unwrap());
    }

    #[test]
    fn the_same_seed_makes_the_same_key() {
        let make = || PrivateKey::generate(&mut ChaCha20Rng::seed_from_u64(7)).unwrap();
        assert_eq!(make().to_pem().unwrap(), make().to_pem().unwrap());
    }

    #[test]
    fn every_error_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let keys = KeyDir::open(dir.path()).unwrap();
        let error = keys.public_key(&name("bob")).unwrap_err().to_string();
        assert!(error.contains("bob.pub does not exist"), "{error}");

        fs::create_dir_all(dir.path().join("client.keys/bob")).unwrap();
        let error = keys.private_key(&name("bob")).err().unwrap().to_string();
        assert!(
            error.contains("cannot read") && error.contains("client.keys/bob"),
            "{error}"
        );

        fs::write(
            dir.path().join("client.keys/eve"),
            vec![b'x'; MAX_FILE as usize + 1],
        )
        .unwrap();
        let error = keys.private_key(&name("eve")).err().unwrap().to_string();
        assert!(error.contains("at most"), "{error}");

        for missing in [dir.path().join("none"), dir.path().join("client.keys/eve")] {
            let error = KeyDir::open(&missing).unwrap_err().to_string();
            assert!(error.contains("--dir"), "{error}");
        }
    }
}
