"""The login of rung 7: the user's name, the user's signature, and a password.

body      = u8 n ‖ name ‖ u16 384 ‖ signature ‖ u8 n ‖ password
signature = over SHA-256(exchange ‖ 04 ‖ u8 n ‖ name)
"""

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from frames import LOGIN, Broken
from keys import USER, public_key, sha256, sign, verify


class Refused(Exception):
    """A login that is not good, and the reason's number."""


NOT_A_LOGIN, NO_SUCH_NAME, WRONG_SIGNATURE, WRONG_PASSWORD = range(4)


def signed_hash(exchanged, name):
    """What the user signs: this exchange with this host, and the name."""
    return sha256(exchanged + bytes([LOGIN, len(name)]) + name)


def make(exchanged, name, key, password):
    signature = sign(key, USER, signed_hash(exchanged, name))
    return encode(name, signature, password)


def encode(name, signature, password):
    return bytes([len(name)]) + name + len(signature).to_bytes(2, "big") + signature + bytes([len(password)]) + password


def parse(body):
    """Name, signature and password."""
    n = body[0] if body else 0
    name, signature, password = body[1 : 1 + n], body[3 + n : 387 + n], body[388 + n :]
    whole = len(signature) == 384 and 1 <= len(password) <= 128
    if n == 0 or not whole or body != encode(name, signature, password):
        raise Refused(NOT_A_LOGIN)
    return name, signature, password


class Users:
    """The users of a server: their names, their public keys, and hashes of their passwords."""

    def __init__(self, folder):
        names = (folder / "server.keys/clients").read_text("utf-8").splitlines()
        self.keys = {name.encode(): public_key(folder / f"server.keys/{name}.pub") for name in names}
        self.hashes = {name.encode(): (folder / f"server.keys/{name}.phc").read_text().strip() for name in names}

    def check(self, exchanged, body):
        """The name in a login that is good."""
        name, signature, password = parse(body)
        if name not in self.keys:
            raise Refused(NO_SUCH_NAME)
        self.check_password(name, password)
        try:
            verify(self.keys[name], USER, signed_hash(exchanged, name), signature)
        except Broken:
            raise Refused(WRONG_SIGNATURE) from None
        # Your part: in which order are signature and password checked?
        return name.decode()

    def check_password(self, name, password):
        # Your part. So far no password is right.
        raise Refused(WRONG_PASSWORD)
