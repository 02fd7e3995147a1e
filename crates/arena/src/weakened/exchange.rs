//! Key exchanges that lack something.

use std::sync::LazyLock;

use latchstring_attacker::{
    Target,
    protocol::hardened::{
        Error,
        defence::{Defence, Defences},
        keys::X25519,
        parts::Exchange,
        primitives::Secret,
        role::Role,
    },
    protocol_faithful::keys::PublicKey,
};
use rand::{SeedableRng, rngs::ChaCha20Rng};
use rsa::{BoxedUint, Oaep, Pkcs1v15Encrypt, RsaPrivateKey, hazmat, traits::PublicKeyParts};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Weakened;
use crate::{
    keys::{TRANSPORT_KEY, TRANSPORT_PEM, host_private_key},
    peers::{ALICE, public_key_pem},
};

/// One end's half of the exchange that is left.
pub(super) fn of(weakened: &Weakened, role: Role, secret: &Secret) -> Box<dyn Exchange> {
    let exchange = unnamed(weakened, role, secret);
    match weakened.keeps(Defence::HiddenName) {
        true => exchange,
        false => Box::new(Named { role, exchange }),
    }
}

fn unnamed(weakened: &Weakened, role: Role, secret: &Secret) -> Box<dyn Exchange> {
    match Kind::of(weakened) {
        Kind::Agreement => Box::new(X25519::new(secret)),
        Kind::InClear => Box::new(InClear {
            role,
            secret: secret.clone(),
        }),
        Kind::Transport(padding) => Box::new(Transport {
            role,
            padding,
            secret: secret.clone(),
        }),
    }
}

/// How long its value in a hello is.
pub(super) fn share_len(weakened: &Weakened, role: Role) -> usize {
    let share = match (Kind::of(weakened), role) {
        (Kind::Transport(padding), Role::Client) => padding.key().size(),
        _ => X25519::SHARE_LEN,
    };
    let named = role == Role::Client && !weakened.keeps(Defence::HiddenName);
    share + if named { NAME.len() } else { 0 }
}

/// The exchange that is left without some of the defences.
enum Kind {
    Agreement,
    InClear,
    Transport(Padding),
}

impl Kind {
    fn of(weakened: &Weakened) -> Self {
        if !weakened.keeps(Defence::SecretExchange) {
            Self::InClear
        } else if !weakened.keeps(Defence::OracleFreeExchange) {
            Self::Transport(Padding::Pkcs1v15)
        } else if !weakened.keeps(Defence::EphemeralExchange) {
            Self::Transport(Padding::Oaep)
        } else {
            Self::Agreement
        }
    }
}

/// The private key that secrets are encrypted to, as PEM, where there is one for nothing else.
pub(crate) fn transport_pem(weakened: &Weakened) -> Option<&'static str> {
    match Kind::of(weakened) {
        Kind::Transport(Padding::Pkcs1v15) => Some(TRANSPORT_PEM),
        _ => None,
    }
}

/// The modulus of its public half: everybody may have it.
pub(crate) fn transport_modulus(weakened: &Weakened) -> Option<Vec<u8>> {
    transport_pem(weakened).map(|_| TRANSPORT_KEY.n_bytes().into_vec())
}

/// The client sends the secret itself.
struct InClear {
    role: Role,
    secret: Secret,
}

impl Exchange for InClear {
    fn share(&self) -> Vec<u8> {
        match self.role {
            Role::Client => self.secret.to_vec(),
            Role::Server => vec![0; X25519::SHARE_LEN],
        }
    }

    fn agree(self: Box<Self>, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(Zeroizing::new(match self.role {
            Role::Client => self.secret.to_vec(),
            Role::Server => peer.to_vec(),
        }))
    }
}

/// How the secret is padded before it is encrypted to a key of the host.
#[derive(Clone, Copy)]
enum Padding {
    /// RFC 8017, section 7.1: with the host's own key. Safe, but a later thief of that key can read everything.
    Oaep,
    /// RFC 8017, section 7.2: as TLS did until 1.2. A server that hangs up where the padding is wrong tells a stranger
    /// so, and this one does.
    Pkcs1v15,
}

impl Padding {
    fn key(self) -> &'static RsaPrivateKey {
        match self {
            Self::Oaep => host_private_key(),
            Self::Pkcs1v15 => &TRANSPORT_KEY,
        }
    }
}

/// The client encrypts the secret to the host's public key.
struct Transport {
    role: Role,
    padding: Padding,
    secret: Secret,
}

impl Transport {
    fn encrypt(&self) -> rsa::Result<Vec<u8>> {
        let key = self.padding.key().to_public_key();
        // Whatever else is random comes from the secret too: a hello must repeat when its randomness does.
        let mut rng = ChaCha20Rng::from_seed(*self.secret);
        match self.padding {
            Padding::Oaep => key.encrypt(&mut rng, Oaep::<Sha256>::new(), &self.secret[..]),
            Padding::Pkcs1v15 => key.encrypt(&mut rng, Pkcs1v15Encrypt, &self.secret[..]),
        }
    }

    fn decrypt(&self, share: &[u8]) -> Option<Vec<u8>> {
        let key = self.padding.key();
        match self.padding {
            Padding::Oaep => key.decrypt(Oaep::<Sha256>::new(), share).ok(),
            Padding::Pkcs1v15 => decrypt_pkcs1(key, share),
        }
    }
}

impl Exchange for Transport {
    fn share(&self) -> Vec<u8> {
        match self.role {
            Role::Client => self.encrypt().expect("32 bytes fit the key"),
            Role::Server => vec![0; X25519::SHARE_LEN],
        }
    }

    fn agree(self: Box<Self>, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(Zeroizing::new(match self.role {
            Role::Client => self.secret.to_vec(),
            Role::Server => (self.decrypt(peer)).ok_or(Error::Forged("RSA padding"))?,
        }))
    }
}

/// The old way, which no library of today uses: the result shows whether the plaintext begins with `00 02`. (The
/// crate's own decryption answers a wrong padding with a secret that nobody knows, so that nobody can tell.)
fn decrypt_pkcs1(key: &RsaPrivateKey, ciphertext: &[u8]) -> Option<Vec<u8>> {
    let c = BoxedUint::from_be_slice(ciphertext, key.n_bits_precision()).ok()?;
    let block = hazmat::rsa_decrypt(None::<&mut ChaCha20Rng>, key, &c).ok()?;
    let block = block.to_be_bytes();
    let padded = block.strip_prefix(&[0, 2])?;
    // The rest is not looked at: the secret is what stands behind the first zero, however long.
    let secret = padded.iter().skip_while(|byte| **byte != 0).skip(1);
    Some(secret.copied().collect())
}

/// The only name that honest people call under in the arena, as in the report's login: encrypted with its owner's public
/// key and nothing random. A key of 3072 bits does not make it better.
static NAME: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let key = PublicKey::from_pem_of_any_size(public_key_pem(Target::Hardened));
    let key = key.expect("the published keys are well-formed");
    let name = key.encrypt(ALICE.as_bytes());
    let name = name.expect("a name is shorter than a key");
    [vec![0; key.modulus().len() - name.len()], name].concat()
});

/// The client says in its hello who it is, before it knows to whom: the encrypted name follows its value.
struct Named {
    role: Role,
    exchange: Box<dyn Exchange>,
}

impl Exchange for Named {
    fn share(&self) -> Vec<u8> {
        let mut share = self.exchange.share();
        if self.role == Role::Client {
            share.extend_from_slice(&NAME);
        }
        share
    }

    fn agree(self: Box<Self>, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let name = match self.role {
            Role::Client => 0,
            Role::Server => NAME.len(),
        };
        let share = &peer[..peer.len().saturating_sub(name)];
        self.exchange.agree(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both_ends(padding: Padding) -> [Transport; 2] {
        [Role::Client, Role::Server].map(|role| Transport {
            role,
            padding,
            secret: Secret::new([7; 32]),
        })
    }

    #[test]
    fn both_paddings_carry_the_secret() {
        for padding in [Padding::Oaep, Padding::Pkcs1v15] {
            let [client, server] = both_ends(padding);
            let share = client.share();
            assert_eq!(share.len(), padding.key().size());
            assert_eq!(server.decrypt(&share), Some(vec![7; 32]));
        }
    }

    #[test]
    fn the_old_padding_tells_what_begins_with_00_02_and_cares_for_nothing_else() {
        let [_, server] = both_ends(Padding::Pkcs1v15);
        let public = TRANSPORT_KEY.to_public_key();
        let decrypted = |block: &[u8; 64]| {
            let m = BoxedUint::from_be_slice(block, public.n_bits_precision()).unwrap();
            let c = hazmat::rsa_encrypt(&public, &m).unwrap();
            server.decrypt(&c.to_be_bytes())
        };
        let mut block = [1; 64];
        (block[0], block[1], block[60]) = (0, 2, 0);
        assert_eq!(decrypted(&block), Some(vec![1; 3]));
        block[60] = 1;
        assert_eq!(decrypted(&block), Some(Vec::new()), "no zero at all");
        block[1] = 1;
        assert_eq!(decrypted(&block), None);
        assert_eq!(server.decrypt(&[0xff; 64]), None, "not below the modulus");
    }
}
