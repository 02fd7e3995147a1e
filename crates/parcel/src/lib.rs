//! A file as messages of `latch/2`, and the file again from the messages. The format is on the page
//! `docs/src/files.md`.
//!
//! * [`Head`], [`Name`]: the file that a part belongs to: hash, length, name;
//! * [`split`]: a file becomes [`Parts`], each the text of one message;
//! * [`Part`]: one part, parsed strictly from any text;
//! * [`Assembly`]: finds out which message holds which part, and which parts are missing;
//! * [`join`]: the parts become the file, which must have the hash of its head.
//!
//! Pure: no network, no clock, no files. Times and texts come in as values.
//!
//! ```
//! use latchstring_parcel::{Assembly, Name, Received, Sender, join, split};
//! use latchstring_protocol::hardened::message::{Fingerprint, UserName};
//!
//! let bytes = vec![7; 30_000];
//! let name = Name::new("answers.zip").unwrap();
//! let texts: Vec<String> = split(name, &bytes).unwrap().texts().collect();
//! assert_eq!(texts.len(), 3);
//!
//! let sender = Sender { user: UserName::parse("alice").unwrap(), key: Fingerprint([1; 32]) };
//! let mut assembly = Assembly::default();
//! for (id, text) in (1..).zip(&texts) {
//!     assembly.add(&sender, Received { id, at: Some(1_700_000_000 + id), text });
//! }
//! let file = assembly.files().next().unwrap();
//! assert!(file.is_complete());
//! assert_eq!(file.times(), [Some(1_700_000_003)]);
//! let parts = file.messages().map(|id| texts[id as usize - 1].as_str());
//! assert_eq!(join(file.head, parts).unwrap(), bytes);
//! ```

mod assembly;
mod head;
mod part;
mod split;

pub use assembly::{Assembly, BadPart, FileParts, Kind, Received, Sender};
pub use head::{Head, MAX_FILE, MAX_NAME, MAX_PARTS, Name, NameError, PART_BYTES, SizeError};
pub use part::{MARK, Part, PartError};
pub use split::{JoinError, Parts, join, split};
