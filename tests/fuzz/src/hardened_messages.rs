//! The parsers of the hardened protocol's messages, and invitations, on any bytes.
//!
//! Besides "no panic": there is one encoding of a message, so what is taken is written back as it came.

use latchstring_protocol::hardened::{
    full::Full,
    message::{
        ClientAuth, Fingerprint, Hello, Invite, MAX_PASSWORD, Message, ServerAuth, Type, UserName,
    },
    record::{BUCKETS, TAG_LEN, bucket_of},
};

/// Runs one input: the first byte chooses a type.
pub fn run(data: &[u8]) {
    let Some((&typ, body)) = data.split_first() else {
        return;
    };
    if let Some(typ) = Type::from_byte(typ)
        && let Ok(Some(message)) = Message::decode(typ, body)
    {
        assert_eq!(message.encode(), (typ, body.to_vec()));
    }
    if let Ok(hello) = Hello::decode_client(body, &Full) {
        assert_eq!(hello.encode_client(&Full), body);
    }
    if let Ok(hello) = Hello::decode_server(body, &Full) {
        assert_eq!(hello.encode_server(), body);
    }
    if let Ok(auth) = ServerAuth::decode(body) {
        assert_eq!(auth.encode(), body);
    }
    if let Ok(auth) = ClientAuth::decode(body, &Full) {
        assert_eq!(auth.encode()[..], *body);
        assert!((1..=MAX_PASSWORD).contains(&auth.password.len()));
        assert!(UserName::parse(auth.user.as_str()).is_ok());
    }
    if let Some(length) = body.first_chunk()
        && let Ok(bucket) = bucket_of(*length)
    {
        assert!(BUCKETS.contains(&bucket));
        assert_eq!(u32::from_be_bytes(*length) as usize, bucket + TAG_LEN);
    }
    if let Ok(text) = std::str::from_utf8(body) {
        lines(text);
    }
}

/// What people type or paste.
fn lines(text: &str) {
    if let Ok(invite) = text.parse::<Invite>() {
        assert_eq!(invite.to_string(), text.trim());
        assert!(
            !format!("{invite:?}").contains(text.trim()),
            "the token is in a debug output"
        );
    }
    if let Ok(fingerprint) = text.parse::<Fingerprint>() {
        assert_eq!(fingerprint.to_string(), text);
    }
    if let Ok(user) = text.parse::<UserName>() {
        assert_eq!(user.as_str(), text);
        assert!(text.len() <= 32 && !text.contains(['/', '.', '\\', '\n', ' ']));
    }
}
