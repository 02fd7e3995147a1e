//! What a file is that is no bundle. A student hands in a report, a photo or another archive more often than a damaged bundle.
//! The instructor must know what to ask for.

use std::{fmt, io::Cursor};

use zip::ZipArchive;

/// A file of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foreign {
    /// What it is, as in "it is a PDF file".
    what: &'static str,
    /// Whether the right file may be packed in it.
    packs: bool,
}

/// First bytes, what the file is, and whether other files are packed in it.
const SIGNS: [(&[u8], &str, bool); 14] = [
    (b"%PDF", "a PDF file", false),
    (b"Rar!", "a RAR archive", true),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", true),
    (b"\x1f\x8b", "a gzip file, as a .tar.gz is", true),
    (b"BZh", "a bzip2 file", true),
    (b"\xfd7zXZ\0", "an xz file", true),
    (b"\x28\xb5\x2f\xfd", "a zstd file", true),
    (
        b"\xd0\xcf\x11\xe0",
        "an old Word, Excel or PowerPoint file",
        false,
    ),
    (b"{\\rtf", "an RTF text", false),
    (b"\x89PNG", "a PNG picture", false),
    (b"\xff\xd8\xff", "a JPEG picture", false),
    (b"\xd4\xc3\xb2\xa1", "a capture", false),
    (b"\x0a\x0d\x0d\x0a", "a capture", false),
    (b"\x7fELF", "a program", false),
];
/// Where the archive of `tar` has its sign.
const TAR: usize = 257;

impl Foreign {
    /// What these bytes are, which are no ZIP archive that can be read.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut signs = SIGNS.iter();
        let found = signs.find(|(sign, ..)| bytes.starts_with(sign));
        if let Some((_, what, packs)) = found {
            return Self {
                what,
                packs: *packs,
            };
        }
        let what = match bytes {
            _ if bytes.starts_with(b"PK") => {
                "a damaged ZIP archive: its end is missing, or the upload was cut short"
            }
            _ if bytes
                .get(TAR..)
                .is_some_and(|rest| rest.starts_with(b"ustar")) =>
            {
                return Self {
                    what: "a tar archive",
                    packs: true,
                };
            }
            _ if is_html(bytes) => "an HTML page, such as the page of a login",
            _ if is_text(bytes) => "a text file",
            _ => "no ZIP archive",
        };
        Self { what, packs: false }
    }

    /// What this archive is, if an office program has made it.
    pub(super) fn of_archive(archive: &ZipArchive<Cursor<&[u8]>>) -> Option<Self> {
        let is = |begin: &str| archive.file_names().any(|name| name.starts_with(begin));
        let what = match () {
            () if is("word/") => "a Word file",
            () if is("xl/") => "an Excel file",
            () if is("ppt/") => "a PowerPoint file",
            () if is("META-INF/manifest.xml") && is("content.xml") => "a file of LibreOffice",
            () => return None,
        };
        Some(Self { what, packs: false })
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is {}", self.what)?;
        match self.packs {
            true => f.write_str("; if the right file is in it, unpack it"),
            false => Ok(()),
        }
    }
}

fn is_html(bytes: &[u8]) -> bool {
    let begin = bytes.get(..512).unwrap_or(bytes);
    let begin = String::from_utf8_lossy(begin).to_lowercase();
    let begin = begin.trim_start_matches('\u{feff}').trim_start();
    begin.starts_with("<!doctype html") || begin.starts_with("<html")
}

fn is_text(bytes: &[u8]) -> bool {
    let control = |c: char| c.is_control() && !c.is_whitespace();
    std::str::from_utf8(bytes).is_ok_and(|text| !text.contains(control))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use crate::bundle::read;

    fn said(bytes: &[u8]) -> String {
        read(bytes).unwrap_err().to_string()
    }

    fn zip(names: &[&str]) -> Vec<u8> {
        let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for name in names {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(b"<xml/>").unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn a_file_that_is_no_bundle_is_called_by_what_it_is() {
        let tar = [&[b'x'; super::TAR][..], b"ustar\0"].concat();
        let cut = &zip(&["bundle.json"])[..40];
        for (bytes, what) in [
            (&b""[..], "the file is empty"),
            (b"%PDF-1.7 my report", "it is a PDF file"),
            (
                b"Rar!\x1a\x07\x01\0",
                "it is a RAR archive; if the right file is in it, unpack it",
            ),
            (b"7z\xbc\xaf\x27\x1c\0\x04", "it is a 7z archive; if"),
            (b"\x1f\x8b\x08\0", "it is a gzip file, as a .tar.gz is; if"),
            (&tar, "it is a tar archive; if"),
            (b"\n <!DOCTYPE html><html>", "it is an HTML page"),
            (
                b"\xd0\xcf\x11\xe0\xa1\xb1",
                "it is an old Word, Excel or PowerPoint file",
            ),
            (b"My answers: 1. yes\r\n", "it is a text file"),
            (b"\0\x01\x02\x03", "it is no ZIP archive"),
            (cut, "it is a damaged ZIP archive"),
            (
                &zip(&["[Content_Types].xml", "word/document.xml"]),
                "it is a Word file",
            ),
            (
                &zip(&["mimetype", "content.xml", "META-INF/manifest.xml"]),
                "a file of LibreOffice",
            ),
            (
                &zip(&["00/answers.toml"]),
                "it is a ZIP archive without bundle.json, as of a folder that was packed by hand",
            ),
        ] {
            let said = said(bytes);
            assert!(
                said.starts_with(what) || said.contains(what),
                "{what}: {said}"
            );
        }
    }
}
