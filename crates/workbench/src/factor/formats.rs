//! The formats that RSA public keys come in. Of a private key only its public half is taken.

use anyhow::{Context, Result, bail, ensure};
use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};
use latchstring_cryptanalysis::rsa::UBig;
use rsa::{
    pkcs1::{RsaPrivateKeyRef, RsaPublicKeyRef},
    pkcs8::{
        ObjectIdentifier, PrivateKeyInfoRef,
        der::{Decode, Encode, asn1::AnyRef},
        spki::SubjectPublicKeyInfoRef,
    },
};
use serde_json::Value;
use x509_cert::{Certificate, request::CertReq};

/// Modulus and public exponent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Public {
    pub(super) n: UBig,
    pub(super) e: Option<UBig>,
}

impl Public {
    fn new(n: &[u8], e: &[u8]) -> Self {
        Self {
            n: UBig::from_be_bytes(n),
            e: Some(UBig::from_be_bytes(e)),
        }
    }
}

/// Algorithms whose keys are an RSA modulus and exponent: rsaEncryption, and RSASSA-PSS and RSAES-OAEP keys.
const RSA: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.7"),
];

/// The content of a PEM block with this label.
///
/// # Errors
/// If it is no RSA key, or damaged.
pub(super) fn pem(label: &str, contents: &[u8]) -> Result<Public> {
    match label {
        "PUBLIC KEY" => spki(contents),
        "RSA PUBLIC KEY" => pkcs1_public(contents),
        "RSA PRIVATE KEY" => pkcs1_private(contents),
        "PRIVATE KEY" => pkcs8(contents),
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => certificate(contents),
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => request(contents),
        "OPENSSH PRIVATE KEY" => openssh_private(contents),
        "SSH2 PUBLIC KEY" => openssh_public(contents),
        "ENCRYPTED PRIVATE KEY" => {
            bail!("it is encrypted as a whole: decrypt it, or give its public key")
        }
        other => bail!("a {other} is not an RSA key"),
    }
}

/// DER of any of these kinds.
///
/// # Errors
/// If it is none of them.
pub(super) fn der(bytes: &[u8]) -> Result<Public> {
    let kinds = [
        spki,
        pkcs1_public,
        pkcs1_private,
        pkcs8,
        certificate,
        request,
    ];
    let mut found = kinds.iter().filter_map(|kind| kind(bytes).ok());
    match found.next() {
        Some(public) => Ok(public),
        // A key of another algorithm has an error that says so.
        None => spki(bytes).context("it is no RSA key in DER"),
    }
}

fn spki(bytes: &[u8]) -> Result<Public> {
    let info = SubjectPublicKeyInfoRef::try_from(bytes).context("it is damaged")?;
    of_algorithm(info.algorithm.oid)?;
    pkcs1_public(info.subject_public_key.raw_bytes())
}

fn pkcs8(bytes: &[u8]) -> Result<Public> {
    let info = PrivateKeyInfoRef::try_from(bytes).context("it is damaged")?;
    of_algorithm(info.algorithm.oid)?;
    pkcs1_private(info.private_key.as_bytes())
}

fn of_algorithm(oid: ObjectIdentifier) -> Result<()> {
    ensure!(
        RSA.contains(&oid),
        "it is a key of another algorithm ({oid}), not RSA"
    );
    Ok(())
}

fn pkcs1_public(bytes: &[u8]) -> Result<Public> {
    let key = RsaPublicKeyRef::from_der(bytes).context("it is damaged")?;
    Ok(Public::new(
        key.modulus.as_bytes(),
        key.public_exponent.as_bytes(),
    ))
}

fn pkcs1_private(bytes: &[u8]) -> Result<Public> {
    let key = RsaPrivateKeyRef::from_der(bytes).context("it is damaged")?;
    Ok(Public::new(
        key.modulus.as_bytes(),
        key.public_exponent.as_bytes(),
    ))
}

fn certificate(bytes: &[u8]) -> Result<Public> {
    // OpenSSL's TRUSTED CERTIFICATE has more behind the certificate.
    let (first, _) = AnyRef::from_der_partial(bytes).context("it is damaged")?;
    let certificate = Certificate::from_der(&first.to_der()?).context("it is damaged")?;
    let key = certificate.tbs_certificate().subject_public_key_info();
    spki(&key.to_der()?)
}

fn request(bytes: &[u8]) -> Result<Public> {
    let request = CertReq::from_der(bytes).context("it is damaged")?;
    spki(&request.info.public_key.to_der()?)
}

/// The wire format of SSH (RFC 4251, 5): a length of four bytes, and that number of bytes.
struct Ssh<'a>(&'a [u8]);

impl<'a> Ssh<'a> {
    fn string(&mut self) -> Result<&'a [u8]> {
        let cut = "it ends too early";
        let (length, rest) = self.0.split_first_chunk().context(cut)?;
        let length = u32::from_be_bytes(*length) as usize;
        let (string, rest) = rest.split_at_checked(length).context(cut)?;
        self.0 = rest;
        Ok(string)
    }
}

/// `ssh-rsa`, e and n (RFC 4253, 6.6), or a certificate of OpenSSH over such a key.
pub(super) fn openssh_public(bytes: &[u8]) -> Result<Public> {
    let mut blob = Ssh(bytes);
    let kind = blob.string()?;
    match kind {
        b"ssh-rsa" => {}
        b"ssh-rsa-cert-v01@openssh.com" => drop(blob.string()?),
        other => bail!(
            "it is a key of another algorithm ({}), not RSA",
            String::from_utf8_lossy(other).escape_debug()
        ),
    }
    let (e, n) = (blob.string()?, blob.string()?);
    Ok(Public::new(n, e))
}

/// The public half is in clear, also where the private one is encrypted (OpenSSH, PROTOCOL.key).
fn openssh_private(bytes: &[u8]) -> Result<Public> {
    let rest = bytes.strip_prefix(b"openssh-key-v1\0");
    let mut file = Ssh(rest.context("it does not begin as OpenSSH's private keys do")?);
    let _cipher_kdf_and_its_options = (file.string()?, file.string()?, file.string()?);
    let (_number_of_keys, rest) = file
        .0
        .split_first_chunk::<4>()
        .context("it ends too early")?;
    openssh_public(Ssh(rest).string()?)
}

/// JSON with its long numbers in quotes: the format sets no limit to a number, but its reader does.
pub(super) fn with_long_numbers_quoted(json: &str) -> String {
    const FITS: usize = 19;
    let in_number = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let (mut quoted, mut rest) = (String::with_capacity(json.len() + 16), json);
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => end_of_string(rest),
            first if in_number(first) => rest.find(|c| !in_number(c)).unwrap_or(rest.len()),
            first => first.len_utf8(),
        };
        let (token, behind) = rest.split_at(end);
        let is_long = end > FITS && token.bytes().all(|byte| byte.is_ascii_digit());
        let quote = if is_long { "\"" } else { "" };
        quoted.extend([quote, token, quote]);
        rest = behind;
    }
    quoted
}

/// Where the string that this text begins with ends.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    let ends = |(at, byte): (usize, u8)| {
        let ends = at > 0 && byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends.then_some(at + 1)
    };
    text.bytes()
        .enumerate()
        .find_map(ends)
        .unwrap_or(text.len())
}

/// The keys of a JSON value: a JWK, a set of them, numbers, objects with `n` and `e`, and lists of all these. Each
/// value comes with its place.
pub(super) fn json(value: &Value) -> Vec<(String, Result<Public>)> {
    let mut found = Vec::new();
    walk(value, String::new(), &mut found);
    found
}

fn walk(value: &Value, at: String, found: &mut Vec<(String, Result<Public>)>) {
    let each = |list: &[Value], at: &str, found: &mut Vec<_>| {
        for (i, value) in list.iter().enumerate() {
            walk(value, format!("{at}[{i}]"), found);
        }
    };
    match value {
        Value::Array(list) => each(list, &at, found),
        Value::Object(object) => match (object.get("keys"), object.get("n")) {
            (Some(Value::Array(list)), _) => each(list, &format!("{at}.keys"), found),
            (_, Some(n)) => {
                let e = object.get("e");
                let name = object.get("kid").and_then(Value::as_str);
                let name = name.map_or(at.clone(), |kid| format!("{at} {kid:?}"));
                found.push((name, jwk(n, e)));
            }
            _ => {
                let kind = object
                    .get("kty")
                    .and_then(Value::as_str)
                    .unwrap_or("object");
                let wrong = anyhow::anyhow!("{kind:?} without n: not an RSA key");
                found.push((at, Err(wrong)));
            }
        },
        other => {
            let n = json_number(other, false);
            found.push((at, n.map(|n| Public { n, e: None })));
        }
    }
}

fn jwk(n: &Value, e: Option<&Value>) -> Result<Public> {
    Ok(Public {
        n: json_number(n, true).context("n")?,
        e: e.map(|e| json_number(e, true)).transpose().context("e")?,
    })
}

/// A JSON number, a number in a string, or base64url (RFC 7518, 6.3.1).
fn json_number(value: &Value, base64: bool) -> Result<UBig> {
    match value {
        Value::Number(number) => Ok(UBig::from_str_radix(&number.to_string(), 10)
            .map_err(|_| anyhow::anyhow!("{number} is no natural number"))?),
        Value::String(text) => match (number(text), base64) {
            // "AQAB" is base64url; "65537" and "0x10001" are numbers.
            (Some(number), _)
                if !base64 || !text.bytes().any(|b| b.is_ascii_alphabetic() && b != b'x') =>
            {
                Ok(number)
            }
            (Some(number), _) if text.starts_with("0x") => Ok(number),
            (number, _) => {
                let bytes = unbase64(text).ok().filter(|_| base64);
                let decoded = bytes.map(|bytes| UBig::from_be_bytes(&bytes));
                decoded
                    .or(number)
                    .context("it is neither a number nor base64url")
            }
        },
        other => bail!("{other} is no number"),
    }
}

/// A number as people write it: decimal, hexadecimal after `0x` or with letters, with separators or without.
pub(super) fn number(text: &str) -> Option<UBig> {
    let digits: String = (text.trim().chars())
        .filter(|c| !c.is_ascii_whitespace() && !"_,':".contains(*c))
        .collect();
    let hexadecimal = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    // OpenSSL writes 00:c3:...
    let colons = text.contains(':');
    // A sign belongs to no modulus, though the library reads one.
    match hexadecimal {
        _ if digits.contains(['+', '-']) => None,
        Some(digits) => UBig::from_str_radix(digits, 16).ok(),
        None if colons && !is_pairs(text.trim()) => None,
        None if colons => UBig::from_str_radix(&digits, 16).ok(),
        None => UBig::from_str_radix(&digits, 10)
            .or_else(|_| UBig::from_str_radix(&digits, 16))
            .ok(),
    }
}

/// Whether a line is pairs of hexadecimal digits with colons, as in `00:c3:1f:`.
pub(super) fn is_pairs(line: &str) -> bool {
    let pairs = line.strip_suffix(':').unwrap_or(line);
    let pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    line.contains(':') && pairs.split(':').all(pair)
}

/// Either alphabet, with padding or without, over any number of lines.
pub(super) fn unbase64(text: &str) -> Result<Vec<u8>> {
    let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let digits = digits.trim_end_matches('=');
    let decoded = match digits.contains(['-', '_']) {
        true => Base64UrlUnpadded::decode_vec(digits),
        false => Base64Unpadded::decode_vec(digits),
    };
    decoded.map_err(|_| anyhow::anyhow!("it is not base64"))
}
