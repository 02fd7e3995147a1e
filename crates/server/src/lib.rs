//! The hardened server.
