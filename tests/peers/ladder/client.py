"""A client of rungs 0 to 8, from the pages in docs/src/ladder alone: client.py --rung R --port N --dir D --user NAME.

Each line of the standard input is a text. Exit code 0: all texts were sent and answered, and the session ended as it should.
"""

import argparse
import pathlib
import socket
import struct
import sys
import time

from cryptography.hazmat.primitives.asymmetric import x25519
from wire import (
    ACK, CLOSE, CLOSED, GREETING, LOGIN, TEXT, WELCOME, Broken, Line, agree, hello, keys_exchanged, keys_in_clear,
    load_private, load_public, long, receive, send, sha256, short, sign, spki_of, textbook_login, verify,
)


def log_in_clear(rung, line, keys, user):
    login = textbook_login(user, load_public(keys / f"client.keys/{user}.pub"))
    line.write(login if rung == 0 else long(login))
    replies = line.read(66)
    if replies[:26] != GREETING:
        raise Broken("greeting")
    return keys_in_clear(rung, replies[26:58], replies[58:])


def log_in_channel(rung, line, keys, user):
    secret = x25519.X25519PrivateKey.generate()
    ours = hello(rung, secret)
    line.write(ours)
    theirs = line.read(71)
    z = agree(rung, secret, theirs)
    proof = line.read(810)
    spki, signature = proof[2:424], proof[426:]
    if proof[:2] != struct.pack(">H", 422) or proof[424:426] != struct.pack(">H", 384):
        raise Broken("proof")
    if sha256(spki) != sha256(spki_of(load_public(keys / "host.pub"))):
        raise Broken("the host's key is not the pinned one")
    transcript = ours + theirs
    verify(spki, b"ladder host signature", sha256(transcript + long(spki)), signature)
    transcript += proof
    c2s, s2c = keys_exchanged(z, sha256(transcript))
    send(rung, line, c2s, bytes([LOGIN]) + login_of(rung, keys, user, transcript))
    _, verdict = receive(rung, line, s2c, allowed=[100])
    if verdict != bytes([WELCOME]):
        raise Broken("the login was refused")
    return c2s, s2c


def login_of(rung, keys, user, transcript):
    if rung == 5:
        return textbook_login(user, load_public(keys / f"client.keys/{user}.pub"))
    head = short(user.encode())
    th3 = sha256(transcript + bytes([LOGIN]) + head)
    login = head + long(sign(load_private(keys / f"client.keys/{user}"), b"ladder user signature", th3))
    if rung >= 7:
        login += short((keys / f"client.keys/{user}.password").read_text().rstrip("\r\n").encode())
    return login


def say(rung, line, c2s, s2c, text):
    number = send(rung, line, c2s, bytes([TEXT]) + text if rung >= 4 else text)
    if rung == 0:
        # One read of the server is one message.
        time.sleep(0.02)
    if rung >= 2:
        answers = {2: b"ok", 3: b"ok" + struct.pack(">I", number)}
        expected = answers.get(rung, bytes([ACK]) + struct.pack(">I", number))
        if receive(rung, line, s2c)[1] != expected:
            raise Broken("answer")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rung", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dir", type=pathlib.Path, required=True)
    parser.add_argument("--user", default="alice")
    args = parser.parse_args()
    rung = args.rung
    line = Line(socket.create_connection(("127.0.0.1", args.port), timeout=10))
    log_in = log_in_clear if rung <= 4 else log_in_channel
    c2s, s2c = log_in(rung, line, args.dir, args.user)
    texts = [text.rstrip("\n").encode() for text in sys.stdin]
    for text in texts:
        say(rung, line, c2s, s2c, text)
    if rung <= 3:
        send(rung, line, c2s, b"change()")
        return
    send(rung, line, c2s, bytes([CLOSE]) + struct.pack(">I", len(texts)))
    if receive(rung, line, s2c)[1] != bytes([CLOSED]):
        raise Broken("close")


if __name__ == "__main__":
    try:
        main()
    except (Broken, EOFError, OSError) as error:
        sys.exit(f"client.py: the session failed: {error!r}")
