//! Sockets, operating system randomness and the constant-time RSA provider for the pure protocols.
