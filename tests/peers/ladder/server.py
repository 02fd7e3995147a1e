"""A server of rungs 0 to 8, from the pages in docs/src/ladder alone: server.py --rung R --port N --dir D.

Prints a line for each text that it takes, and a line with the port when it listens.
"""

import argparse
import collections
import os
import pathlib
import socket
import struct
import threading
import time

from cryptography.hazmat.primitives.asymmetric import x25519
from wire import (
    ACK, CLOSE, CLOSED, GREETING, LOGIN, REFUSED, TEXT, WELCOME, Broken, Line, agree, hello, keys_exchanged,
    keys_in_clear, load_private, load_public, long, opens_to, receive, send, sha256, short, sign, spki_of, verify,
)


class Refused(Exception):
    """Why a login is not good: the byte of rungs 6 and 7."""


class Server:
    def __init__(self, rung, keys):
        self.rung, self.keys = rung, keys
        self.names = (keys / "server.keys/clients").read_text().splitlines()
        self.host = load_private(keys / "host.key") if rung >= 5 else None
        self.lock = threading.Lock()
        self.wrong = collections.Counter()
        self.strangers = collections.Counter()

    # --- Who is it? ---

    def by_trial(self, login):
        for name in self.names if 1 <= len(login) <= 128 else []:
            if opens_to(login, load_private(self.keys / f"client.keys/{name}"), name):
                return name
        raise Refused(1)

    def by_proof(self, body, transcript):
        try:
            n = body[0]
            name, rest = body[1 : 1 + n].decode(), body[1 + n :]
            size = struct.unpack(">H", rest[:2])[0]
            signature, rest = rest[2 : 2 + size], rest[2 + size :]
            password = b""
            if self.rung >= 7:
                password, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
            if rest or len(signature) != size:
                raise ValueError
        except (IndexError, ValueError, struct.error):
            raise Refused(0) from None
        if name not in self.names:
            raise Refused(1)
        th3 = sha256(transcript + bytes([LOGIN]) + short(name.encode()))
        spki = spki_of(load_public(self.keys / f"server.keys/{name}.pub"))
        try:
            verify(spki, b"ladder user signature", th3, signature)
        except Broken:
            raise Refused(2) from None
        if self.rung >= 7:
            self.check_password(name, password)
        return name

    def check_password(self, name, password):
        from argon2 import PasswordHasher
        from argon2.exceptions import VerifyMismatchError

        phc = (self.keys / f"server.keys/{name}.phc").read_text().strip()
        with self.lock:
            if self.rung >= 8 and self.wrong[name] >= 10:
                raise Refused(4)
            try:
                PasswordHasher().verify(phc, password)
                self.wrong[name] = 0
            except VerifyMismatchError:
                self.wrong[name] += 1
                raise Refused(3) from None

    # --- A connection ---

    def log_in_clear(self, line):
        if self.rung == 0:
            login = line.read_some()
        else:
            n = struct.unpack(">H", line.read(2))[0]
            if not 1 <= n <= 128:
                raise Broken("login")
            login = line.read(n)
        name = self.by_trial(login)
        key, iv = os.urandom(32), os.urandom(8)
        for reply in (GREETING, key, iv):
            line.write(reply)
            if self.rung == 0:
                time.sleep(0.02)
        return name, keys_in_clear(self.rung, key, iv)

    def log_in_channel(self, line):
        theirs = line.read(71)
        secret = x25519.X25519PrivateKey.generate()
        z = agree(self.rung, secret, theirs)
        ours = hello(self.rung, secret)
        spki = spki_of(self.host.public_key())
        signed = theirs + ours + long(spki)
        proof = long(spki) + long(sign(self.host, b"ladder host signature", sha256(signed)))
        line.write(ours + proof)
        transcript = theirs + ours + proof
        c2s, s2c = keys_exchanged(z, sha256(transcript))
        _, content = receive(self.rung, line, c2s, allowed=[1060])
        arrived = time.monotonic()
        if content[:1] != bytes([LOGIN]):
            raise Broken("a login is due")
        try:
            name = self.by_trial(content[1:]) if self.rung == 5 else self.by_proof(content[1:], transcript)
        except Refused as refused:
            if self.rung >= 8:
                time.sleep(max(0, arrived + 1 - time.monotonic()))
            reason = bytes(refused.args) if self.rung in (6, 7) else b""
            send(self.rung, line, s2c, bytes([REFUSED]) + reason)
            raise
        send(self.rung, line, s2c, bytes([WELCOME]))
        return name, (c2s, s2c)

    def attend(self, sock, source):
        line = Line(sock)
        if self.rung >= 8:
            # The whole login within ten seconds, however its bytes come.
            timer = threading.Timer(10, lambda: sock.shutdown(socket.SHUT_RDWR))
            timer.start()
        try:
            log_in = self.log_in_clear if self.rung <= 4 else self.log_in_channel
            name, keys = log_in(line)
        finally:
            with self.lock:
                self.strangers[source] -= 1
            if self.rung >= 8:
                timer.cancel()
        self.talk(line, name, *keys)

    def talk(self, line, name, c2s, s2c):
        texts = 0
        while True:
            number, content = receive(self.rung, line, c2s, seconds=5 if self.rung >= 8 else None)
            if self.rung >= 4:
                if content[:1] == bytes([CLOSE]) and content[1:] == struct.pack(">I", texts):
                    return send(self.rung, line, s2c, bytes([CLOSED]))
                if content[:1] != bytes([TEXT]):
                    raise Broken("type")
                content = content[1:]
            if not content:
                raise Broken("an empty text")
            texts += 1
            if self.rung >= 2:
                answers = {2: b"ok", 3: b"ok" + struct.pack(">I", number)}
                answer = answers.get(self.rung, bytes([ACK]) + struct.pack(">I", number))
                send(self.rung, line, s2c, answer)
            if self.rung <= 3 and content in (b"change()", b"quit()"):
                if content == b"quit()":
                    os._exit(0)
                return
            print(f"{name}: {content.decode(errors='replace')}", flush=True)

    def one(self, sock, source):
        try:
            self.attend(sock, source)
        except (Broken, Refused, EOFError, OSError):
            pass
        finally:
            sock.close()

    def run(self, port):
        listener = socket.create_server(("127.0.0.1", port), backlog=128)
        print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
        while True:
            sock, (source, _) = listener.accept()
            with self.lock:
                if self.rung >= 8 and self.strangers[source] >= 8:
                    sock.close()
                    continue
                self.strangers[source] += 1
            if self.rung == 0:
                self.one(sock, source)
            else:
                threading.Thread(target=self.one, args=(sock, source), daemon=True).start()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rung", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dir", type=pathlib.Path, required=True)
    args = parser.parse_args()
    Server(args.rung, args.dir).run(args.port)
