#!/usr/bin/env python3
"""A server of latch/2 for one user, written from the protocol's description alone; it uses the records of hardened_client.py.

    hardened_server.py --host-key FILE --user NAME --user-key FILE.pub.pem --password-file F
        [--last N] [--vanish ID] [--conflict ID] [--ask]

Listens on a loopback port, prints `port=N` and `fingerprint=SHA256:...`, serves one connection after the other, and
prints `message=ID TEXT` for each message that it keeps and `closed` for each agreed close. Passwords are compared as they
are: this is a peer for tests, not a server to use. With --vanish it keeps that message and hangs up without an
acknowledgement; with --conflict it keeps another message under that id and closes with code 3. Both once. With --ask it
asks for new keys after each message, and prints `epoch=N` for each change.
"""

import argparse
import hmac
import os
import socket

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import x25519

from hardened_client import (
    AUTH_FAIL, AUTH_OK, CLIENT_AUTH, CLOSE, CLOSE_ACK, HELLO, MAGIC, MSG, PSS, QUERY, REKEY3, REKEY_ASK, SERVER_AUTH, Broken,
    Direction, Ledger, Reader, Session, Wire, check, content, expand, extract, fingerprint, long, mac, sha256, short, signed_content,
)


def spki_of(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def greet(wire, host):
    """Hellos and SERVER_AUTH: transcript, hs_c and root."""
    hello = wire.read(74)
    check(hello[:10] == MAGIC + HELLO, "not a ClientHello")
    ephemeral = x25519.X25519PrivateKey.generate()
    answer = HELLO + os.urandom(32) + ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(x25519.X25519PublicKey.from_public_bytes(hello[42:]))
    prk = extract(b"latch/2 handshake", shared)
    transcript = hello + answer
    th1 = sha256(transcript)
    hs_c, hs_s, root = (expand(prk, label, th1) for label in (b"hs c2s", b"hs s2c", b"root"))

    spki = spki_of(host.public_key())
    transcript += bytes([SERVER_AUTH]) + long(spki)
    signature = host.sign(signed_content(b"server", sha256(transcript)), PSS, hashes.SHA256())
    transcript += long(signature)
    fin = mac(expand(hs_s, b"fin"), sha256(transcript))
    body = long(spki) + long(signature) + fin
    wire.write(answer + Direction(hs_s, 0).seal(SERVER_AUTH, body))
    return transcript + fin, hs_c, root


def holds(key, signature, content):
    try:
        key.verify(signature, content, PSS, hashes.SHA256())
        return True
    except InvalidSignature:
        return False


def welcome(wire, transcript, hs_c, root, args, key, password):
    """CLIENT_AUTH and the answer: an open session, or None after AUTH_FAIL."""
    kind, body = Direction(hs_c, 0).open(wire.record((1024,)))
    check(kind == CLIENT_AUTH, "a type that does not belong here")
    body = Reader(body)
    mode, user, kid = body.number(1), body.take(body.number(1)), body.take(32)
    signature, given, fin = body.long(), body.long(), body.take(32)
    body.end()
    check(mode == 1, "a mode that does not exist")

    transcript += bytes([CLIENT_AUTH, mode]) + short(user) + kid
    proven = holds(key, signature, signed_content(b"client", sha256(transcript)))
    transcript += long(signature)
    proven &= hmac.compare_digest(fin, mac(expand(hs_c, b"fin"), sha256(transcript)))
    transcript += fin
    known = user.decode() == args.user and kid == sha256(spki_of(key))

    th7 = sha256(transcript)
    labels = (b"ap c2s", b"ap s2c", b"rekey root", b"chain c2s", b"chain s2c")
    ap_c, ap_s, rekey_root, chain_c, chain_s = (expand(root, label, th7) for label in labels)
    sealer = Direction(ap_s, 1)
    if not (proven and known and hmac.compare_digest(given, password)):
        wire.write(sealer.seal(AUTH_FAIL, b""))
        return None
    wire.write(sealer.seal(AUTH_OK, args.last.to_bytes(8, "big")))
    sid = expand(root, b"session id", th7, 16)
    sent, received = Ledger(chain_s, 0), Ledger(chain_c, args.last)
    return Session(wire, sealer, Direction(ap_c, 1), rekey_root, sent, received, sid, args.holds)


def say(text):
    print(text, flush=True)


def serve(sock, args, host, key, password):
    wire = Wire(sock)
    session = welcome(wire, *greet(wire, host), args, key, password)
    if session is None:
        return say("refused")
    session.send("welcome".encode())

    def keep(ident, text, sid):
        args.last = ident
        args.holds[ident] = sid + content(text)
        say("message=%d %s" % (ident, text.decode()))

    def heard(ident, text):
        """Whether the message is to be acknowledged. What crosses our CLOSE is not."""
        if session.closed:
            return False
        if ident == args.conflict:
            args.conflict = None
            keep(ident, b"said by another client", bytes(15) + b"x")
            session.close(code=3)
            return False
        keep(ident, text, session.sid)
        if ident == args.vanish:
            args.vanish = None
            raise Broken("it was told to vanish")
        return True

    while True:
        kind = session.receive(heard)
        if kind == QUERY:
            say("asked")
        elif kind == MSG and args.ask and not session.closed and not session.is_changing_keys():
            session.say(REKEY_ASK)
        elif kind == REKEY3:
            say("epoch=%d" % session.epoch)
        elif kind in (CLOSE, CLOSE_ACK):
            return say("closed")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("--host-key", "--user", "--user-key", "--password-file"):
        parser.add_argument(name, required=True)
    parser.add_argument("--last", type=int, default=0)
    parser.add_argument("--vanish", type=int)
    parser.add_argument("--conflict", type=int)
    parser.add_argument("--ask", action="store_true")
    args = parser.parse_args()
    args.holds = {}
    with open(args.host_key, "rb") as f:
        host = serialization.load_pem_private_key(f.read(), password=None)
    with open(args.user_key, "rb") as f:
        key = serialization.load_pem_public_key(f.read())
    with open(args.password_file, "rb") as f:
        password = f.read().removesuffix(b"\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        say("port=%d" % listener.getsockname()[1])
        say("fingerprint=%s" % fingerprint(spki_of(host.public_key())))
        while True:
            sock, _ = listener.accept()
            with sock:
                sock.settimeout(20)
                try:
                    serve(sock, args, host, key, password)
                except (Broken, OSError) as why:
                    say("ended: %s" % why)


if __name__ == "__main__":
    main()
