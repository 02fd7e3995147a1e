"""Opens the records of latch/2 for a reader who has the secret of the session. Complete; standard library only."""

import hashlib
import hmac

from aes import encrypt_block, expand, xor

SERVER_HELLO = 66  # version (2), random (32), value of the key exchange (32)
SERVER_AUTH, CLIENT_AUTH, MESSAGE = 0x02, 0x03, 0x10  # types of messages
TAG = 32


def messages(sent, shared):
    """The texts of the client, from the pieces of a capture and the secret that both ends shared.

    Raises ValueError if this is not the secret."""
    hello, client = records([data for sender, data in sent if sender == "client"])
    server_hello, server = records([data for sender, data in sent if sender == "server"], SERVER_HELLO)

    # The secret and the hellos give the keys of the handshake; the whole handshake gives the keys of the session.
    secret = extract(b"latch/2 handshake", shared)
    transcript = hello + server_hello
    so_far = sha256(transcript)
    server_proof = open_record(derive(secret, "hs s2c", so_far), 0, 0, server[0])[1]
    client_proof = open_record(derive(secret, "hs c2s", so_far), 0, 0, client[0])[1]
    transcript += bytes([SERVER_AUTH]) + server_proof + bytes([CLIENT_AUTH]) + without_password(client_proof)
    root = derive(secret, "root", so_far)
    session = derive(root, "ap c2s", sha256(transcript))

    opened = [open_record(session, 1, number, record) for number, record in enumerate(client[1:])]
    # The body of a message: its number (8 bytes), its kind (1 byte), and the text.
    return [body[9:].decode() for kind, body in opened if kind == MESSAGE]


def records(pieces, hello_length=None):
    """One side's hello, and its records: u32 length, then so many bytes."""
    hello_length = hello_length or len(pieces[0])
    stream = b"".join(pieces)
    hello, rest, found = stream[:hello_length], stream[hello_length:], []
    while rest:
        end = 4 + int.from_bytes(rest[:4], "big")
        found.append(rest[:end])
        rest = rest[end:]
    return hello, found


def open_record(secret, epoch, number, record):
    """The type and the body of a record. The tag is checked first."""
    encryption, mac, iv = derive(secret, "enc"), derive(secret, "mac"), derive(secret, "iv", length=4)
    covered, tag = record[:-TAG], record[-TAG:]
    place = epoch.to_bytes(4, "big") + number.to_bytes(8, "big")
    if not hmac.compare_digest(hmac.digest(mac, place + covered, "sha256"), tag):
        raise ValueError("the tag is wrong: this is not the secret of the session")
    ciphertext, keys, plaintext = covered[4:], expand(encryption), b""
    for block in range(0, len(ciphertext), 16):
        counter = iv + number.to_bytes(8, "big") + (block // 16).to_bytes(4, "big")
        plaintext += xor(ciphertext[block : block + 16], encrypt_block(keys, counter))
    length = int.from_bytes(plaintext[1:3], "big")
    return plaintext[0], plaintext[3 : 3 + length]


def without_password(proof):
    """The client's proof as the transcript has it: all but the password."""
    at = 2 + proof[1] + 32  # mode (1), name with its length, fingerprint (32)
    at += 2 + int.from_bytes(proof[at : at + 2], "big")  # signature
    return proof[:at] + proof[-32:]  # then the password, and a hash (32)


def unpad(block):
    """The message in a decrypted RSA block (OAEP with SHA-256, RFC 8017, section 7.1.2).

    Raises ValueError if the block has another form."""
    seed_masked, data_masked = block[1:33], block[33:]
    seed = xor(seed_masked, mask(data_masked, 32))
    data = xor(data_masked, mask(seed, len(data_masked)))
    zeros, found, message = data[32:].partition(b"\x01")
    if block[0] or data[:32] != sha256(b"") or any(zeros) or not found:
        raise ValueError("this block was not made for this key")
    return message


def mask(seed, length):
    """MGF1 (RFC 8017, appendix B.2.1)."""
    blocks = range((length + 31) // 32)
    return b"".join(sha256(seed + block.to_bytes(4, "big")) for block in blocks)[:length]


def extract(salt, secret):
    """HKDF-Extract (RFC 5869)."""
    return hmac.digest(salt, secret, "sha256")


def derive(secret, label, context=b"", length=32):
    """HKDF-Expand (RFC 5869), for at most 32 bytes, with the label and the context that latch/2 gives it."""
    label = b"latch/2 " + label.encode()
    info = length.to_bytes(2, "big") + bytes([len(label)]) + label + bytes([len(context)]) + context
    return hmac.digest(secret, info + b"\x01", "sha256")[:length]


def sha256(data):
    return hashlib.sha256(data).digest()
