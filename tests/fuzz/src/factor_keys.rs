//! The keys that people bring to `solve factor`, in every form, several in a file.
//!
//! Besides "no panic": keys that were written in the plainest way (`plain_keys`) come back, all of them, in order and with
//! their exponents. In a file of any bytes, no key is longer than the file, no number has a sign, and each complaint is one
//! line that steers no terminal.

use std::fmt::Write;

use arbitrary::{Arbitrary, Unstructured};
use latchstring_cryptanalysis::rsa::UBig;
use latchstring_workbench::{factor, input::Input};

use super::{
    either,
    plain_keys::{PlainKey, base64, decimal, hexadecimal, pairs, pem},
};

/// A file of one of these kinds.
#[derive(Debug, Arbitrary)]
enum File {
    /// One key of binary DER.
    Der(Der, Numbers),
    /// JWKs and numbers: a list, or a set with `keys`.
    Json(bool, Vec<(Json, Numbers)>),
    /// Everything else, one after the other.
    Text {
        mark: bool,
        end: End,
        keys: Vec<(Text, Numbers)>,
    },
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Der {
    Spki,
    Pkcs1Public,
    Pkcs1Private,
    Pkcs8,
    Certificate,
    Request,
}

#[derive(Debug, Arbitrary)]
enum Json {
    Jwk,
    Number,
    Text,
    Object,
}

#[derive(Debug, Arbitrary)]
enum End {
    Unix,
    Windows,
    Mac,
}

#[derive(Debug, Arbitrary)]
enum Text {
    Pem(Der, u8),
    Base64(Der),
    SshPrivate(u8),
    SshBlock(u8),
    SshLine,
    KnownHost,
    SshCertificate,
    Decimal,
    Hexadecimal,
    Named,
    Pairs,
}

/// A modulus and an exponent.
#[derive(Debug, Arbitrary)]
struct Numbers {
    n: Vec<u8>,
    e: u32,
}

/// What must come back: the number, and the exponent if the form has one.
type Expected = factor::Numbers;

impl Numbers {
    /// One is the least number, so that no form has to write zero.
    fn key(&self) -> PlainKey {
        let least = |bytes: &[u8]| {
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let bytes = &bytes[zeros..];
            if bytes.is_empty() {
                vec![1]
            } else {
                bytes.to_vec()
            }
        };
        PlainKey {
            n: least(&self.n),
            e: least(&self.e.to_be_bytes()),
        }
    }

    fn expected(&self, exponent: bool) -> Expected {
        let key = self.key();
        let e = exponent.then(|| UBig::from_be_bytes(&key.e));
        (UBig::from_be_bytes(&key.n), e)
    }
}

impl Der {
    fn write(self, key: &PlainKey) -> (&'static str, Vec<u8>) {
        match self {
            Self::Spki => ("PUBLIC KEY", key.spki()),
            Self::Pkcs1Public => ("RSA PUBLIC KEY", key.pkcs1_public()),
            Self::Pkcs1Private => ("RSA PRIVATE KEY", key.pkcs1_private()),
            Self::Pkcs8 => ("PRIVATE KEY", key.pkcs8()),
            Self::Certificate => ("CERTIFICATE", key.certificate()),
            Self::Request => ("CERTIFICATE REQUEST", key.request()),
        }
    }
}

impl Json {
    fn write(&self, key: &PlainKey) -> String {
        let (n, e) = (decimal(&key.n), decimal(&key.e));
        match self {
            Self::Jwk => key.jwk(),
            Self::Number => n,
            Self::Text => format!("\"0x{}\"", hexadecimal(&key.n)),
            Self::Object => format!("{{\"n\": {n}, \"e\": {e}}}"),
        }
    }

    fn has_exponent(&self) -> bool {
        matches!(self, Self::Jwk | Self::Object)
    }
}

impl Text {
    fn write(&self, key: &PlainKey) -> String {
        let width = |width: u8| usize::from(width % 80) + 1;
        let (n, e) = (&key.n, decimal(&key.e));
        match self {
            Self::Pem(der, digits) => {
                let (label, bytes) = der.write(key);
                pem(label, &bytes, width(*digits))
            }
            Self::Base64(der) => base64(&der.write(key).1) + "\n",
            Self::SshPrivate(digits) => {
                pem("OPENSSH PRIVATE KEY", &key.ssh_private(), width(*digits))
            }
            // RFC 4716, 3.
            Self::SshBlock(digits) => pem("SSH2 PUBLIC KEY", &key.ssh_public(), width(*digits))
                .replace("-----BEGIN ", "---- BEGIN ")
                .replace("-----END ", "---- END ")
                .replace(" KEY-----", " KEY ----")
                .replacen(
                    " ----\n",
                    " ----\nComment: \"a key, \\\nof two lines\"\n",
                    1,
                ),
            Self::SshLine => format!("ssh-rsa {} me@here\n", base64(&key.ssh_public())),
            Self::KnownHost => format!("host,10.0.0.1 ssh-rsa {}\n", base64(&key.ssh_public())),
            Self::SshCertificate => {
                let blob = base64(&key.ssh_certificate());
                format!("ssh-rsa-cert-v01@openssh.com {blob}\n")
            }
            Self::Decimal => decimal(n) + "\n",
            Self::Hexadecimal => format!("0x{}\n", hexadecimal(n)),
            Self::Named => format!("n = {}\ne = {e}\n", decimal(n)),
            Self::Pairs => format!("{}Exponent: {e} (0x{})\n", pairs(n), hexadecimal(&key.e)),
        }
    }

    fn has_exponent(&self) -> bool {
        !matches!(self, Self::Decimal | Self::Hexadecimal)
    }
}

impl File {
    /// The file, and what must be read from it.
    fn write(&self) -> (Vec<u8>, Vec<Expected>) {
        match self {
            Self::Der(der, numbers) => (der.write(&numbers.key()).1, vec![numbers.expected(true)]),
            Self::Json(set, keys) => {
                let written: Vec<String> = (keys.iter())
                    .map(|(form, numbers)| form.write(&numbers.key()))
                    .collect();
                let mut text = format!("[{}]", written.join(", "));
                if *set {
                    text = format!("{{\"keys\": {text}}}");
                }
                let expected = keys.iter().map(|(form, n)| n.expected(form.has_exponent()));
                (text.into_bytes(), expected.collect())
            }
            Self::Text { mark, end, keys } => {
                let mut text = String::from(if *mark { "\u{feff}" } else { "" });
                for (number, (form, numbers)) in keys.iter().enumerate() {
                    writeln!(text, "# {number}\n\n{}", form.write(&numbers.key()))
                        .expect("a string takes all");
                }
                let text = match end {
                    End::Unix => text,
                    End::Windows => text.replace('\n', "\r\n"),
                    End::Mac => text.replace('\n', "\r"),
                };
                let expected = keys.iter().map(|(form, n)| n.expected(form.has_exponent()));
                (text.into_bytes(), expected.collect())
            }
        }
    }
}

/// Runs one input: a file of any bytes after a byte below 128, else keys and their forms.
pub fn run(data: &[u8]) {
    either::run(data, any, written);
}

fn written(script: &[u8]) {
    let Ok(file) = File::arbitrary(&mut Unstructured::new(script)) else {
        return;
    };
    let (bytes, expected) = file.write();
    let text = || String::from_utf8_lossy(&bytes).into_owned();
    let (keys, refused) = read(&bytes).unwrap_or_else(|why| panic!("{why}: {}", text()));
    assert!(refused.is_empty(), "{refused:?}: {}", text());
    assert_eq!(keys, expected, "{}", text());
}

fn any(bytes: &[u8]) {
    let Ok((keys, refused)) = read(bytes) else {
        return;
    };
    for (n, e) in &keys {
        for number in [Some(n), e.as_ref()].into_iter().flatten() {
            assert!(number.to_be_bytes().len() <= bytes.len(), "{number}");
        }
    }
    let is_number = |byte: &u8| byte.is_ascii_hexdigit() || b"+-xX".contains(byte);
    if bytes.iter().all(is_number) && bytes.iter().any(|byte| b"+-".contains(byte)) {
        // Base64 has a plus, and no form of a key is that short or without other letters.
        assert!(keys.is_empty(), "a sign: {keys:?}");
    }
    for complaint in &refused {
        assert!(!complaint.chars().any(char::is_control), "{complaint:?}");
    }
}

fn read(bytes: &[u8]) -> Result<(Vec<Expected>, Vec<String>), String> {
    let name = "keys".to_owned();
    let bytes = bytes.to_vec();
    factor::keys(&Input { name, bytes }).map_err(|error| format!("{error:#}"))
}
