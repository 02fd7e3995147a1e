//! Takes files out of packages.

use std::{
    fs::File,
    io::{Cursor, Read},
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, ensure};
use flate2::read::{GzDecoder, ZlibDecoder};

/// Files of a package: path and content, sorted by path.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// The regular files of a package (.tgz, .whl or .deb) whose paths `wanted` accepts.
///
/// # Errors
/// If the package cannot be read, or for a .deb, if `dpkg-deb` is missing.
pub(crate) fn files(package: &Path, wanted: impl Fn(&str) -> bool) -> Result<Files> {
    let extension = package.extension().and_then(|extension| extension.to_str());
    let open = || Ok(File::open(package)?);
    let files = match extension {
        Some("whl") => zipped(package, &wanted),
        Some("deb") => debian(package).and_then(|tar| tarred(Cursor::new(tar), &wanted)),
        _ => open().and_then(|file| tarred(GzDecoder::new(file), &wanted)),
    };
    let mut files = files.with_context(|| format!("reading {}", package.display()))?;
    files.sort();
    Ok(files)
}

fn zipped(package: &Path, wanted: impl Fn(&str) -> bool) -> Result<Files> {
    let mut archive = zip::ZipArchive::new(File::open(package)?)?;
    let mut files = Files::new();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at)?;
        let name = entry.name().to_owned();
        if entry.is_file() && wanted(&name) {
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            files.push((name, content));
        }
    }
    Ok(files)
}

fn tarred(reader: impl Read, wanted: impl Fn(&str) -> bool) -> Result<Files> {
    let mut files = Files::new();
    for entry in tar::Archive::new(reader).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        if entry.header().entry_type().is_file() && wanted(&name) {
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            files.push((name, content));
        }
    }
    Ok(files)
}

fn debian(package: &Path) -> Result<Vec<u8>> {
    let mut command = Command::new("dpkg-deb");
    let output = command.arg("--fsys-tarfile").arg(package).output();
    let output = output.context("cannot run dpkg-deb: install dpkg")?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "dpkg-deb: {error}");
    Ok(output.stdout)
}

/// The mark of an ASCII string in R's files; the length follows, in four bytes.
const R_STRING: [u8; 4] = [0, 4, 0, 9];
/// Longer strings are taken for something else.
const LONGEST_R_LINE: usize = 400;

/// The lines of all text vectors in an R database of data (.rdb): each is a length and a zlib stream.
///
/// # Errors
/// If a stream is damaged.
pub(crate) fn r_lines(mut database: &[u8]) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    while let Some((_, rest)) = database.split_at_checked(4) {
        let mut decoder = ZlibDecoder::new(rest);
        let mut data = Vec::new();
        let damaged = "a damaged R database";
        decoder.read_to_end(&mut data).context(damaged)?;
        let used = usize::try_from(decoder.total_in())?;
        database = rest.get(used..).context(damaged)?;
        r_strings(&data, &mut lines);
        lines.push(String::new());
    }
    Ok(lines)
}

fn r_strings(mut data: &[u8], lines: &mut Vec<String>) {
    while let Some(found) = data.windows(4).position(|window| window == R_STRING) {
        data = &data[found + 4..];
        let Some((length, rest)) = data.split_first_chunk() else {
            break;
        };
        let length = u32::from_be_bytes(*length) as usize;
        if let Some((line, rest)) = rest.split_at_checked(length)
            && length < LONGEST_R_LINE
        {
            lines.push(String::from_utf8_lossy(line).into_owned());
            data = rest;
        }
    }
}
