//! The hardened client as a library: it speaks `latch/2` over any stream. The program `latchstring-client` is around it.
//!
//! * [`login`]: proves the host, then the user; only [`login::Client::login`] makes a [`connection::Connection`];
//! * [`dial`]: from an address to an open session, with all that a person is asked on the way;
//! * [`connection`]: messages, acknowledgements, liveness and an agreed end;
//! * [`known_hosts`]: which host has which key, and the refusal when that changes;
//! * [`retry`]: coming again where the server has no room yet;
//! * [`outbox`]: messages on disk until the server says that it has them;
//! * [`delivery`]: each of them to the server, exactly once;
//! * [`redial`]: the next session after one that broke off;
//! * [`send_text`]: one message, over as many sessions as it takes, with a receipt;
//! * [`transfer`]: a file from this disk to a host, with a receipt;
//! * [`send_file`], [`journal`], [`receipt`]: its parts, over as many sessions as it takes;
//! * [`address`], [`place`], [`password`], [`input`]: the inputs of people and scripts.
//!
//! There is no other protocol in here to fall back to.

pub mod address;
pub mod connection;
pub mod delivery;
pub mod dial;
mod error;
pub mod input;
pub mod journal;
pub mod known_hosts;
pub mod login;
pub mod outbox;
pub mod place;
pub mod receipt;
pub mod redial;
pub mod retry;
pub mod send_file;
pub mod send_text;
pub mod transfer;

pub use connection::{Connection, Event};
pub use delivery::Delivery;
pub use error::{ClientError, Stage};
pub use latchstring_net::password;
pub use login::Client;
