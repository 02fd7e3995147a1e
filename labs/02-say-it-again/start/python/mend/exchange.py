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
SECRET = x25519.X25519PrivateKey.generate()


def u16_and(data):
    """The data with its length in front."""
    return len(data).to_bytes(2, "big") + data


def hello_of(secret):
    """A hello: what this end has chosen for this connection."""
    # Your part.
    raise Broken("there is no hello yet: write hello_of in mend/exchange.py")


def shared(secret, hello):
    """The secret that both ends compute, and that never travels."""
    if not hello.startswith(MAGIC):
        raise Broken("the other end speaks another protocol, or another rung")
    try:
        return secret.exchange(x25519.X25519PublicKey.from_public_bytes(hello[39:]))
    except ValueError:
        raise Broken("the X25519 value forces a zero secret") from None


def as_server(sock, host_key):
    """The server's side: gives the channel."""
    client_hello = read_exactly(sock, HELLO)
    # Your part. This secret was chosen once, for all connections.
    secret = SECRET
    z = shared(secret, client_hello)
    hellos = client_hello + hello_of(secret)
    spki = u16_and(spki_of(host_key.public_key()))  # its length is in front already
    proof = spki + u16_and(sign(host_key, HOST, sha256(hellos + spki)))
    sock.sendall(hellos[HELLO:] + proof)
    c2s, s2c = directions(z, sha256(hellos + proof))
    return Channel(sock, sending=s2c, receiving=c2s)
