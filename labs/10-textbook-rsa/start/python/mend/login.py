"""The login of rung 6: the user's name, and the user's signature over the exchange and the name.

body = u8 n ‖ name ‖ u16 384 ‖ signature over SHA-256(exchange ‖ 04 ‖ u8 n ‖ name)
"""

from frames import LOGIN
from keys import USER, sha256, sign


def signed_hash(exchanged, name):
    """What the user signs: this exchange with this host, and the name."""
    # Your part.
    return b""


def make(exchanged, name, key):
    signature = sign(key, USER, signed_hash(exchanged, name))
    return bytes([len(name)]) + name + len(signature).to_bytes(2, "big") + signature
