"""Breaks textbook RSA without breaking RSA.

Usage: python3 textbook.py dictionary CAPTURE FOLDER    who logged in? FOLDER has the public keys of all users
       python3 textbook.py factor FOLDER                which of these public keys give their primes away?
"""

import sys
from math import gcd, isqrt

from capture import pieces
from keys import read_folder

STEPS = 100  # of Fermat's method: primes that are neighbours need fewer


def login_of(name, n, e):
    """The login that this user's client sends: the name, encrypted with the user's public key."""
    # Your part: as in lab 01. Name and login are big-endian numbers, and the login has no leading zeros.
    return b""


def who_logged_in(login, keys):
    """The name of the user who sent this login; None if it is none of them. `keys` is {name: (n, e)}."""
    # Your part.
    return None


def shared_prime(n, others):
    """A prime that n shares with one of the other moduli; None if it shares none."""
    # Your part. gcd(a, b) is the greatest common divisor, and it is fast.
    return None


def close_prime(n):
    """A prime of n, if its two primes are close to each other; None if they are not."""
    # Your part. n = a*a - b*b = (a - b) * (a + b): if the primes are close, a is near the root of n. isqrt(x) is the root
    # of x, rounded down. Try STEPS values of a, from the smallest with a*a >= n.
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
