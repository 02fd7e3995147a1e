//! Both login protocols as pure state machines: no sockets, no clock, no operating system randomness.
//!
//! Bytes and randomness come in, bytes and values go out. The two protocols stand **side by side**: [`faithful`] is the
//! report's, flaws kept; [`hardened`] is ours. Both have `message`, `handshake` and `record`, and where both have a step
//! it bears the same name in the same order, so that `diff -y faithful/record.rs hardened/record.rs` is a lesson.
//!
//! There is no trait over both: nothing may be generic over "some protocol", so nothing can fall back to the weak one.

pub mod codec;
pub mod hardened;
