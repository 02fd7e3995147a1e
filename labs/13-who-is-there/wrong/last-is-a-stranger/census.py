"""Finds out which people of a directory have an account at a server.

Usage: python3 census.py reply HOST PORT DIRECTORY      one name a line
       python3 census.py time HOST PORT DIRECTORY       place in the list and name, one a line
"""

import os
import socket
import sys
import time

from latch import read_public_key

KEY_TIME = 0.15  # how long the mended server works with one private key, in seconds


def make_login(user, n, e):
    """The bytes of a login for this user (lab 01)."""
    c = pow(int.from_bytes(user.encode(), "big"), e, n)
    return c.to_bytes((c.bit_length() + 7) // 8, "big")


def connect(address):
    """A new connection to the server."""
    return socket.create_connection(address, timeout=10)


def by_reply(address, people):
    """Prints who has an account, by the answers of the old server."""
    for name, n, e in people:
        with connect(address) as server:
            server.sendall(make_login(name, n, e))
            if server.recv(1):
                print(name)


def answer_time(address, login):
    """The smallest of three times until the server answers this login: delays only ever add."""
    times = []
    for _ in range(3):
        with connect(address) as server:
            begin = time.perf_counter()
            server.sendall(login)
            server.recv(1)
            times.append(time.perf_counter() - begin)
    return min(times)


def by_time(address, people):
    """Prints who has an account, and in which place of the list, by the time of the answers."""
    _, n, e = people[0]
    for name, n, e in people:
        seconds = answer_time(address, make_login(name, n, e))
        if seconds < 1.5 * KEY_TIME:
            print(round(seconds / KEY_TIME), name)


def read_directory(folder):
    """The people of a directory: a list of (name, n, e)."""
    files = sorted(name for name in os.listdir(folder) if name.endswith(".pub"))
    return [(name[: -len(".pub")], *read_public_key(os.path.join(folder, name))) for name in files]


def main():
    if len(sys.argv) != 5 or sys.argv[1] not in ("reply", "time"):
        sys.exit(__doc__)
    _, way, host, port, folder = sys.argv
    find = by_reply if way == "reply" else by_time
    find((host, int(port)), read_directory(folder))


if __name__ == "__main__":
    main()
