"""The key files of rung 5: users with textbook RSA, and a host that signs. Needs the package cryptography."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from frames import Broken

HOST = b"ladder host signature"
PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


def private_key(path):
    return serialization.load_pem_private_key(path.read_bytes(), None)


def public_key(path):
    return serialization.load_pem_public_key(path.read_bytes())


def spki_of(key):
    """The DER of a public key."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def sha256(data):
    return hashlib.sha256(data).digest()


def sign(key, context, transcript_hash):
    """A signature. The context says what it is for, so that it is good for nothing else."""
    return key.sign(context + b"\0" + transcript_hash, PSS, hashes.SHA256())


def verify(key, context, transcript_hash, signature):
    """Raises Broken unless this key has signed this transcript for this purpose."""
    try:
        key.verify(signature, context + b"\0" + transcript_hash, PSS, hashes.SHA256())
    except InvalidSignature:
        raise Broken("the signature is wrong") from None


def login_of(name, key):
    """The login of a user: the name, encrypted with the user's public key and without padding."""
    numbers = key.public_numbers()
    c = pow(int.from_bytes(name, "big"), numbers.e, numbers.n)
    return c.to_bytes((c.bit_length() + 7) // 8, "big")


class Users:
    """The users of a server: their names, and (the report's idea) their private keys."""

    def __init__(self, folder):
        names = (folder / "server.keys/clients").read_text("utf-8").splitlines()
        keys = ((name, private_key(folder / "client.keys" / name).private_numbers()) for name in names)
        self.keys = {name: (numbers.public_numbers.n, numbers.d) for name, numbers in keys}

    def find(self, login):
        """The first user whose key decrypts the login to the user's own name; None if there is none."""
        c = int.from_bytes(login, "big")
        for name, (n, d) in self.keys.items():
            if c < n and pow(c, d, n) == int.from_bytes(name.encode(), "big"):
                return name
        return None
