//! What the fuzzers begin with: made from captures, vectors, keys and labs of the repository, the same each time.

use std::{fs, path::Path};

use latchstring_cryptanalysis::{
    language::{
        alphabet::{Alphabet, SYMBOLS},
        codec::{Trained, write},
        ngrams::Level,
    },
    rsa::{QuadraticSieve, UBig},
};
use latchstring_protocol::hardened::{
    message::{Close, Fingerprint, Invite, Message, Token, UserName},
    role::Role,
};
use serde_json::json;

use super::{either, packed_captures, peer, record_reader, resume_files, vectors, workbench_files};

/// One input.
pub struct Seed {
    /// Whose.
    pub target: &'static str,
    /// The name of its file.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
}

/// Targets whose input is a script that `arbitrary` makes: nothing but zeros is the honest run of each.
const SCRIPTS: [&str; 7] = [
    "dissect",
    "hardened_client",
    "hardened_records",
    "hardened_server",
    "hardened_session",
    "piped_lines",
    "reassembly",
];

/// All of them.
pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut add = |target, name: &str, bytes: Vec<u8>| {
        let name = format!("seed-{name}");
        seeds.push(Seed {
            target,
            name,
            bytes,
        });
    };
    for target in SCRIPTS {
        add(target, "honest", Vec::new());
        for number in 1..=4 {
            add(
                target,
                &number.to_string(),
                noise(number, 200 * usize::from(number)),
            );
        }
    }
    for (target, name, file) in FILES {
        add(target, name, repository(file));
    }
    for (target, name, text) in TEXTS {
        add(target, name, text.as_bytes().to_vec());
    }
    for lab in ["00-first-contact", "01-say-the-name", "04-two-time-pad"] {
        add("lab_files", lab, self::lab(lab));
    }
    add(
        "capture_files",
        "cut",
        repository("captures/faithful-chat.pcap")[..700].to_vec(),
    );
    add(
        "faithful_keys",
        "private",
        vectors::faithful_private_key().into_bytes(),
    );
    for (name, bytes) in messages() {
        add("hardened_messages", name, bytes);
    }
    add(
        "faithful_wire",
        "replies",
        [&[1][..], b"Authentication Successful!", &[7; 40]].concat(),
    );
    add("faithful_wire", "text", b"\x02quit()".to_vec());
    add("faithful_wire", "name", b"\x03alice".to_vec());
    add("faithful_wire", "login", [&[0][..], &[1; 128]].concat());
    add("known_hosts", "two", known_hosts().into_bytes());
    add("model_codec", "tiny", model());
    add(
        "record_reader",
        "two",
        record_reader::stream(&[64, 256], &[1, 3, 0, 200]),
    );
    add("resume_files", "sieve", resume());
    people_bring(&mut add);
    add("workbench_files", "pins", workbench().into_bytes());
    seeds
}

/// What people bring to `solve`, and packed captures.
fn people_bring(add: &mut impl FnMut(&'static str, &str, Vec<u8>)) {
    let testdata = |file: &str| repository(&format!("crates/workbench/src/factor/testdata/{file}"));
    for (name, file) in [
        ("all", "all.txt"),
        ("none", "none.txt"),
        ("certificate", "certificate.der"),
        ("private", "private.der"),
    ] {
        add("factor_keys", name, either::file(&testdata(file)));
    }
    let jwks = br#"{"keys": [{"kty": "RSA", "kid": "a", "n": "AQAB", "e": "Aw"}, {"n": "0x23", "e": 5}, 77, "35"]}"#;
    add("factor_keys", "json", either::file(jwks));
    let numbers = b"# two\n0x23\n1_001\nn = 35\ne = 3\nModulus (16 bit):\n    00:c3:\n    1f\nExponent: 65537 (0x10001)\n";
    add("factor_keys", "numbers", either::file(numbers));
    let text = b"# intercepted\n0a1b\r\n0x0A, 0x1b,\r\\x0a\\x1b # two\n\n{0a:1b-ff};\n";
    add("hexadecimal", "spellings", either::file(text));
    for number in 1..=4 {
        let (name, script) = (format!("script-{number}"), noise(number, 400));
        add("factor_keys", &name, either::script(&script));
        add("hexadecimal", &name, either::script(&script));
    }
    let capture = repository("captures/faithful-chat.pcap")[..700].to_vec();
    add("packed_captures", "file", packed_captures::file(&capture));
    let comments = repository("captures/cleartext-key.pcapng");
    add(
        "packed_captures",
        "parts",
        packed_captures::script(&[30, 0, 300], &comments),
    );
}

const FILES: [(&str, &str, &str); 11] = [
    ("capture_files", "faithful", "captures/faithful-chat.pcap"),
    ("capture_files", "hardened", "captures/hardened-chat.pcap"),
    (
        "capture_files",
        "two",
        "captures/faithful-two-sessions.pcap",
    ),
    ("capture_files", "comments", "captures/cleartext-key.pcapng"),
    (
        "key_files",
        "private",
        "crates/net/tests/keys/openssl-3072.pem",
    ),
    (
        "key_files",
        "public",
        "crates/net/tests/keys/openssl-3072.pub.pem",
    ),
    (
        "key_files",
        "short",
        "crates/net/tests/keys/openssl-2048.pub.pem",
    ),
    (
        "key_files",
        "exponent",
        "crates/net/tests/keys/openssl-3072-e3.pub.pem",
    ),
    (
        "key_files",
        "roca",
        "crates/net/tests/keys/weak/roca.pub.pem",
    ),
    (
        "key_files",
        "pkcs1",
        "crates/net/tests/keys/openssl-3072-pkcs1.pem",
    ),
    (
        "faithful_keys",
        "public",
        "crates/net/tests/keys/openssl-2048.pub.pem",
    ),
];

const TEXTS: [(&str, &str, &str); 13] = [
    (
        "file_parts",
        "whole",
        "hello\nlatchstring-file/1 853ff93762a06ddbf722c4ebe9ddd66d8f63ddaea97f521c3ecc20da7c976020 13 1/1 hello.txt aGVsbG8sIHdvcmxkCg\nlatchstring-file/1 853ff93762a06ddbf722c4ebe9ddd66d8f63ddaea97f521c3ecc20da7c976020 13 1/1 hello.txt aGVsbG8sIHdvcmxkCg\nlatchstring-file/1 x",
    ),
    (
        "file_parts",
        "other-bytes",
        "latchstring-file/1 853ff93762a06ddbf722c4ebe9ddd66d8f63ddaea97f521c3ecc20da7c976020 13 1/1 hello.txt aGVsbG8sIHdvcmxkCA\nlatchstring-file/1 853ff93762a06ddbf722c4ebe9ddd66d8f63ddaea97f521c3ecc20da7c976020 13 1/1 hello.txt aGVsbG8sIHdvcmxkCg",
    ),
    ("addresses", "name", "alice@Example.org:9"),
    ("addresses", "ipv6", "a@[0:0::1]:65535"),
    ("addresses", "bare", "alice@127.0.0.1"),
    (
        "outbox",
        "waiting",
        "{\"acked\":3}\n{\"message\":{\"id\":4,\"text\":\"four\"}}\n{\"message\":{\"id\":5,\"text\":\"five\"}}\n",
    ),
    (
        "outbox",
        "torn",
        "{\"message\":{\"id\":1,\"text\":\"one\"}}\n{\"mess",
    ),
    (
        "server_toml",
        "short",
        "listen = \"127.0.0.1:1\"\nhost_key = \"k\"\ndatabase = \"/var/a.db\"\n",
    ),
    (
        "server_toml",
        "limits",
        "listen = \"[::]:1\"\nhost_key = \"k\"\ndatabase = \"d\"\n[limits]\nmax_connections = 10\nearly_drop_percent = 30\n",
    ),
    ("known_hosts", "comment", "# mine\n\n"),
    ("terminal_text", "plain", "pay bob 10\tplease\n"),
    (
        "terminal_text",
        "escapes",
        "\u{1b}[2Jevil\u{202e}exe\u{200b}\r\n\u{9b}x",
    ),
    (
        "hardened_messages",
        "invitation",
        "xalice:SHA256://////////////////////////////////////////8:-_v7-_v7-_v7-_v7-_v7-w",
    ),
];

fn repository(file: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let path = root.map(|root| root.join(file)).find(|path| path.exists());
    let path = path.unwrap_or_else(|| panic!("{file} is not in the repository"));
    fs::read(path).expect("it can be read")
}

/// Bytes of a linear congruential generator (Knuth's MMIX).
fn noise(seed: u8, length: usize) -> Vec<u8> {
    let mut state = u64::from(seed);
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// The files of a lab, with a zero byte between them.
fn lab(name: &str) -> Vec<u8> {
    let file = |file: &str| repository(&format!("labs/{name}/{file}"));
    [
        file("lab.toml"),
        file("EXPLANATION.md"),
        b"[answers]\n".to_vec(),
    ]
    .join(&0)
}

/// One of each message, after its type.
fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let (chain, text) = ([1; 32], "hello".to_owned());
    let close = Close {
        code: 0,
        last_sent: 1,
        last_acked: 2,
        chain,
    };
    let all = [
        (
            "msg",
            Message::Msg {
                id: 1,
                kind: 0,
                text,
            },
        ),
        ("ack", Message::Ack { up_to: 1, chain }),
        ("ping", Message::Ping(1)),
        ("close", Message::Close(close)),
        ("close-ack", Message::CloseAck),
    ];
    let encode = |(name, message): (&'static str, Message)| {
        let (typ, body) = message.encode();
        (name, [&[typ as u8], &body[..]].concat())
    };
    let mut all: Vec<_> = all.into_iter().map(encode).collect();
    for (name, role) in [
        ("client-hello", Role::Client),
        ("server-hello", Role::Server),
    ] {
        all.push((name, [&[0][..], &peer::hello(role)].concat()));
    }
    let invite = Invite {
        user: UserName::parse("bob").expect("a name"),
        host: Fingerprint([3; 32]),
        token: Token::new([4; 16]),
    };
    all.push(("invite", format!("x{invite}").into_bytes()));
    all
}

fn known_hosts() -> String {
    let pin = |byte| Fingerprint([byte; 32]);
    format!(
        "# mine\nexample.org:22223 {}\n\n[::1]:9 {}\n",
        pin(1),
        pin(2)
    )
}

/// A language of two levels, without the checksum.
fn model() -> Vec<u8> {
    let alphabet = Alphabet::ascii_and(b"");
    let mut root = [0.0; SYMBOLS];
    root[..alphabet.size()].fill(1.0 / alphabet.size() as f32);
    let level = |symbols: &[u8], children: &[u8], corrected: &[u8]| Level {
        symbols: symbols.into(),
        children: children.into(),
        corrections: vec![1; symbols.len()],
        corrected: corrected.into(),
        codes: vec![9; symbols.len()],
    };
    let levels = vec![level(&[1, 9], &[0, 1], &[30, 31]), level(&[8], &[0], &[40])];
    write("tiny", &alphabet, &[Trained { root, levels }], None)[16..].to_vec()
}

/// A sieve's file after a few steps.
fn resume() -> Vec<u8> {
    let mut sieve =
        QuadraticSieve::new(&UBig::from(resume_files::MODULUS)).expect("it needs sieving");
    let _ = sieve.step();
    let sieved = sieve.sieved();
    let mut relations: Vec<_> = (sieved.relations.into_iter())
        .map(|relation| {
            (
                format!("{:x}", relation.root),
                relation.factors,
                relation.large,
            )
        })
        .collect();
    relations.truncate(12);
    let run = json!({ "command": "solve factor", "modulus": resume_files::MODULUS.to_string() });
    let state = json!({ "steps": sieved.steps, "relations": relations });
    json!({ "run": run, "state": state })
        .to_string()
        .into_bytes()
}

fn workbench() -> String {
    let ciphertexts = workbench_files::ciphertexts();
    let names: Vec<String> = ciphertexts
        .iter()
        .map(|bytes| workbench_files::name(bytes))
        .collect();
    format!(
        "version = 1\nlanguage = \"english\"\nciphertexts = {names:?}\n\n[[pin]]\nmessage = 1\noffset = 2\n\
         text = \"hello\"\n\n[[note]]\nmessage = 2\ntext = \"a note\"\n"
    )
}
