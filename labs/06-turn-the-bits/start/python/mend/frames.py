"""The wire of your server. So far its frames have no tag. Make it rung 2:

frame         = u16 n ‖ u32 number ‖ ciphertext (n - 36) ‖ tag (32)
counter block = IV (8) ‖ u32 number ‖ u32 block, which starts at 0 in every frame
tag           = HMAC-SHA-256(tag key, u32 number ‖ u16 n ‖ ciphertext)
"""

import hmac
import struct

import aes


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
    round_keys, out = aes.expand(key), b""
    for block in range((len(data) + 15) // 16):
        counter_block = iv + struct.pack(">II", number, block)
        piece = data[16 * block : 16 * block + 16]
        out += aes.xor(piece, aes.encrypt_block(round_keys, counter_block))
    return out


def hkdf(secret, salt, info):
    """32 bytes of HKDF with SHA-256 (RFC 5869): one block of Expand."""
    extracted = hmac.digest(salt, secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


class Direction:
    """The keys of one direction, `b"c2s"` or `b"s2c"`, and the number of its next frame."""

    def __init__(self, session_key, iv, way):
        self.enc = hkdf(session_key, iv, b"ladder enc " + way)
        self.mac = hkdf(session_key, iv, b"ladder mac " + way)
        self.iv = iv
        self.next = 0

    def tag(self, number, n, ciphertext):
        """The tag of a frame: 32 bytes."""
        # Your part.
        return b""


def directions(session_key, iv):
    """Client to server, and server to client."""
    return [Direction(session_key, iv, way) for way in (b"c2s", b"s2c")]


class Channel:
    """The frames of one session."""

    def __init__(self, sock, sending, receiving):
        self.sock, self.sending, self.receiving = sock, sending, receiving

    def send(self, text):
        """Sends a text as a frame, with a number that no frame of this direction had."""
        # Your part. This frame has no tag.
        keys = self.sending
        number, keys.next = keys.next, keys.next + 1
        ciphertext = apply_keystream(keys.enc, keys.iv, number, text)
        self.sock.sendall(struct.pack(">HI", 4 + len(ciphertext), number) + ciphertext)

    def receive(self):
        """The text of the next frame."""
        # Your part. This takes all that follows the number for the ciphertext, and checks nothing.
        keys = self.receiving
        n = int.from_bytes(read_exactly(self.sock, 2), "big")
        if n < 4:
            raise Broken(f"a frame of {n} bytes has no room for its number")
        body = read_exactly(self.sock, n)
        number = int.from_bytes(body[:4], "big")
        return apply_keystream(keys.enc, keys.iv, number, body[4:])
