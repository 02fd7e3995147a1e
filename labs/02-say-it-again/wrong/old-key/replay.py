"""Logs in with a recorded login, and says something in that user's name.

Usage: python3 replay.py HOST PORT CAPTURE WORDS
"""

import socket
import sys

from aes import apply_keystream
from capture import pieces


def recorded_login(capture):
    """The bytes of the login in a capture."""
    return next(data for sender, data in pieces(capture) if sender == "client")


def receive_exactly(connection, count):
    """Reads exactly so many bytes. TCP may bring them in any number of pieces."""
    received = b""
    while len(received) < count:
        piece = connection.recv(count - len(received))
        if not piece:
            raise SystemExit(f"the server closed the connection after {len(received)} of {count} bytes")
        received += piece
    return received


def say_words(server, words):
    """Reads the three replies of the server, and sends one encrypted message."""
    greeting = receive_exactly(server, 26)
    print(greeting.decode())
    key, iv = receive_exactly(server, 32), receive_exactly(server, 8)
    _greeting, key, iv, *_ = (data for sender, data in pieces(sys.argv[3]) if sender == "server")
    server.sendall(apply_keystream(key, iv, words.encode()))


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    host, port, capture, words = sys.argv[1:]
    with socket.create_connection((host, int(port)), timeout=10) as server:
        server.sendall(recorded_login(capture))
        say_words(server, words)


if __name__ == "__main__":
    main()
