#!/usr/bin/env python3
"""A client of latch/2, the hardened protocol, written from its description alone, without the code.

    hardened_client.py --key FILE --password-file F --fingerprint SHA256:... [--token T] [--rekey] HOST PORT USER MESSAGE...

Logs in, or enrols with the last part of an invitation, sends the messages, checks every acknowledgement against its own chain, answers pings, asks what the
server holds under each id and under the next one, closes, and checks that the server agrees. Prints `last=N` (what the
server held at the login), `acked=N` and `held=N` (how many messages the server holds as they were sent), and exits with 0;
with --rekey it changes the keys after each message, and prints `epoch=N` too;
exits with 4 when the login is refused and with 1 for everything else. It shares no code with the Rust side.
"""

import argparse
import base64
import hashlib
import hmac
import os
import socket
import struct
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

MAGIC = b"latch/2\n"
HELLO = b"\x02\x00"
BUCKETS = (64, 256, 1024, 4096, 16384)
SERVER_AUTH, CLIENT_AUTH, AUTH_OK, AUTH_FAIL, ENROL = 0x02, 0x03, 0x04, 0x05, 0x06
MSG, ACK, PING, PONG, QUERY, HELD, CLOSE, CLOSE_ACK = 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x30, 0x31
REKEY1, REKEY2, REKEY3, REKEY_ASK = 0x20, 0x21, 0x22, 0x23
NOTHING = bytes(48)
MAX_ID = 2**63 - 1
PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


class Broken(Exception):
    """The peer did not keep to the protocol."""


def check(condition, what):
    if not condition:
        raise Broken(what)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def short(data):
    return struct.pack(">B", len(data)) + data


def long(data):
    return struct.pack(">H", len(data)) + data


def expand(secret, label, context=b"", length=32):
    """XL of the page."""
    info = struct.pack(">H", length) + short(b"latch/2 " + label) + short(context)
    return HKDFExpand(algorithm=hashes.SHA256(), length=length, info=info).derive(secret)


def extract(salt, secret):
    """HKDF-Extract (RFC 5869, section 2.2) is one HMAC."""
    return mac(salt, secret)


def signed_content(who, transcript_hash):
    return b" " * 64 + b"latch/2 " + who + b" signature\0" + transcript_hash


def fingerprint(spki):
    return "SHA256:" + base64.b64encode(sha256(spki)).decode().rstrip("=")


class Reader:
    """Takes a body apart and notices what is left over."""

    def __init__(self, data):
        self.data = data

    def take(self, n):
        check(len(self.data) >= n, "a body is too short")
        part, self.data = self.data[:n], self.data[n:]
        return part

    def number(self, n):
        return int.from_bytes(self.take(n), "big")

    def long(self):
        return self.take(self.number(2))

    def end(self):
        check(not self.data, "a body is too long")


class Direction:
    """Keys and counters of one direction in one epoch."""

    def __init__(self, secret, epoch):
        self.enc, self.mac = expand(secret, b"enc"), expand(secret, b"mac")
        self.iv = expand(secret, b"iv", length=4)
        self.epoch, self.seq = epoch, 0

    def _crypt(self, data):
        block = self.iv + struct.pack(">QI", self.seq, 0)
        context = Cipher(algorithms.AES(self.enc), modes.CTR(block)).encryptor()
        return context.update(data) + context.finalize()

    def _tag(self, length, ciphertext):
        return mac(self.mac, struct.pack(">IQ", self.epoch, self.seq), length, ciphertext)

    def seal(self, kind, body):
        plain = bytes([kind]) + long(body)
        least = 4096 if kind == ENROL else len(plain)
        bucket = next(b for b in BUCKETS if b >= max(least, len(plain)))
        ciphertext = self._crypt(plain.ljust(bucket, b"\0"))
        length = struct.pack(">I", bucket + 32)
        record = length + ciphertext + self._tag(length, ciphertext)
        self.seq += 1
        return record

    def open(self, record):
        length, ciphertext, tag = record[:4], record[4:-32], record[-32:]
        check(hmac.compare_digest(tag, self._tag(length, ciphertext)), "a tag does not fit")
        plain = Reader(self._crypt(ciphertext))
        self.seq += 1
        kind, body = plain.number(1), plain.long()
        check(not any(plain.data), "the padding is not zero")
        return kind, body


class Wire:
    """Exact reads; every length is known or one of the five buckets."""

    def __init__(self, sock):
        self.sock = sock

    def read(self, n):
        data = b""
        while len(data) < n:
            part = self.sock.recv(n - len(data))
            check(part, "the connection ended early")
            data += part
        return data

    def record(self, allowed=BUCKETS):
        length = self.read(4)
        n = int.from_bytes(length, "big")
        check(n - 32 in allowed, "a record length that is not allowed here")
        return length + self.read(n)

    def write(self, data):
        self.sock.sendall(data)


class Ledger:
    """One direction's account: the last id and the chain over all texts."""

    def __init__(self, chain, last):
        self.chain, self.last, self.acked = chain, last, last
        self.at = {}

    def add(self, ident, kind, text):
        check(ident == self.last + 1, "message ids go up by one")
        content = sha256(bytes([kind]), text)
        self.chain = sha256(self.chain, struct.pack(">Q", ident), content)
        self.last = ident
        self.at[ident] = self.chain

    def acknowledge(self, up_to):
        """Marks all up to this id as acknowledged; the chain there."""
        check(up_to in self.at, "an acknowledgement of something that does not wait for one")
        chain = self.at[up_to]
        self.at = {i: c for i, c in self.at.items() if i > up_to}
        self.acked = up_to
        return chain


def content(text):
    """What a text says, as one value."""
    return sha256(b"\0", text)


class Session:
    """Records and ledgers of an open session; the same at both ends. A server hands in `holds`, what it holds of the
    user: for each id the session that brought the message, and what it says, 48 bytes."""

    def __init__(self, wire, sealer, opener, rekey_root, sent, received, sid, holds=None):
        self.wire, self.sealer, self.opener = wire, sealer, opener
        self.rekey_root, self.epoch = rekey_root, 1
        # A change of keys under way: a client's secret after REKEY1, a server's next opener after REKEY2.
        self.offer = self.next_opener = None
        self.sent, self.received = sent, received
        self.sid, self.holds, self.asked, self.closed = sid, holds, [], False

    def say(self, kind, body=b""):
        self.wire.write(self.sealer.seal(kind, body))

    def send(self, text):
        ident = self.sent.last + 1
        self.say(MSG, struct.pack(">QB", ident, 0) + text)
        self.sent.add(ident, 0, text)

    def ask(self, ident):
        """Asks a server what it holds under an id. The answers come in the order of the questions."""
        self.asked.append(ident)
        self.say(QUERY, struct.pack(">Q", ident))

    def is_changing_keys(self):
        return self.offer is not None or self.next_opener is not None

    def rekey(self):
        """The client begins a change of keys."""
        self.offer = x25519.X25519PrivateKey.generate()
        self.say(REKEY1, self.offer.public_key().public_bytes_raw())

    def next_keys(self, own, client_share, server_share):
        """The traffic secrets of the next epoch: of the client, of the server."""
        theirs = server_share if self.holds is None else client_share
        shared = own.exchange(x25519.X25519PublicKey.from_public_bytes(theirs))
        self.epoch += 1
        secret = extract(self.rekey_root, shared)
        context = sha256(b"latch/2 rekey", struct.pack(">I", self.epoch), client_share, server_share)
        ap_c, ap_s, self.rekey_root = (expand(secret, label, context) for label in (b"ap c2s", b"ap s2c", b"rekey root"))
        return Direction(ap_c, self.epoch), Direction(ap_s, self.epoch)

    def change_keys(self, kind, body):
        """Takes one record of a change of keys."""
        server = self.holds is not None
        check(server == (kind in (REKEY1, REKEY3)), "the other end has no such part in a change of keys")
        if kind == REKEY_ASK:
            if not self.closed and self.offer is None:
                self.rekey()
        elif kind == REKEY1:
            check(self.next_opener is None, "a change of keys during another one")
            theirs = body.take(32)
            if self.closed:
                return
            own = x25519.X25519PrivateKey.generate()
            share = own.public_key().public_bytes_raw()
            self.next_opener, sealer = self.next_keys(own, theirs, share)
            self.say(REKEY2, share)
            self.sealer = sealer
        elif kind == REKEY2:
            check(self.offer is not None, "an answer to no change of keys")
            own, self.offer = self.offer, None
            sealer, self.opener = self.next_keys(own, own.public_key().public_bytes_raw(), body.take(32))
            if not self.closed:
                self.say(REKEY3)
                self.sealer = sealer
        else:
            check(self.next_opener is not None, "the end of no change of keys")
            self.opener, self.next_opener = self.next_opener, None

    def close(self, code=0):
        accounts = struct.pack(">BQQ", code, self.sent.last, self.received.acked)
        self.say(CLOSE, accounts + self.sent.chain)
        self.closed = True

    def receive(self, heard=None):
        """Takes one record; answers what has to be answered; the type."""
        kind, body = self.opener.open(self.wire.record())
        body = Reader(body)
        if kind == MSG:
            ident, sort, text = body.number(8), body.number(1), body.take(len(body.data))
            check(sort == 0, "an unknown kind of message")
            text.decode("utf-8")
            self.received.add(ident, sort, text)
            if heard and not heard(ident, text):
                return kind
            self.say(ACK, struct.pack(">Q", ident) + self.received.acknowledge(ident))
        elif kind == ACK:
            up_to, chain = body.number(8), body.take(32)
            check(self.sent.acknowledge(up_to) == chain, "the acknowledged texts are not ours")
        elif kind == PING:
            self.say(PONG, body.take(8))
        elif kind in (REKEY1, REKEY2, REKEY3, REKEY_ASK):
            self.change_keys(kind, body)
        elif kind == QUERY:
            check(self.holds is not None, "only a client asks")
            ident = body.number(8)
            self.say(HELD, struct.pack(">Q", ident) + self.holds.get(ident, NOTHING))
        elif kind == HELD:
            check(self.asked and body.number(8) == self.asked.pop(0), "an answer to no question")
            self.answer = body.take(48)
        elif kind == CLOSE:
            self.code = body.number(1)
            check(self.code in ((0,) if self.holds is not None else (0, 1, 2, 3)), "a code that does not exist")
            check(body.number(8) == self.received.last, "messages of the peer did not arrive")
            check(body.number(8) == self.sent.acked, "acknowledgements did not arrive")
            check(body.take(32) == self.received.chain, "the accounts differ")
            self.say(CLOSE_ACK)
        else:
            check(kind == CLOSE_ACK, "a type that does not belong here")
        body.end()
        return kind


def hellos(wire):
    """ClientHello and ServerHello: the transcript so far, and the handshake secret."""
    ephemeral = x25519.X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes_raw()
    hello = MAGIC + HELLO + os.urandom(32) + share
    wire.write(hello)
    answer = wire.read(66)
    check(answer[:2] == HELLO, "another version")
    # The library refuses a zero secret with a ValueError.
    shared = ephemeral.exchange(x25519.X25519PublicKey.from_public_bytes(answer[34:]))
    return hello + answer, extract(b"latch/2 handshake", shared)


def prove_host(wire, transcript, handshake_secret, pin):
    """SERVER_AUTH: the transcript with it, if the host is the right one."""
    kind, body = Direction(handshake_secret, 0).open(wire.record((1024, 4096)))
    check(kind == SERVER_AUTH, "a type that does not belong here")
    body = Reader(body)
    spki, signature, fin = body.long(), body.long(), body.take(32)
    body.end()
    key = serialization.load_der_public_key(spki)
    check(isinstance(key, rsa.RSAPublicKey), "the host key is not RSA")
    check(key.key_size in (3072, 4096), "the host key has another size")
    check(key.public_numbers().e == 65537, "the host key has another exponent")
    transcript += bytes([SERVER_AUTH]) + long(spki)
    key.verify(signature, signed_content(b"server", sha256(transcript)), PSS, hashes.SHA256())
    transcript += long(signature)
    expected = mac(expand(handshake_secret, b"fin"), sha256(transcript))
    check(hmac.compare_digest(expected, fin), "finS does not fit")
    check(fingerprint(spki) == pin, "the host key is " + fingerprint(spki) + ", expected was " + pin)
    return transcript + fin


def login(wire, user, key, password, pin, token=None):
    """The whole handshake, with a token that of an enrolment: a session and the server's last message id, or None."""
    transcript, prk = hellos(wire)
    th1 = sha256(transcript)
    hs_c, hs_s, root = (expand(prk, label, th1) for label in (b"hs c2s", b"hs s2c", b"root"))
    transcript = prove_host(wire, transcript, hs_s, pin)

    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    kind, mode = (ENROL, b"\x02") if token else (CLIENT_AUTH, b"\x01")
    who = mode + short(user) + sha256(spki)
    transcript += bytes([kind]) + who + (long(spki) if token else b"")
    signature = key.sign(signed_content(b"client", sha256(transcript)), PSS, hashes.SHA256())
    transcript += long(signature)
    fin = mac(expand(hs_c, b"fin"), sha256(transcript))
    transcript += fin
    body = who + long(signature) + long(password) + fin
    if token:
        body += token + long(spki)
    wire.write(Direction(hs_c, 0).seal(kind, body))

    th7 = sha256(transcript)
    labels = (b"ap c2s", b"ap s2c", b"rekey root", b"chain c2s", b"chain s2c")
    ap_c, ap_s, rekey_root, chain_c, chain_s = (expand(root, label, th7) for label in labels)
    opener = Direction(ap_s, 1)
    kind, body = opener.open(wire.record((64,)))
    if kind == AUTH_FAIL:
        return None
    check(kind == AUTH_OK, "a type that does not belong here")
    body = Reader(body)
    last = body.number(8)
    body.end()
    check(last <= MAX_ID, "a last id that no message can have")
    sid = expand(root, b"session id", th7, 16)
    sent, received = Ledger(chain_c, last), Ledger(chain_s, 0)
    return Session(wire, Direction(ap_c, 1), opener, rekey_root, sent, received, sid)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--key", required=True)
    parser.add_argument("--password-file", required=True)
    parser.add_argument("--fingerprint", required=True)
    parser.add_argument("--token", type=lambda text: base64.urlsafe_b64decode(text + "=="))
    parser.add_argument("--rekey", action="store_true")
    for name in ("host", "port", "user"):
        parser.add_argument(name)
    parser.add_argument("message", nargs="*")
    return parser.parse_args()


def main():
    args = arguments()
    with open(args.key, "rb") as f:
        key = serialization.load_pem_private_key(f.read(), password=None)
    with open(args.password_file, "rb") as f:
        password = f.read().removesuffix(b"\n")
    with socket.create_connection((args.host, int(args.port)), timeout=20) as sock:
        wire, user = Wire(sock), args.user.encode()
        session = login(wire, user, key, password, args.fingerprint, args.token)
        if session is None:
            sys.exit(4)
        last = session.sent.last
        print("last=%d" % last)
        for text in args.message:
            session.send(text.encode())
            if args.rekey:
                session.rekey()
                while session.is_changing_keys():
                    check(session.receive() != CLOSE, "the server closed first")
        while session.sent.at:
            check(session.receive() != CLOSE, "the server closed first")
        print("acked=%d" % session.sent.acked)
        expected = [session.sid + content(text.encode()) for text in args.message] + [NOTHING]
        for ident in range(last + 1, last + 1 + len(expected)):
            session.ask(ident)
        for answer in expected:
            while session.receive() != HELD:
                pass
            check(session.answer == answer, "the server holds something else")
        print("held=%d" % len(args.message))
        if args.rekey:
            print("epoch=%d" % session.epoch)
        session.close()
        while session.receive() != CLOSE_ACK:
            pass


if __name__ == "__main__":
    try:
        main()
    except Broken as why:
        sys.exit("Error: %s" % why)
