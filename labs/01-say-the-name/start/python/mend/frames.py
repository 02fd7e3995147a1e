"""The wire of rung 6, behind the exchange. The keys come from it.

plaintext     = u8 type ‖ body
frame         = u16 n ‖ u32 number ‖ ciphertext (n - 36) ‖ tag (32)
counter block = IV (8) ‖ u32 number ‖ u32 block, which starts at 0 in every frame
tag           = HMAC-SHA-256(tag key, u32 number ‖ u16 n ‖ ciphertext)
"""

import hmac
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

TEXT, ACKNOWLEDGEMENT, CLOSE, CLOSED, LOGIN, WELCOME, REFUSED = range(7)
OVERHEAD = 4 + 32  # the number and the tag


class Broken(Exception):
    """The other end broke a rule, or hung up. The connection ends."""


def read_exactly(sock, n):
    """Reads n bytes, however they arrive."""
    data = b""
    while len(data) < n:
        piece = sock.recv(n - len(data))
        if not piece:
            raise Broken("the other end hung up")
        data += piece
    return data


def apply_keystream(key, iv, number, data):
    """Encrypts or decrypts the frame with this number."""
    counter_block = iv + struct.pack(">II", number, 0)
    cipher = Cipher(algorithms.AES(key), modes.CTR(counter_block)).encryptor()
    return cipher.update(data) + cipher.finalize()


def hkdf(secret, salt, info):
    """32 bytes of HKDF with SHA-256 (RFC 5869): one block of Expand."""
    extracted = hmac.digest(salt, secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


class Direction:
    """The keys of one direction, `b"c2s"` or `b"s2c"`, and the number of its next frame."""

    def __init__(self, secret, transcript_hash, way):
        self.enc = hkdf(secret, transcript_hash, b"ladder enc " + way)
        self.mac = hkdf(secret, transcript_hash, b"ladder mac " + way)
        self.iv = hkdf(secret, transcript_hash, b"ladder iv " + way)[:8]
        self.next = 0

    def tag(self, number, n, ciphertext):
        return hmac.digest(self.mac, struct.pack(">IH", number, n) + ciphertext, "sha256")


def directions(secret, transcript_hash):
    """Client to server, and server to client."""
    return [Direction(secret, transcript_hash, way) for way in (b"c2s", b"s2c")]


def u32(number):
    return struct.pack(">I", number)


class Channel:
    """The frames of one session."""

    def __init__(self, sock, sending, receiving):
        self.sock, self.sending, self.receiving = sock, sending, receiving

    def send(self, kind, body=b""):
        """Sends a message of this type as the next frame, and gives its number."""
        keys = self.sending
        number, keys.next = keys.next, keys.next + 1
        ciphertext = apply_keystream(keys.enc, keys.iv, number, bytes([kind]) + body)
        n = OVERHEAD + len(ciphertext)
        tag = keys.tag(number, n, ciphertext)
        self.sock.sendall(struct.pack(">HI", n, number) + ciphertext + tag)
        return number

    def receive(self):
        """Number, type and body of the next frame. Nothing of it is used before tag and number are compared."""
        keys = self.receiving
        n = int.from_bytes(read_exactly(self.sock, 2), "big")
        if n < OVERHEAD:
            raise Broken(f"a frame of {n} bytes has no room for its number and its tag")
        body = read_exactly(self.sock, n)
        number = int.from_bytes(body[:4], "big")
        ciphertext, tag = body[4:-32], body[-32:]
        if not hmac.compare_digest(tag, keys.tag(number, n, ciphertext)):
            raise Broken("the tag is wrong: the frame was changed, or made without the key")
        if number != keys.next:
            raise Broken(f"frame {number} came where frame {keys.next} was due")
        keys.next += 1
        plaintext = apply_keystream(keys.enc, keys.iv, number, ciphertext)
        if not plaintext:
            raise Broken("a plaintext without a type")
        return number, plaintext[0], plaintext[1:]
