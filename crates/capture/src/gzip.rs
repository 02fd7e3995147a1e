//! Unpacks gzip files as they occur: in several members, or with zeros behind the last one. (RFC 1952, 2.2; tapes and
//! disk images pad with zeros.) Other bytes behind the last member are an error.

use std::io::{self, BufRead, Chain, Cursor, Read};

use flate2::bufread::GzDecoder;

/// The first bytes of gzip files (RFC 1952, 2.3.1).
pub const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// One member, with its first bytes given back.
type Member<R> = GzDecoder<Chain<Cursor<[u8; 2]>, R>>;

/// A reader of what a gzip file holds. At the end there is an error if something follows that is not gzip: by then all
/// that was packed has been read.
pub struct Unpacking<R> {
    member: Option<Member<R>>,
}

impl<R: BufRead> Unpacking<R> {
    /// Unpacks what `from` gives behind [`MAGIC`], which was read to know that it is gzip.
    pub fn behind_magic(from: R) -> Self {
        let member = Cursor::new(MAGIC).chain(from);
        Self {
            member: Some(GzDecoder::new(member)),
        }
    }
}

impl<R: BufRead> Read for Unpacking<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let behind = self.member.take().map(|member| member.into_inner());
            let rest = behind.map(|chain| chain.into_inner().1);
            self.member = rest.map(next_member).transpose()?.flatten();
        }
        Ok(0)
    }
}

/// The member that follows, if one does.
fn next_member<R: BufRead>(mut rest: R) -> io::Result<Option<Member<R>>> {
    let mut first = [0; 2];
    loop {
        match rest.read(&mut first[..1])? {
            0 => return Ok(None),
            _ if first[0] == 0 => {}
            _ => break,
        }
    }
    let read = rest.read(&mut first[1..])?;
    match first == MAGIC && read == 1 {
        true => Ok(Some(GzDecoder::new(Cursor::new(MAGIC).chain(rest)))),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "what follows the compressed part is not gzip, and was left out",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn unpacked(file: &[u8]) -> (Vec<u8>, Option<String>) {
        let mut bytes = Vec::new();
        let error = Unpacking::behind_magic(&file[MAGIC.len()..]).read_to_end(&mut bytes);
        (bytes, error.err().map(|error| error.to_string()))
    }

    #[test]
    fn what_was_packed_is_read_whatever_follows() {
        let (one, two) = (packed(b"one "), packed(b"two"));
        let zeros = [0; 700];
        for (file, whole) in [
            ([&one[..], &two].concat(), true),
            ([&one[..], &zeros, &two, &zeros].concat(), true),
            ([&one[..], &two, b"garbage"].concat(), false),
            ([&one[..], &two, &MAGIC[..1]].concat(), false),
        ] {
            let (bytes, error) = unpacked(&file);
            assert_eq!(bytes, b"one two");
            let error = error.unwrap_or_default();
            assert_eq!(
                error.contains("is not gzip, and was left out"),
                !whole,
                "{error}"
            );
        }
    }

    #[test]
    fn a_cut_file_gives_what_it_holds() {
        let file = [packed(b"one "), packed(b"two")].concat();
        for end in MAGIC.len()..file.len() {
            let (bytes, error) = unpacked(&file[..end]);
            assert!(b"one two".starts_with(&bytes[..]), "{end}");
            // Where the first member ends, nothing is missing.
            assert_eq!(error.is_none(), end == packed(b"one ").len(), "{end}");
        }
    }
}
