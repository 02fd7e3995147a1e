"""The exchange of rung 5: two hellos, and the host's signature over them.

hello = "ladder" ‖ u8 rung ‖ random (32) ‖ X25519 value (32)
proof = u16 422 ‖ SPKI of the host ‖ u16 384 ‖ signature over SHA-256(hellos ‖ u16 422 ‖ SPKI)
"""

import os

from cryptography.hazmat.primitives.asymmetric import x25519
from frames import Broken, Channel, directions, read_exactly
from keys import HOST, sha256, sign, spki_of

MAGIC = b"ladder" + bytes([5])
HELLO, SPKI, SIGNATURE = 71, 422, 384


def u16_and(data):
    """The data with its length in front."""
    return len(data).to_bytes(2, "big") + data


def hello_of(secret):
    """A hello with a random that is used once, and the value of an X25519 secret that is used once."""
    return MAGIC + os.urandom(32) + secret.public_key().public_bytes_raw()


def shared(secret, hello):
    """The secret that both ends compute, and that never travels."""
    if not hello.startswith(MAGIC):
        raise Broken("the other end speaks another protocol, or another rung")
    # Your part. The other end's value is the last 32 bytes of its hello.
    raise Broken("there is no shared secret yet: write shared in mend/exchange.py")


def as_server(sock, host_key):
    """The server's side: gives the channel."""
    client_hello = read_exactly(sock, HELLO)
    secret = x25519.X25519PrivateKey.generate()
    z = shared(secret, client_hello)
    hellos = client_hello + hello_of(secret)
    spki = u16_and(spki_of(host_key.public_key()))  # its length is in front already
    # Your part. The proof, and the keys of both directions.
    proof = b""
    sock.sendall(hellos[HELLO:] + proof)
    c2s, s2c = directions(bytes(32), bytes(32))
    return Channel(sock, sending=s2c, receiving=c2s)
