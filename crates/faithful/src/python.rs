//! Bytes and addresses as the report's Python programs print them.

use std::{fmt, net::SocketAddr};

/// Shows bytes as a Python bytes literal: `b'\x00it'`.
pub struct Bytes<'a>(pub &'a [u8]);

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Python changes to double quotes when that saves it from escaping single ones.
        let quote = match (self.0.contains(&b'\''), self.0.contains(&b'"')) {
            (true, false) => '"',
            _ => '\'',
        };
        write!(f, "b{quote}")?;
        for byte in self.0 {
            match byte {
                b'\t' => f.write_str("\\t")?,
                b'\n' => f.write_str("\\n")?,
                b'\r' => f.write_str("\\r")?,
                b'\\' => f.write_str("\\\\")?,
                b'\'' if quote == '\'' => f.write_str("\\'")?,
                b' '..=b'~' => write!(f, "{}", char::from(*byte))?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        write!(f, "{quote}")
    }
}

/// Shows an address as a Python socket address: `('127.0.0.1', 22222)`.
pub struct Address(pub SocketAddr);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            SocketAddr::V4(a) => write!(f, "('{}', {})", a.ip(), a.port()),
            SocketAddr::V6(a) => write!(
                f,
                "('{}', {}, {}, {})",
                a.ip(),
                a.port(),
                a.flowinfo(),
                a.scope_id()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_look_as_python_prints_them() {
        // Each line was printed by Python 3.11.
        let cases: [(&[u8], &str); 7] = [
            (b"", "b''"),
            (b"quit()", "b'quit()'"),
            (b"\x00\x1f\x7f\x80\xff", r"b'\x00\x1f\x7f\x80\xff'"),
            (b"\t\n\r\\", r"b'\t\n\r\\'"),
            (b"it's", "b\"it's\""),
            (b"say \"hi\"", "b'say \"hi\"'"),
            (b"'\"", r#"b'\'"'"#),
        ];
        for (bytes, shown) in cases {
            assert_eq!(Bytes(bytes).to_string(), shown);
        }
    }

    #[test]
    fn addresses_look_as_python_prints_them() {
        let show = |a: &str| Address(a.parse().unwrap()).to_string();
        assert_eq!(show("127.0.0.1:22222"), "('127.0.0.1', 22222)");
        assert_eq!(show("[::1]:22222"), "('::1', 22222, 0, 0)");
    }
}
