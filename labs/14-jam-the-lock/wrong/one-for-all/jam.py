"""Keeps a server from its users. Each way holds on until the program is stopped.

Usage: python3 jam.py hold|queue|work HOST PORT
"""

import socket
import sys
import time

FOR_EVER = 60  # seconds: longer than anybody waits here


def connect(address):
    """A new connection to the server."""
    return socket.create_connection(address)


def hold(address):
    """Against the old server: 1 connection, no byte."""
    with connect(address):
        time.sleep(FOR_EVER)


def queue(address):
    """Against a deadline of 500 ms: 8 connections, no byte."""
    hold(address)


def work(address):
    """Against a small machine: 4 connections, 512 bytes."""
    connections = [connect(address) for _ in range(4)]
    for connection in connections:
        connection.sendall(b"\x01" * 100)  # a number that is nobody's login
    time.sleep(FOR_EVER)


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in WAYS:
        sys.exit(__doc__)
    _, way, host, port = sys.argv
    WAYS[way]((host, int(port)))


WAYS = {"hold": hold, "queue": queue, "work": work}

if __name__ == "__main__":
    main()
