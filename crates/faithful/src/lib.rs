//! The report's own two programs, byte for byte, flaws included, on loopback only.
