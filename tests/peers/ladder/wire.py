"""The ladder's wire, rungs 0 to 8, from the pages in docs/src/ladder alone.

Each rung is a few lines: look for `rung >= N`.
"""

import hashlib
import hmac
import os
import re
import socket
import struct
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

GREETING = b"Authentication Successful!"
MAX_TEXT = 16381
SIZES = (64, 256, 1024, 4096, 16384)
TEXT, ACK, CLOSE, CLOSED, LOGIN, WELCOME, REFUSED = range(7)


class Broken(Exception):
    """The other end broke a rule of the page. The connection ends."""


class Line:
    """A socket, read exactly."""

    def __init__(self, sock):
        self.sock = sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, data):
        self.sock.sendall(data)

    def read(self, n, until=None):
        """Exactly n bytes; with a time, all of them before it."""
        data = b""
        while len(data) < n:
            if until is not None:
                self.sock.settimeout(max(0.001, until - time.monotonic()))
            more = self.sock.recv(n - len(data))
            if not more:
                raise EOFError("the connection ended")
            data += more
        return data

    def read_some(self):
        data = self.sock.recv(1024)
        if not data:
            raise EOFError("the connection ended")
        return data


def good_name(name):
    raw = name.encode()
    bad = "/" in name or "\\" in name or ".." in name or name == "."
    return 1 <= len(raw) <= 127 and not bad and not re.search(r"[\x00-\x1f\x7f-\x9f]", name)


# --- Keys -----------------------------------------------------------------------------------------------------------------


def expand(secret, salt, info, length):
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info.encode()).derive(secret)


class Direction:
    """The keys of one direction, and the number of its next frame."""

    def __init__(self, enc, mac, iv):
        self.enc, self.mac, self.iv, self.next = enc, mac, iv, 0


def keys_in_clear(rung, key, iv):
    """Client to server, server to client: rungs 0 to 4."""
    if rung <= 1:
        return Direction(key, None, iv), Direction(key, None, iv)
    made = [expand(key, iv, f"ladder {what} {way}", 32) for way in ("c2s", "s2c") for what in ("enc", "mac")]
    return Direction(made[0], made[1], iv), Direction(made[2], made[3], iv)


def keys_exchanged(secret, th2):
    """The same, rungs 5 to 8."""

    def direction(way):
        sizes = (("enc", 32), ("mac", 32), ("iv", 8))
        return Direction(*(expand(secret, th2, f"ladder {what} {way}", size) for what, size in sizes))

    return direction("c2s"), direction("s2c")


# --- Frames ---------------------------------------------------------------------------------------------------------------


def keystream(rung, keys, number, data):
    block = keys.iv + (struct.pack(">Q", 1) if rung == 0 else struct.pack(">II", number, 0))
    cipher = Cipher(algorithms.AES(keys.enc), modes.CTR(block)).encryptor()
    return cipher.update(data) + cipher.finalize()


def tag_of(keys, number, n, ciphertext):
    return hmac.new(keys.mac, struct.pack(">IH", number, n) + ciphertext, hashlib.sha256).digest()


def pad(content):
    size = next(size for size in SIZES if len(content) + 2 <= size)
    return (struct.pack(">H", len(content)) + content).ljust(size, b"\0")


def unpad(plaintext):
    n = struct.unpack(">H", plaintext[:2])[0]
    content, zeros = plaintext[2 : 2 + n], plaintext[2 + n :]
    smallest = next((size for size in SIZES if n + 2 <= size), None)
    if len(content) != n or len(plaintext) != smallest or any(zeros):
        raise Broken("padding")
    return content


def send(rung, line, keys, content):
    """Sends a frame; returns its number."""
    number = keys.next
    keys.next += 1
    plaintext = pad(content) if rung >= 8 else content
    ciphertext = keystream(rung, keys, number, plaintext)
    if rung == 0:
        line.write(ciphertext)
        return number
    n = 4 + len(ciphertext) + (32 if rung >= 2 else 0)
    tag = tag_of(keys, number, n, ciphertext) if rung >= 2 else b""
    line.write(struct.pack(">HI", n, number) + ciphertext + tag)
    return number


def receive(rung, line, keys, allowed=None, seconds=None):
    """Number and content of the next frame. With a number of seconds, a frame that has begun must be complete by then."""
    if rung == 0:
        return 0, keystream(0, keys, 0, line.read_some())
    until, patience = None, line.sock.gettimeout()
    first = line.read(1)
    if seconds is not None:
        until = time.monotonic() + seconds
    n = struct.unpack(">H", first + line.read(1, until))[0]
    overhead = 36 if rung >= 2 else 4
    if n < overhead:
        raise Broken("length")
    if rung >= 8 and n not in (allowed or [size + 36 for size in SIZES]):
        raise Broken("length")
    body = line.read(n, until)
    line.sock.settimeout(patience)
    number = struct.unpack(">I", body[:4])[0]
    ciphertext = body[4:-32] if rung >= 2 else body[4:]
    if rung >= 2 and not hmac.compare_digest(tag_of(keys, number, n, ciphertext), body[-32:]):
        raise Broken("tag")
    if rung >= 3 and number != keys.next:
        raise Broken("number")
    keys.next += 1
    plaintext = keystream(rung, keys, number, ciphertext)
    return number, unpad(plaintext) if rung >= 8 else plaintext


# --- The textbook login ---------------------------------------------------------------------------------------------------


def textbook_login(name, public):
    numbers = public.public_numbers()
    c = pow(int.from_bytes(name.encode(), "big"), numbers.e, numbers.n)
    return c.to_bytes((c.bit_length() + 7) // 8, "big")


def opens_to(login, private, name):
    numbers = private.private_numbers()
    c = int.from_bytes(login, "big")
    if c >= numbers.public_numbers.n:
        return False
    m = pow(c, numbers.d, numbers.public_numbers.n)
    return m == int.from_bytes(name.encode(), "big")


# --- Exchange and signatures ----------------------------------------------------------------------------------------------

PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


def sign(key, context, transcript_hash):
    return key.sign(context + b"\0" + transcript_hash, PSS, hashes.SHA256())


def verify(spki, context, transcript_hash, signature):
    key = serialization.load_der_public_key(spki)
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size != 3072:
        raise Broken("key")
    try:
        key.verify(signature, context + b"\0" + transcript_hash, PSS, hashes.SHA256())
    except InvalidSignature:
        raise Broken("signature") from None


def hello(rung, secret):
    value = secret.public_key().public_bytes_raw()
    return b"ladder" + bytes([rung]) + os.urandom(32) + value


def agree(rung, secret, theirs):
    if theirs[:7] != b"ladder" + bytes([rung]):
        raise Broken("hello")
    try:
        return secret.exchange(x25519.X25519PublicKey.from_public_bytes(theirs[39:]))
    except ValueError:
        raise Broken("zero secret") from None


def sha256(data):
    return hashlib.sha256(data).digest()


def short(data):
    return bytes([len(data)]) + data


def long(data):
    return struct.pack(">H", len(data)) + data


def spki_of(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def load_private(path):
    return serialization.load_pem_private_key(path.read_bytes(), None)


def load_public(path):
    return serialization.load_pem_public_key(path.read_bytes())
