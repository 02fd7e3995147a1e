//! The types of messages.

/// The type byte of a record's plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Type {
    /// The host proves its key.
    ServerAuth = 0x02,
    /// The user proves key and password.
    ClientAuth = 0x03,
    /// Welcome.
    AuthOk = 0x04,
    /// No, without a reason.
    AuthFail = 0x05,
    /// Somebody who was invited proves a new key, and shows the token.
    Enrol = 0x06,
    /// A text.
    Msg = 0x10,
    /// All texts up to a number are kept for good.
    Ack = 0x11,
    /// Are you there?
    Ping = 0x12,
    /// I am.
    Pong = 0x13,
    /// A question: which message has this number?
    Query = 0x14,
    /// This, or nothing.
    Held = 0x15,
    /// Let us have new keys; my half of the exchange.
    Rekey1 = 0x20,
    /// My half; what I send next is under the new keys.
    Rekey2 = 0x21,
    /// What I send next is under the new keys.
    Rekey3 = 0x22,
    /// A question: may we have new keys?
    RekeyAsk = 0x23,
    /// I have said all I have to say.
    Close = 0x30,
    /// I have heard all of it.
    CloseAck = 0x31,
}

impl Type {
    const ALL: [Self; 17] = [
        Self::ServerAuth,
        Self::ClientAuth,
        Self::AuthOk,
        Self::AuthFail,
        Self::Enrol,
        Self::Msg,
        Self::Ack,
        Self::Ping,
        Self::Pong,
        Self::Query,
        Self::Held,
        Self::Rekey1,
        Self::Rekey2,
        Self::Rekey3,
        Self::RekeyAsk,
        Self::Close,
        Self::CloseAck,
    ];

    /// The type that this byte names, if any.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|t| *t as u8 == byte)
    }
}
