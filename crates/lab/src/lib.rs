//! The front door: arena, matrix, demo and exercises.
//!
//! * [`arena`]: runs honest peers and one attacker over a wire that it owns, and judges;
//! * [`against`]: what an attack is up against, a column of the matrix;
//! * [`truth`]: what really happened, and the verdict that follows;
//! * [`cells`]: many runs at once, and what is promised for each;
//! * [`matrix`]: every attack against every target;
//! * [`demo`]: the same as a story;
//! * [`exercise`]: the labs;
//! * [`generate`]: what the repository holds that is made from runs;
//! * [`weak_server`]: the faithful server with guessable keys;
//! * [`overheard`]: the attacks that only listen, on a capture;
//! * [`read`]: every byte of a capture, named;
//! * [`solve`]: the mathematical attacks on files;
//! * [`workbench`]: the many-time pad by hand.
//!
//! Below them: [`wire`] (memory or loopback TCP), [`peers`] (the honest programs), [`stopwatch`] (what
//! the server is made to do), [`weakened`] (peers that leave defences out), [`keys`] (published keys, seeds), [`screen`]
//! (what is printed fits the terminal) and [`suggest`] ("did you mean").

pub mod against;
pub mod arena;
pub mod cells;
pub mod demo;
pub mod exercise;
pub mod generate;
pub mod keys;
pub mod matrix;
pub mod overheard;
pub mod peers;
pub mod read;
pub mod recorder;
pub mod screen;
pub mod solve;
pub mod stopwatch;
pub mod suggest;
pub mod truth;
pub mod weak_server;
pub mod weakened;
pub mod wire;
pub mod workbench;
