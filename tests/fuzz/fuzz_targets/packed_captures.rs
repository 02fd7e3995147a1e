#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| latchstring_fuzz::packed_captures::run(data));
