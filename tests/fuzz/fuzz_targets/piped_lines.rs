#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| latchstring_fuzz::piped_lines::run(data));
