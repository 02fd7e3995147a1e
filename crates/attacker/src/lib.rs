//! The attacks, one file each, and the vantages they act from.
//!
//! An attack is a small program that gets a *vantage* and nothing else, and returns a *claim*. It never marks its own
//! work: whether the claim is true is decided by the arena, which knows what really happened.
//!
//! * [`attack`]: the definition of an attack; [`report`]: its possible claims; [`target`]: its targets;
//! * [`vantage`]: the abilities of each attacker;
//! * [`peer`]: the attacker's own client of the server;
//! * [`path`]: the client's messages, for an attacker on the path;
//! * [`cuts`]: where the messages of a faithful session begin and end;
//! * [`eavesdrop`]: the key schedule for a listener with a secret;
//! * [`host`]: the attacker's own server;
//! * [`attacks`]: the attacks themselves and their registry.
//!
//! Everything here is for the lab's programs. The arena hands out a vantage, on loopback or in memory. Nothing in this
//! crate takes the name of another machine.

pub mod attack;
pub mod attacks;
pub mod cuts;
pub mod eavesdrop;
pub mod host;
pub mod path;
pub mod peer;
pub mod report;
pub mod target;
pub mod vantage;

pub use attack::{Attack, Faithful, Goal, Loot, Order, Resource, Run, Scene};
pub use latchstring_capture as capture;
pub use latchstring_cryptanalysis as cryptanalysis;
pub use latchstring_net as net;
pub use latchstring_protocol as protocol;
pub use latchstring_protocol_faithful as protocol_faithful;
pub use report::{Claim, Report, Story};
pub use target::Target;
