//! Both login protocols as pure state machines: no sockets, no clock, no operating system randomness.
