"""The exchange of rung 6: two hellos, and the host's signature over them.

hello = "ladder" ‖ u8 rung ‖ random (32) ‖ X25519 value (32)
proof = u16 422 ‖ SPKI of the host ‖ u16 384 ‖ signature over SHA-256(hellos ‖ u16 422 ‖ SPKI)
"""

import os

from cryptography.hazmat.primitives.asymmetric import x25519
from frames import Broken, Channel, directions, read_exactly
from keys import HOST, sha256, sign, spki_of, verify

MAGIC = b"ladder" + bytes([6])
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
    try:
        return secret.exchange(x25519.X25519PublicKey.from_public_bytes(hello[39:]))
    except ValueError:
        raise Broken("the X25519 value forces a zero secret") from None


def as_server(sock, host_key):
    """The server's side: gives the channel, and all bytes of the exchange."""
    client_hello = read_exactly(sock, HELLO)
    secret = x25519.X25519PrivateKey.generate()
    z = shared(secret, client_hello)
    hellos = client_hello + hello_of(secret)
    spki = u16_and(spki_of(host_key.public_key()))  # its length is in front already
    proof = spki + u16_and(sign(host_key, HOST, sha256(hellos + spki)))
    sock.sendall(hellos[HELLO:] + proof)
    c2s, s2c = directions(z, sha256(hellos + proof))
    return Channel(sock, sending=s2c, receiving=c2s), hellos + proof


def as_client(sock, pinned):
    """The client's side: gives the channel and all bytes of the exchange.

    The host must have proven by then that it has the pinned key.
    """
    secret = x25519.X25519PrivateKey.generate()
    client_hello = hello_of(secret)
    sock.sendall(client_hello)
    server_hello = read_exactly(sock, HELLO)
    z = shared(secret, server_hello)
    hellos = client_hello + server_hello
    proof = read_exactly(sock, 2 + SPKI + 2 + SIGNATURE)
    spki, signature = proof[2 : 2 + SPKI], proof[4 + SPKI :]
    if proof != u16_and(spki) + u16_and(signature):
        raise Broken("the host's proof has other lengths")
    if sha256(spki) != sha256(spki_of(pinned)):
        raise Broken("the host's key is not the pinned one")
    verify(pinned, HOST, sha256(hellos + u16_and(spki)), signature)
    c2s, s2c = directions(z, sha256(hellos + proof))
    return Channel(sock, sending=c2s, receiving=s2c), hellos + proof
