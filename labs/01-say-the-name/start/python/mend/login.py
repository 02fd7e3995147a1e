"""The login of rung 6: the user's name, and the user's signature over the exchange and the name.

body = u8 n ‖ name ‖ u16 384 ‖ signature over SHA-256(exchange ‖ 04 ‖ u8 n ‖ name)
"""

from frames import LOGIN, Broken
from keys import USER, public_key, sha256, sign, verify


class Refused(Exception):
    """A login that is not good, and the reason's number."""


NOT_A_LOGIN, NO_SUCH_NAME, WRONG_SIGNATURE = range(3)


def signed_hash(exchanged, name):
    """What the user signs: this exchange with this host, and the name."""
    # Your part.
    return b""


def make(exchanged, name, key):
    signature = sign(key, USER, signed_hash(exchanged, name))
    return bytes([len(name)]) + name + len(signature).to_bytes(2, "big") + signature


def parse(body):
    """Name and signature."""
    n = body[0] if body else 0
    name, signature = body[1 : 1 + n], body[3 + n :]
    if n == 0 or body != bytes([n]) + name + b"\x01\x80" + signature or len(signature) != 384:
        raise Refused(NOT_A_LOGIN)
    return name, signature


class Users:
    """The users of a server: their names, and their public keys alone."""

    def __init__(self, folder):
        names = (folder / "server.keys/clients").read_text("utf-8").splitlines()
        self.keys = {name.encode(): public_key(folder / f"server.keys/{name}.pub") for name in names}

    def check(self, exchanged, body):
        """The name in a login that is good."""
        name, signature = parse(body)
        if name not in self.keys:
            raise Refused(NO_SUCH_NAME)
        # Your part. So far no user proves anything, so no user comes in.
        raise Refused(WRONG_SIGNATURE)
