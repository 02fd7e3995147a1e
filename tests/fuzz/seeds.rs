//! Writes the seeds of the fuzz targets into their corpora. `tests/replay.rs` tells when they have to be made again.

#[path = "src/lib.rs"]
pub mod fuzz;

use std::{fs, io};

fn main() -> io::Result<()> {
    let corpora = latchstring_tests::workspace().join("tests/fuzz/corpus");
    for seed in fuzz::seeds::all() {
        let folder = corpora.join(seed.target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(seed.name), seed.bytes)?;
    }
    Ok(())
}
