//! The parts that the pure protocols need from the world: a socket loop, randomness, files and terminals.
//!
//! * [`wire`]: reads and writes with a deadline, never more than the protocol allows;
//! * [`link`]: a session on a stream;
//! * [`entropy`]: randomness from the operating system, behind a trait that the lab can seed;
//! * [`public_key`]: which RSA public keys the protocol allows;
//! * [`hygiene`]: which public keys may be enrolled;
//! * [`files`]: files that a person named, and their permissions;
//! * [`keyfile`]: public keys in PEM files;
//! * [`password`]: a prompt without echo, a private file or a descriptor;
//! * [`mod@picture`]: a fingerprint as a picture;
//! * [`report`]: an error as one line;
//! * [`mod@print`]: lines for a person or a script, without a panic when they cannot be written;
//! * [`terminal`]: text of strangers, so that it cannot steer a terminal or hide;
//! * [`loopback`]: an address that cannot be another machine; [`port`]: one that is kept for a program to come.

pub use latchstring_protocol as protocol;

pub mod entropy;
pub mod files;
pub mod hygiene;
pub mod keyfile;
pub mod link;
pub mod loopback;
pub mod password;
pub mod picture;
pub mod port;
pub mod print;
pub mod public_key;
pub mod report;
pub mod terminal;
pub mod wire;
