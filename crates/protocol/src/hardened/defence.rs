//! The defences, one line each, and the one question that is asked where each does its work.
//!
//! A defence is worth its place only if some attack succeeds without it. To show that, the lab takes defences out one at
//! a time, and so every step that protects something asks [`Defences::keeps`] before it does so. [`super::full::Full`]
//! answers yes to everything, is the default everywhere, and costs nothing: the question is gone from the compiled
//! program. A type that can answer no exists in the lab alone, where the programs that people deploy cannot reach it.

/// Declares each defence once: its name in the code, its name for people, and its description.
macro_rules! defences {
    ($($variant:ident $id:literal $about:literal $(belt $reason:literal)?;)*) => {
        /// One thing that the hardened protocol or its programs do, and that can be left out in the lab.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Defence { $(#[doc = $about] $variant,)* }

        impl Defence {
            /// All defences, in the order of the protocol: identity, keys, records, resources.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name by which commands and pages call it.
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// A description in one sentence.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }

            /// Why it is kept although no attack of the catalogue returns without it; `None` for all others.
            pub fn kept_because(self) -> Option<&'static str> {
                match self { $(Self::$variant => defences!(@ $($reason)?),)* }
            }
        }
    };
    (@ $reason:literal) => { Some($reason) };
    (@) => { None };
}

defences! {
    ClientSignature "client-signature" "The server checks that the client signed the transcript with the user's private key.";
    Password "password" "The server checks the password as well as the key.";
    TranscriptSignature "transcript-signature" "A signature covers every byte of the handshake so far, not only the two random values.";
    EphemeralExchange "ephemeral-exchange" "Both ends agree on a secret with X25519 values that they make for this connection and then wipe.";
    OracleFreeExchange "oracle-free-exchange" "No step of the key exchange decrypts bytes from a stranger, so there is no error to learn from.";
    SecretExchange "secret-exchange" "The secret behind the keys never travels; only public X25519 values do.";
    FreshServerValues "fresh-server-values" "The server's random, its X25519 value and the salt of its signature are new for every connection.";
    HostPin "host-pin" "The client compares the host's key with its pin before it sends the user's name.";
    ServerSignature "server-signature" "The client checks that the host signed the transcript.";
    FreshNonce "fresh-nonce" "No two records share a part of the keystream.";
    Mac "mac" "A record's tag is checked before a byte of it is decrypted.";
    SequenceNumbers "sequence-numbers" "The tag covers a record's number, messages are numbered, and both ends compare their counters.";
    DirectionKeys "direction-keys" "Each direction has different keys.";
    AuthenticatedClose "authenticated-close" "A session ends with a CLOSE that both ends agree on; an end without one is an error.";
    UniformFailure "uniform-failure" "A refused login is answered with the same bytes for every reason.";
    ConstantWork "constant-work" "A login for an unknown name costs the same work, and every answer leaves at a fixed time.";
    Throttling "throttling" "Wrong passwords of a key holder are counted; each one delays the next check for longer.";
    MemoryHardHash "memory-hard-hash" "The store holds argon2id hashes of passwords: each guess costs 64 MiB and a tenth of a second.";
    DirectLookup "direct-lookup" "The server looks a user up by name; it does not try every user's key.";
    KeyHygiene "key-hygiene" "A public key is enrolled only if its size, exponent and factors show no known weakness.";
    SystemRandomness "system-randomness" "Secrets come from the operating system's generator.";
    EnrolmentToken "enrolment-token" "A key is enrolled only with an unused invitation, and never over an existing user.";
    NameGrammar "name-grammar" "A user name is 1 to 32 of a-z, 0-9, _ and -: no path, no line break.";
    SourceCaps "source-caps" "One source may hold only a few connections that are not logged in.";
    Deadlines "deadlines" "Every length is exact, and every step of the handshake has a deadline.";
    HiddenName "hidden-name" "The user's name travels encrypted, and only after the host has proven itself.";
    Padding "padding" "Records are padded to one of five lengths.";
    NoFallback "no-fallback" "The client speaks one protocol, and gives up if the server speaks another.";
    SourceFirst "source-first" "A login without the key is charged to its source, never to the account.";
    SignatureFirst "signature-first" "The password is hashed only for a client that has proven the key.";
    NoInBand "no-in-band" "Nothing that a user can type is a command to the server.";
    StateMachine "state-machine" "In each state one kind of message is legal; any other ends the connection.";
    WideCounter "wide-counter" "A record's number has 64 bits, and the session ends long before they are used up.";
    Rekeying "rekeying" "A long session changes its keys, from a new X25519 exchange, and wipes the old ones.";
    FinishedMacs "finished-macs" "Each end proves with a MAC over the transcript that it holds the handshake keys."
        belt "The signatures and the tag of the record around them already stop the known attacks. The MAC binds the signer to the keys even if a signature scheme turns out to allow a second key for the same signature.";
    ContextStrings "context-strings" "A signature names the role of its signer, so a client's signature cannot serve as a server's."
        belt "The two transcripts that are signed never have the same length, so no signature fits the other role today. The context strings keep this true when the messages change.";
    VerifiedSigning "verified-signing" "The signer verifies each signature before sending: a faulty signature would reveal the private key."
        belt "An attack needs a fault in the processor or the memory, which a protocol cannot show on a healthy machine.";
}

impl Defence {
    /// The defence of this name.
    pub fn find(id: &str) -> Option<Self> {
        (Self::ALL.iter().copied()).find(|defence| defence.id() == id)
    }
}

impl std::fmt::Display for Defence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.id())
    }
}

/// The defences that a peer keeps.
pub trait Defences: Send + Sync + 'static {
    /// Whether this defence is in place.
    fn keeps(&self, defence: Defence) -> bool;
}

impl<D: Defences + ?Sized> Defences for std::sync::Arc<D> {
    fn keeps(&self, defence: Defence) -> bool {
        (**self).keeps(defence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_find_their_defence() {
        for defence in Defence::ALL {
            assert_eq!(Defence::find(defence.id()), Some(*defence));
            assert!(defence.about().ends_with('.'), "{defence}");
        }
        assert_eq!(Defence::find("hope"), None);
    }
}
