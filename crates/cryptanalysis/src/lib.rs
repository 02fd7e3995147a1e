//! Pure algorithms that break what the faithful protocol encrypts.
