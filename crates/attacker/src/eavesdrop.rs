//! The key schedule from a recording and a secret, as the two ends follow it.

use zeroize::Zeroizing;

use crate::{
    capture::trace::Side,
    protocol::{
        codec::{Reader, put_long, put_short},
        hardened::{
            keys::{EXTRACT_SALT, HandshakeSecrets, SessionSecrets},
            message::{ClientAuth, Message, Type},
            primitives::{extract, hash},
            record::{Opener, TAG_LEN},
            session::KIND_TEXT,
        },
    },
    vantage::Wiretap,
};

/// The messages of a recorded session, if `shared` is the secret (`Z`) that its two ends agreed on.
pub fn open_session(wiretap: &Wiretap, shared: &[u8]) -> Option<Vec<String>> {
    let secrets = session_secrets(wiretap, shared)?;
    let mut opener = Opener::with(&secrets.client, 1, &*wiretap.dialect.defences);
    let mut texts = Vec::new();
    for record in wiretap.session_records(Side::Client) {
        let plaintext = opener.open(&record).ok()?;
        if let Ok(Some(Message::Msg { text, .. })) = Message::decode(plaintext.typ, &plaintext.body)
        {
            texts.push(text);
        }
    }
    Some(texts)
}

/// Rebuilds the transcript: the hellos are in clear, and each proof opens with the keys that the bytes before it give.
pub fn session_secrets(wiretap: &Wiretap, shared: &[u8]) -> Option<SessionSecrets> {
    let defences = &*wiretap.dialect.defences;
    let (client, server) = (wiretap.pieces(Side::Client), wiretap.pieces(Side::Server));
    let mut transcript = [&client.first()?[..], server.first()?].concat();
    let prk = extract(EXTRACT_SALT, shared);
    let secrets = HandshakeSecrets::derive(&prk, &hash(&[&transcript]));

    let proof = (Opener::with(&secrets.server, 0, defences).open(server.get(1)?)).ok()?;
    transcript.push(Type::ServerAuth as u8);
    transcript.extend_from_slice(&proof.body);

    let proof = (Opener::with(&secrets.client, 0, defences).open(client.get(1)?)).ok()?;
    let auth = ClientAuth::decode(&proof.body, defences).ok()?;
    transcript.extend_from_slice(&claim(&auth));
    let th7 = hash(&[&transcript]);
    Some(SessionSecrets::derive(&secrets.root, &th7, defences))
}

/// `CLIENT_AUTH` as the transcript has it: all but the password.
pub fn claim(auth: &ClientAuth) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(vec![Type::ClientAuth as u8, 1]);
    put_short(&mut out, auth.user.as_str().as_bytes());
    out.extend_from_slice(&auth.kid.0);
    put_long(&mut out, &auth.signature);
    out.extend_from_slice(&auth.finished);
    out
}

/// The plaintext of a record, as its sender made it, for a listener who knows what it says.
pub fn plaintext(typ: Type, body: &[u8], length: usize) -> Vec<u8> {
    let mut plaintext = vec![typ as u8];
    put_long(&mut plaintext, body);
    plaintext.resize(length, 0);
    plaintext
}

/// The body of a message, as its sender made it.
pub fn message_body(id: u64, text: &str) -> Vec<u8> {
    [&id.to_be_bytes()[..], &[KIND_TEXT], text.as_bytes()].concat()
}

/// The ciphertext of a record.
pub fn ciphertext(record: &[u8]) -> &[u8] {
    &record[4..record.len() - TAG_LEN]
}

/// The text in a record, if these bytes are the plaintext of a message. A wrong keystream never gives a right type,
/// size, kind, text and padding at once.
pub fn text_in(plaintext: &[u8]) -> Option<String> {
    let mut r = Reader::new(plaintext);
    let typ = Type::from_byte(r.u8("type").ok()?)?;
    let body = r.long("body").ok()?;
    let padded = r.rest().iter().all(|byte| *byte == 0);
    match Message::decode(typ, body) {
        Ok(Some(Message::Msg { kind, text, .. })) if padded && kind == KIND_TEXT => Some(text),
        _ => None,
    }
}
