//! The ladder: the whole way from the faithful protocol to the hardened one, one idea a rung. For the lab alone: it runs in
//! memory or on loopback.
//!
//! Client and server of every rung are the same code; the rung's number chooses the parts. The files read in the order of
//! the table:
//!
//! * [`rung`]: the table itself;
//! * [`frame`]: rungs 1 to 3, numbers, tags and their order; [`keys`]: what they are made with;
//! * [`content`]: rung 4, what a plaintext says; rung 8, how it is padded;
//! * [`hello`]: rung 5, the exchange and the host's [`signature`];
//! * [`login`] and [`accounts`]: rungs 6 and 7, what a user shows and how a server decides;
//! * [`client`], [`server`] and [`connection`]: the states of both ends; [`inbox`]: what has come; [`complaint`]: why an end gives up.
//!
//! Around the protocol:
//!
//! * [`network`]: lines in memory; [`session`]: an honest session, with somebody on its path or not; [`path`]: the pieces of
//!   its bytes;
//! * [`tcp`]: lines over TCP on loopback; [`serve`]: a server there; [`proxy`]: somebody on the path there;
//! * [`folder`]: the files of both ends; [`grade`]: checks of a peer of unknown make;
//! * [`attack`]: the type of an attack, and [`attacks`]: all of them; [`cast`]: the people; [`impostor`]: an attacker's server;
//! * [`run`](mod@run): one attack against one rung; [`judge`]: the truth about it; [`table`]: all runs;
//! * [`text`]: the table for a terminal; [`svg`]: as a picture; [`vectors`]: a session of each rung with every value.

pub mod accounts;
pub mod attack;
pub mod attacks;
pub mod cast;
pub mod client;
pub mod complaint;
pub mod connection;
pub mod content;
pub mod folder;
pub mod frame;
pub mod grade;
pub mod hello;
pub mod impostor;
pub mod inbox;
pub mod judge;
pub mod keys;
pub mod login;
pub mod network;
pub mod path;
pub mod proxy;
pub mod run;
pub mod rung;
pub mod serve;
pub mod server;
pub mod session;
pub mod signature;
pub mod svg;
pub mod table;
pub mod tcp;
pub mod text;
pub mod vectors;

pub use rung::{Idea, Rung};
