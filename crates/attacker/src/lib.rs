//! The attacks, one file each, and the vantages they act from.
