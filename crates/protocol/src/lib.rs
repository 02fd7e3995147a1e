//! The [`hardened`] login protocol as a pure state machine: no sockets, no clock, no operating system randomness.
//!
//! Bytes and randomness come in, bytes and values go out. The report's protocol, flaws kept, stands **side by side** with it
//! in `latchstring-protocol-faithful`. Where both have a step, the step has the same name in the same file in the same
//! order, so that `latchstring compare record` is a lesson.
//!
//! There is no trait over both: nothing may be generic over "some protocol", so nothing can fall back to the weak one.
//! The two share [`codec`] alone.

pub mod codec;
pub mod hardened;
