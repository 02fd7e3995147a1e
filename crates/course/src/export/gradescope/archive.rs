//! The archive that an instructor gives to Gradescope as an autograder.
//!
//! Gradescope takes it apart into `/autograder/source` and runs `setup.sh` once, when it builds the image. For each
//! submission it copies `run_autograder` to `/autograder` and runs it there. The same parts make the same archive to the
//! byte. Its entries are in order, and their date is the first day that the format knows.

use std::{
    collections::BTreeMap,
    io::{Cursor, Write},
};

use thiserror::Error;
use zip::{CompressionMethod, DateTime, ZipWriter, result::ZipError, write::SimpleFileOptions};

/// The command that grades one submission, run in `/autograder`. It must write `results/results.json`.
pub const GRADE: &str = "latchstring course grade submission --course source/course \
     --gradescope submission_metadata.json --out results/results.json";

/// The program in the archive.
const PROGRAM: &str = "latchstring";

const SETUP: &str = r#"#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image.
set -euo pipefail
# Programs of students are written in Python. Some peers of the labs need packages in the versions that the labs name.
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-venv
python3 -m venv /opt/latchstring
/opt/latchstring/bin/pip install --quiet cryptography==50.0.2
install -m 0755 /autograder/source/latchstring /usr/local/bin/latchstring
latchstring --version
"#;

/// The folder in the course's folder with the labs that are not inside the program. If it is there, all labs come from it.
pub const LABS: &str = "labs";

fn run(labs: &[&str], own: bool) -> String {
    let own = if own {
        format!(" --labs source/course/{LABS}")
    } else {
        String::new()
    };
    let labs: String = labs.iter().map(|lab| format!(" --lab {lab}")).collect();
    format!(
        "#!/usr/bin/env bash\n\
         # Gradescope runs this for each submission. A failure is reported by its exit code, and no grade is written.\n\
         set -euo pipefail\n\
         export PATH=/opt/latchstring/bin:$PATH\n\
         cd /autograder\n\
         mkdir -p results\n\
         # Programs of students run beside it, and the key opens all answers of the course.\n\
         chmod -R go= source/course\n\
         exec {GRADE}{own}{labs}\n"
    )
}

/// A file of the course.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The path below `course/`, with `/` between its parts.
    pub path: &'a str,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// Why there is no archive.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// Gradescope runs Linux on x86-64.
    #[error(
        "the program is not for Linux on x86-64, where Gradescope runs; pass a latchstring that was built there"
    )]
    Program,
    /// A path that leaves the folder of the course, or that is there twice.
    #[error(
        "{0:?} cannot be a file of the course: it leaves the folder, or it is there twice; name each file once, below the folder"
    )]
    Path(String),
    /// The archive could not be made, such as one of more than 4 GB.
    #[error("the archive cannot be written: {0}; pass fewer or smaller files")]
    Zip(#[from] ZipError),
}

/// Makes an archive of the program and the files of the course. It grades these labs; without any, every lab that is handed in.
///
/// Students never see the archive. But their programs run in the same container, where the grader is root. Only the access
/// rules of the grader keep them from these files, and a kernel can lack those. So a secret that opens more than this
/// course does not belong here.
///
/// # Errors
/// When the program is not for Linux on x86-64, or a path is not a file below the folder of the course.
pub fn archive(
    program: &[u8],
    course: &[Part<'_>],
    labs: &[&str],
) -> Result<Vec<u8>, ArchiveError> {
    if !runs_there(program) {
        return Err(ArchiveError::Program);
    }
    let mut files = BTreeMap::new();
    for part in course {
        let before = files.insert(format!("course/{}", part.path), part.bytes);
        if before.is_some() || !is_below(part.path) {
            return Err(ArchiveError::Path(part.path.to_owned()));
        }
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    add(&mut zip, "setup.sh", SETUP.as_bytes(), 0o755)?;
    let own = format!("course/{LABS}/");
    let own = files.keys().any(|path| path.starts_with(&own));
    add(&mut zip, "run_autograder", run(labs, own).as_bytes(), 0o755)?;
    add(&mut zip, PROGRAM, program, 0o755)?;
    for (path, bytes) in files {
        add(&mut zip, &path, bytes, 0o644)?;
    }
    Ok(zip.finish()?.into_inner())
}

fn add(
    zip: &mut ZipWriter<Cursor<Vec<u8>>>,
    path: &str,
    bytes: &[u8],
    mode: u32,
) -> Result<(), ZipError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(mode);
    zip.start_file(path, options)?;
    Ok(zip.write_all(bytes)?)
}

/// An ELF file of 64 bits for x86-64 (System V ABI: `e_ident`, and 62 as `e_machine`).
fn runs_there(program: &[u8]) -> bool {
    program.starts_with(b"\x7fELF\x02") && program.get(18..20) == Some(&[62, 0])
}

fn is_below(path: &str) -> bool {
    let parts = |part: &str| !matches!(part, "" | "." | "..");
    path.split('/').all(parts) && !path.contains(|c: char| c.is_control() || "\\:".contains(c))
}
