//! The front door: the demo.
//!
//! * [`carrier`]: the carrier of a run's bytes, on the command line;
//! * [`compare`]: both protocols side by side;
//! * [`demo`]: the same as a story;
//! * [`ladder`]: the way between both protocols, one rung at a time;
//! * [`weak_server`]: the faithful server with guessable keys;
//! * [`passive`]: the attacks that only listen, on a capture;
//! * [`read`]: every byte of a capture, named.

pub mod carrier;
pub mod compare;
pub mod demo;
pub mod ladder;
pub mod passive;
pub mod read;
pub mod weak_server;
