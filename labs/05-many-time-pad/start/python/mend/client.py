"""A client of rung 1: python3 client.py --port N --dir D --user NAME

Sends each line of its input as a text. Exit code 0: all texts were sent.
"""

import argparse
import os
import pathlib
import socket
import sys

from frames import Broken, Channel, read_exactly
from keys import login_of, public_key

GREETING = b"Authentication Successful!"


def log_in(sock, folder, user):
    """Sends the login, and reads greeting, session key and IV."""
    login = login_of(os.fsencode(user), public_key(folder / f"client.keys/{user}.pub"))
    sock.sendall(len(login).to_bytes(2, "big") + login)
    if read_exactly(sock, 26) != GREETING:
        raise Broken("the server did not greet")
    key, iv = read_exactly(sock, 32), read_exactly(sock, 8)
    return Channel(sock, key, iv)


def talk(sock, folder, user, texts):
    """One session, from the login to its end."""
    channel = log_in(sock, folder, user)
    for text in [*texts, b"change()"]:
        channel.send(text)


def main():
    parser = argparse.ArgumentParser(description="Speak rung 1 of the ladder to a server on 127.0.0.1.")
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
