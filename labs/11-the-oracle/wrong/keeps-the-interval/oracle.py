"""Opens an RSA envelope (PKCS#1 v1.5) with the help of a server that says whether a padding is right.

Usage: python3 oracle.py ENVELOPE HOST PORT
"""

import socket
import sys

BLOCK = 64  # bytes
B = 2 ** (8 * (BLOCK - 2))  # a block that begins with 00 02 is a number from 2B to 3B - 1


class Oracle:
    """A server with the private key, and the envelope (n, e, c) that it could open."""

    def __init__(self, server, n, e, c):
        self.server, self.n, self.e, self.c = server, n, e, c
        self.questions = 0

    def conforms(self, s):
        """Whether m * s mod n begins with 00 02, where m is the plaintext of c."""
        return self.ask(self.c * pow(s, self.e, self.n) % self.n)

    def ask(self, number):
        """Whether the server says 1 to this number."""
        self.questions += 1
        self.server.sendall(number.to_bytes(BLOCK, "big"))
        answer = self.server.recv(1)
        if not answer:
            sys.exit("the server closed the connection")
        return answer == b"\x01"


def ceil_div(x, y):
    """x / y, rounded up."""
    return -(-x // y)


def first_s(n):
    """Below this number m * s is smaller than n, and tells nothing."""
    return ceil_div(n, 3 * B)


def narrow(intervals, s, n):
    """The parts of the intervals in which m can be, now that m * s mod n begins with 00 02."""
    left = set()
    for a, b in intervals:
        for r in range(ceil_div(a * s - 3 * B + 1, n), (b * s - 2 * B) // n + 1):
            low = max(a, ceil_div(3 * B - 1 + r * n, s))
            high = min(b, (3 * B - 1 + r * n) // s)
            if low <= high:
                left.add((low, high))
    return sorted(left)


def next_in_one(oracle, a, b, s):
    """The next s that conforms, when m is known to be between a and b: each one cuts the interval by half or more."""
    n = oracle.n
    r = ceil_div(2 * (b * s - 2 * B), n)
    while True:
        for s in range(ceil_div(2 * B + r * n, b), (3 * B - 1 + r * n) // a + 1):
            if oracle.conforms(s):
                return s
        r += 1


def next_of_all(oracle, s):
    """The next s that conforms, without more knowledge."""
    while not oracle.conforms(s):
        s += 1
    return s


def open_envelope(oracle):
    """The plaintext of the envelope, as a number."""
    if not oracle.conforms(1):
        sys.exit("the server says 0 for s = 1, although the envelope is right: look at conforms")
    s = next_of_all(oracle, first_s(oracle.n))
    intervals = narrow([(2 * B, 3 * B - 1)], s, oracle.n)
    while intervals:
        (a, b), *others = intervals
        if not others and a == b:
            return a
        s = next_of_all(oracle, s + 1) if others else next_in_one(oracle, a, b, s)
        intervals = narrow(intervals, s, oracle.n)
        if oracle.questions % 100 == 0:
            print(f"{oracle.questions} questions, {(b - a).bit_length()} bits to go", file=sys.stderr)
    sys.exit("no number fits all answers: look at conforms and narrow")


def unpad(block):
    """What stands behind the padding: 00 02, random bytes without 00, 00, secret."""
    return block[block.index(b"\x00", 2) + 1 :]


def read_envelope(path):
    """n, e and c of an envelope."""
    with open(path) as file:
        values = dict(line.strip().split(" = ") for line in file)
    return int(values["n"], 16), int(values["e"]), int(values["c"], 16)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    _, path, host, port = sys.argv
    with socket.create_connection((host, int(port)), timeout=10) as server:
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        m = open_envelope(Oracle(server, *read_envelope(path)))
    print(unpad(m.to_bytes(BLOCK, "big")).decode())


if __name__ == "__main__":
    main()
