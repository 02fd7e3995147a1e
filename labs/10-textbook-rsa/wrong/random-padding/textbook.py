"""Breaks textbook RSA without breaking RSA.

Usage: python3 textbook.py dictionary CAPTURE FOLDER    who logged in? FOLDER has the public keys of all users
       python3 textbook.py factor FOLDER                which of these public keys give their primes away?
"""

import secrets
import sys
from math import gcd, isqrt

from capture import pieces
from keys import read_folder

STEPS = 100  # of Fermat's method: primes that are neighbours need fewer


def login_of(name, n, e):
    """The login that this user's client sends: the name, encrypted with the user's public key."""
    padding = bytes(secrets.randbelow(255) + 1 for _ in range(125 - len(name)))
    c = pow(int.from_bytes(b"\x02" + padding + b"\x00" + name.encode(), "big"), e, n)
    return c.to_bytes((c.bit_length() + 7) // 8, "big")


def who_logged_in(login, keys):
    """The name of the user who sent this login; None if it is none of them. `keys` is {name: (n, e)}."""
    for name, (n, e) in keys.items():
        if login_of(name, n, e) == login:
            return name
    return None


def shared_prime(n, others):
    """A prime that n shares with one of the other moduli; None if it shares none."""
    for other in others:
        prime = gcd(n, other)
        if 1 < prime < n:
            return prime
    return None


def close_prime(n):
    """A prime of n, if its two primes are close to each other; None if they are not."""
    a = isqrt(n - 1) + 1
    for _ in range(STEPS):
        b = isqrt(a * a - n)
        if b * b == a * a - n:
            return a - b
        a += 1
    return None


# ---------------------------------------------------------------------------------- from here on everything is complete


def factor(keys):
    """The smaller prime of each key that has a fault: {name: prime}."""
    found = {}
    for name, (n, _) in keys.items():
        others = [other for other, _ in keys.values() if other != n]
        prime = shared_prime(n, others) or close_prime(n)
        if prime:
            found[name] = min(prime, n // prime)
    return found


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "dictionary":
        login = next(data for sender, data in pieces(sys.argv[2]) if sender == "client")
        print(who_logged_in(login, read_folder(sys.argv[3])) or "nobody of this folder")
    elif len(sys.argv) == 3 and sys.argv[1] == "factor":
        for name, prime in factor(read_folder(sys.argv[2])).items():
            print(name, f"{prime % 2**64:016x}")  # its last 16 hex digits
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
