//! RSA keys in every form that people have them in, written in the plainest way: DER, PEM, SSH's wire format, JSON, digits.
//!
//! Nothing here is taken from the code that reads these forms, so that the two can be compared.

use std::fmt::Write;

/// A modulus and an exponent, big-endian and without zeros in front.
#[derive(Debug)]
pub struct PlainKey {
    /// The modulus.
    pub n: Vec<u8>,
    /// The exponent.
    pub e: Vec<u8>,
}

const INTEGER: u8 = 2;
const BIT_STRING: u8 = 3;
const OCTET_STRING: u8 = 4;
const NULL: [u8; 2] = [5, 0];
const UTC_TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
/// rsaEncryption: 1.2.840.113549.1.1.1.
const RSA: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// Version 0 of most things, which is the integer 0.
const ZERO: [u8; 3] = [INTEGER, 1, 0];

fn tagged(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let length = contents.len().to_be_bytes();
    let length: Vec<u8> = (length.into_iter().skip_while(|byte| *byte == 0)).collect();
    let head = match contents.len() {
        short @ ..128 => vec![tag, short as u8],
        _ => [&[tag, 0x80 | length.len() as u8], &length[..]].concat(),
    };
    [head, contents].concat()
}

/// A number as DER and SSH write it: a zero in front of a byte that would look like a sign.
fn signed(number: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if number[0] >= 0x80 { &[0] } else { &[] };
    [sign, number].concat()
}

fn ssh(strings: &[&[u8]]) -> Vec<u8> {
    let with_length = |string: &&[u8]| [&(string.len() as u32).to_be_bytes(), *string].concat();
    strings.iter().flat_map(with_length).collect()
}

impl PlainKey {
    fn integers(&self) -> [Vec<u8>; 2] {
        [&self.n, &self.e].map(|number| tagged(INTEGER, &[&signed(number)]))
    }

    /// `RSAPublicKey` (RFC 8017, A.1.1).
    pub fn pkcs1_public(&self) -> Vec<u8> {
        let [n, e] = self.integers();
        tagged(SEQUENCE, &[&n, &e])
    }

    /// `RSAPrivateKey` (RFC 8017, A.1.2), whose private numbers are all 1: nobody looks.
    pub fn pkcs1_private(&self) -> Vec<u8> {
        let [n, e] = self.integers();
        let private = [INTEGER, 1, 1].repeat(6);
        tagged(SEQUENCE, &[&ZERO, &n, &e, &private])
    }

    /// `SubjectPublicKeyInfo` (RFC 5280, 4.1).
    pub fn spki(&self) -> Vec<u8> {
        let key = tagged(BIT_STRING, &[&[0], &self.pkcs1_public()]);
        tagged(SEQUENCE, &[&tagged(SEQUENCE, &[&RSA, &NULL]), &key])
    }

    /// `PrivateKeyInfo` (RFC 5208, 5).
    pub fn pkcs8(&self) -> Vec<u8> {
        let key = tagged(OCTET_STRING, &[&self.pkcs1_private()]);
        tagged(SEQUENCE, &[&ZERO, &tagged(SEQUENCE, &[&RSA, &NULL]), &key])
    }

    /// What is signed, and a signature that is none.
    fn with_signature(signed: &[u8]) -> Vec<u8> {
        let algorithm = tagged(SEQUENCE, &[&RSA, &NULL]);
        let signature = tagged(BIT_STRING, &[&[0, 1]]);
        tagged(SEQUENCE, &[signed, &algorithm, &signature])
    }

    /// A certificate from nobody to nobody (RFC 5280, 4.1).
    pub fn certificate(&self) -> Vec<u8> {
        let time = tagged(UTC_TIME, &[b"260101000000Z"]);
        let name = tagged(SEQUENCE, &[]);
        Self::with_signature(&tagged(
            SEQUENCE,
            &[
                &tagged(0xa0, &[&[INTEGER, 1, 2]]),
                &[INTEGER, 1, 1],
                &tagged(SEQUENCE, &[&RSA, &NULL]),
                &name,
                &tagged(SEQUENCE, &[&time, &time]),
                &name,
                &self.spki(),
            ],
        ))
    }

    /// A request for such a certificate (RFC 2986, 4).
    pub fn request(&self) -> Vec<u8> {
        let (name, attributes) = (tagged(SEQUENCE, &[]), tagged(0xa0, &[]));
        Self::with_signature(&tagged(
            SEQUENCE,
            &[&ZERO, &name, &self.spki(), &attributes],
        ))
    }

    /// `ssh-rsa` (RFC 4253, 6.6).
    pub fn ssh_public(&self) -> Vec<u8> {
        ssh(&[b"ssh-rsa", &signed(&self.e), &signed(&self.n)])
    }

    /// A certificate of OpenSSH, as far as the key (OpenSSH, PROTOCOL.certkeys).
    pub fn ssh_certificate(&self) -> Vec<u8> {
        let name = b"ssh-rsa-cert-v01@openssh.com";
        ssh(&[name, b"nonce", &signed(&self.e), &signed(&self.n)])
    }

    /// A private key of OpenSSH, whose private half is left out (OpenSSH, PROTOCOL.key).
    pub fn ssh_private(&self) -> Vec<u8> {
        let head = [
            &b"openssh-key-v1\0"[..],
            &ssh(&[b"none", b"none", b""]),
            &1_u32.to_be_bytes(),
        ];
        [&head.concat()[..], &ssh(&[&self.ssh_public(), b""])].concat()
    }

    /// A JWK (RFC 7518, 6.3.1).
    pub fn jwk(&self) -> String {
        let [n, e] = [&self.n, &self.e].map(|number| base64(number));
        let url = |text: String| text.replace('+', "-").replace('/', "_").replace('=', "");
        let (n, e) = (url(n), url(e));
        format!("{{\"kty\": \"RSA\", \"e\": \"{e}\", \"n\": \"{n}\"}}")
    }
}

/// With padding (RFC 4648, 4).
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let four = |three: &[u8]| {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let digit = move |at: usize| char::from(DIGITS[(bits >> (18 - 6 * at)) as usize & 63]);
        let length = three.len();
        (0..4).map(move |at| if at <= length { digit(at) } else { '=' })
    };
    bytes.chunks(3).flat_map(four).collect()
}

/// A PEM block with this many digits a line.
pub fn pem(label: &str, der: &[u8], width: usize) -> String {
    let digits = base64(der);
    let mut block = format!("-----BEGIN {label}-----\n");
    for line in digits.as_bytes().chunks(width) {
        let line = std::str::from_utf8(line).expect("digits are ASCII");
        writeln!(block, "{line}").expect("a string takes all");
    }
    block + &format!("-----END {label}-----\n")
}

/// Two hexadecimal digits for each byte.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As OpenSSL prints a modulus: in decimal if it fits into a word, else 15 pairs a line, a colon between each two.
pub fn pairs(number: &[u8]) -> String {
    if number.len() <= 8 {
        return format!("Modulus: {} (0x{})\n", decimal(number), hexadecimal(number));
    }
    let signed = signed(number);
    let mut text = String::from("Modulus:\n");
    for (at, byte) in signed.iter().enumerate() {
        let between = match at + 1 {
            end if end == signed.len() => "\n",
            line if line.is_multiple_of(15) => ":\n",
            _ => ":",
        };
        write!(text, "{byte:02x}{between}").expect("a string takes all");
    }
    text
}

/// By long division, as at school.
pub fn decimal(number: &[u8]) -> String {
    let (mut left, mut digits) = (number.to_vec(), Vec::new());
    while left.iter().any(|byte| *byte > 0) {
        let mut rest = 0_u16;
        for byte in &mut left {
            let value = rest << 8 | u16::from(*byte);
            *byte = (value / 10) as u8;
            rest = value % 10;
        }
        digits.push(b'0' + rest as u8);
    }
    digits.reverse();
    String::from_utf8(digits).expect("digits are ASCII")
}
