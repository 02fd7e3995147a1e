"""A client of rung 5: python3 client.py --port N --dir D --user NAME

Sends each line of its input as a text. Exit code 0: all texts were acknowledged, and so was the close.
"""

import argparse
import os
import pathlib
import socket
import sys

import exchange
from frames import ACKNOWLEDGEMENT, CLOSE, CLOSED, LOGIN, TEXT, WELCOME, Broken, u32
from keys import login_of, public_key


def log_in(channel, folder, user):
    """Sends the login, and reads the answer to it."""
    channel.send(LOGIN, login_of(os.fsencode(user), public_key(folder / f"client.keys/{user}.pub")))
    _, kind, body = channel.receive()
    if (kind, body) != (WELCOME, b""):
        raise Broken("the login was refused")


def talk(sock, folder, user, texts):
    """One session, from the exchange to its end."""
    channel = exchange.as_client(sock, public_key(folder / "host.pub"))
    log_in(channel, folder, user)
    for text in texts:
        number = channel.send(TEXT, text)
        _, kind, body = channel.receive()
        if (kind, body) != (ACKNOWLEDGEMENT, u32(number)):
            raise Broken(f"text {number} was not acknowledged")
    channel.send(CLOSE, u32(len(texts)))
    _, kind, body = channel.receive()
    if (kind, body) != (CLOSED, b""):
        raise Broken("the close was not acknowledged")


def main():
    parser = argparse.ArgumentParser(description="Speak rung 5 of the ladder to a server on 127.0.0.1.")
    parser.add_argument("--port", type=int, required=True, help="the server's port")
    parser.add_argument("--dir", type=pathlib.Path, required=True, help="the folder with the key files")
    parser.add_argument("--user", required=True, help="who logs in")
    args = parser.parse_args()
    try:
        with socket.create_connection(("127.0.0.1", args.port), timeout=10) as sock:
            talk(sock, args.dir, args.user, sys.stdin.buffer.read().splitlines())
    except (Broken, OSError) as why:
        sys.exit(f"client.py: the session failed: {why}")


if __name__ == "__main__":
    main()
