"""The key files of rung 6: a host and users who sign. Needs the package cryptography."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from frames import Broken

HOST, USER = b"ladder host signature", b"ladder user signature"
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
    # Your part. This is textbook RSA: the message itself, to the power of d.
    numbers = key.private_numbers()
    m = int.from_bytes(context + b"\0" + transcript_hash, "big")
    return pow(m, numbers.d, numbers.public_numbers.n).to_bytes(384, "big")


def verify(key, context, transcript_hash, signature):
    """Raises Broken unless this key has signed this transcript for this purpose."""
    try:
        key.verify(signature, context + b"\0" + transcript_hash, PSS, hashes.SHA256())
    except InvalidSignature:
        raise Broken("the signature is wrong") from None
