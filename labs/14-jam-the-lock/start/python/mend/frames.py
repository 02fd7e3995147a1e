"""The wire of rung 8, behind the exchange: five lengths, and little patience.

content       = u8 type ‖ body
plaintext     = u16 n ‖ content (n) ‖ zeros, of the smallest size that holds it
frame         = u16 n ‖ u32 number ‖ ciphertext (n - 36) ‖ tag (32)
counter block = IV (8) ‖ u32 number ‖ u32 block, which starts at 0 in every frame
tag           = HMAC-SHA-256(tag key, u32 number ‖ u16 n ‖ ciphertext)
"""

import hmac
import struct
import time

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

TEXT, ACKNOWLEDGEMENT, CLOSE, CLOSED, LOGIN, WELCOME, REFUSED = range(7)
SIZES = (64, 256, 1024, 4096, 16384)
OVERHEAD = 4 + 32  # the number and the tag
LENGTHS = tuple(size + OVERHEAD for size in SIZES)
FOR_A_FRAME = 5  # seconds from its first byte to its last


class Broken(Exception):
    """The other end broke a rule, or hung up. The connection ends."""


def read_exactly(sock, n, until=None):
    """Reads n bytes, however they arrive, and all of them before this time of time.monotonic()."""
    data = b""
    while len(data) < n:
        if until is not None:
            sock.settimeout(max(0.001, until - time.monotonic()))
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


def pad(content):
    """Hides the length of a content, but for its class."""
    size = next(size for size in SIZES if len(content) + 2 <= size)
    return (struct.pack(">H", len(content)) + content).ljust(size, b"\0")


def unpad(plaintext):
    """The content, if it was padded as `pad` does it, and in no other way."""
    n = int.from_bytes(plaintext[:2], "big")
    content = plaintext[2 : 2 + n]
    if n == 0 or n + 2 > SIZES[-1] or plaintext != pad(content):
        raise Broken("a plaintext that is padded in another way")
    return content


def u32(number):
    return struct.pack(">I", number)


class Channel:
    """The frames of one session."""

    def __init__(self, sock, sending, receiving, patience):
        self.sock, self.sending, self.receiving = sock, sending, receiving
        self.patience = patience  # seconds to wait for a frame to begin; None is for ever

    def send(self, kind, body=b""):
        """Sends a message of this type as the next frame, and gives its number."""
        keys = self.sending
        number, keys.next = keys.next, keys.next + 1
        ciphertext = apply_keystream(keys.enc, keys.iv, number, pad(bytes([kind]) + body))
        n = OVERHEAD + len(ciphertext)
        tag = keys.tag(number, n, ciphertext)
        self.sock.sendall(struct.pack(">HI", n, number) + ciphertext + tag)
        return number

    def receive(self, lengths=LENGTHS, until=None):
        """Number, type and body of the next frame. Nothing of it is used before tag and number are compared."""
        keys = self.receiving
        self.sock.settimeout(self.patience)
        first = read_exactly(self.sock, 1, until)
        until = until or time.monotonic() + FOR_A_FRAME
        n = int.from_bytes(first + read_exactly(self.sock, 1, until), "big")
        if n not in lengths:
            raise Broken(f"a frame of {n} bytes may not come now")
        frame = read_exactly(self.sock, n, until)
        self.sock.settimeout(self.patience)
        number = int.from_bytes(frame[:4], "big")
        ciphertext, tag = frame[4:-32], frame[-32:]
        if not hmac.compare_digest(tag, keys.tag(number, n, ciphertext)):
            raise Broken("the tag is wrong: the frame was changed, or made without the key")
        if number != keys.next:
            raise Broken(f"frame {number} came where frame {keys.next} was due")
        keys.next += 1
        content = unpad(apply_keystream(keys.enc, keys.iv, number, ciphertext))
        return number, content[0], content[1:]
