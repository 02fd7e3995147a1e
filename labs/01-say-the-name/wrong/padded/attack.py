"""Logs in as somebody else, and says something in their name.

Usage: python3 attack.py HOST PORT USER PUBLIC_KEY_FILE WORDS
"""

import os
import socket
import sys

from aes import apply_keystream
from latch import read_public_key, receive_exactly


def make_login(user, n, e):
    """The bytes of a login for this user, from the public key (n, e) alone."""
    m = int.from_bytes(user.encode() + b"\0" + os.urandom(16), "big")
    c = pow(m, e, n)
    return c.to_bytes((c.bit_length() + 7) // 8, "big")


def say_words(server, words):
    """Reads the three replies of the server, and sends one encrypted message."""
    greeting = receive_exactly(server, 26)
    print(greeting.decode())
    key, iv = receive_exactly(server, 32), receive_exactly(server, 8)
    server.sendall(apply_keystream(key, iv, words.encode()))


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    host, port, user, public_key_file, words = sys.argv[1:]
    n, e = read_public_key(public_key_file)
    with socket.create_connection((host, int(port)), timeout=10) as server:
        server.sendall(make_login(user, n, e))
        say_words(server, words)


if __name__ == "__main__":
    main()
