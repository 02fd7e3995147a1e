//! Inputs of two kinds. The first byte tells them apart: below 128, a file of any bytes follows; from 128 on, a script of
//! what is written into one.

/// Gives the input to the one of the two that it is for.
pub fn run(data: &[u8], file: impl FnOnce(&[u8]), script: impl FnOnce(&[u8])) {
    match data.split_first() {
        Some((128.., rest)) => script(rest),
        Some((_, rest)) => file(rest),
        None => {}
    }
}

/// An input whose file is `bytes`.
pub fn file(bytes: &[u8]) -> Vec<u8> {
    [&[0], bytes].concat()
}

/// An input whose script is `bytes`.
pub fn script(bytes: &[u8]) -> Vec<u8> {
    [&[128], bytes].concat()
}
