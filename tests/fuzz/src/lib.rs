//! What the fuzz targets do with one input. Each module is a target, and says what must hold besides "no panic".
//!
//! The very same code runs twice: under libFuzzer (`fuzz_targets/`, started by `.ci/fuzz`), and over the committed corpora
//! in `cargo test` (`tests/replay.rs`), where no fuzzer is needed.

pub mod account;
pub mod addresses;
pub mod capture_files;
pub mod dissect;
pub mod either;
pub mod factor_keys;
pub mod faithful_keys;
pub mod faithful_wire;
pub mod field;
pub mod file_parts;
pub mod hardened_client;
pub mod hardened_messages;
pub mod hardened_records;
pub mod hardened_server;
pub mod hardened_session;
pub mod hexadecimal;
pub mod key_files;
pub mod known_hosts;
pub mod lab_files;
pub mod model_codec;
pub mod opened;
pub mod outbox;
pub mod packed_captures;
pub mod packets;
pub mod peer;
pub mod piped_lines;
pub mod plain_keys;
pub mod reassembly;
pub mod record_reader;
pub mod resume_files;
pub mod scratch;
pub mod seeds;
pub mod server_toml;
pub mod shake;
pub mod terminal_text;
pub mod vectors;
pub mod workbench_files;

/// Takes one input; a panic is a fault.
pub type Target = fn(&[u8]);

/// All targets by their names, which are those of their corpora too.
pub const TARGETS: [(&str, Target); 26] = [
    ("addresses", addresses::run),
    ("capture_files", capture_files::run),
    ("dissect", dissect::run),
    ("factor_keys", factor_keys::run),
    ("faithful_keys", faithful_keys::run),
    ("faithful_wire", faithful_wire::run),
    ("file_parts", file_parts::run),
    ("hardened_client", hardened_client::run),
    ("hardened_messages", hardened_messages::run),
    ("hardened_records", hardened_records::run),
    ("hardened_server", hardened_server::run),
    ("hardened_session", hardened_session::run),
    ("hexadecimal", hexadecimal::run),
    ("key_files", key_files::run),
    ("known_hosts", known_hosts::run),
    ("lab_files", lab_files::run),
    ("model_codec", model_codec::run),
    ("outbox", outbox::run),
    ("packed_captures", packed_captures::run),
    ("piped_lines", piped_lines::run),
    ("reassembly", reassembly::run),
    ("record_reader", record_reader::run),
    ("resume_files", resume_files::run),
    ("server_toml", server_toml::run),
    ("terminal_text", terminal_text::run),
    ("workbench_files", workbench_files::run),
];
