"""Cycles through the keys of a server that seeds its generator with the time.

Usage: python3 cycle.py seed CAPTURE FROM TO           the seed, from the first session of the server
       python3 cycle.py read CAPTURE FROM TO ANOTHER   the messages of its second session, ANOTHER

The server was started in one of the seconds from FROM to TO, counted since 1970.
"""

import random
import sys
import time

from aes import apply_keystream
from capture import pieces


def keys_of(seed, sessions):
    """The keys and IVs of the first sessions of a server with this seed: a list of (key, iv).

    The server calls random.seed(seed) once, and then for each session randbytes(32) and randbytes(8)."""
    generator = random.Random(seed)
    return [(generator.getrandbits(256).to_bytes(32, "big"), generator.getrandbits(64).to_bytes(8, "big")) for _ in range(sessions)]


def find_seed(key, first, last):
    """The seed from first to last that gives this key to the first session; None if there is none."""
    for seed in range(first, last + 1):
        if keys_of(seed, 1)[0][0] == key:
            return seed
    return None


def read_second(seed, ciphertexts):
    """The messages of the server's second session. `ciphertexts` are a list of bytes, one for each message."""
    key, iv = keys_of(seed, 2)[1]
    return [apply_keystream(key, iv, ciphertext).decode() for ciphertext in ciphertexts]


# ---------------------------------------------------------------------------------- from here on everything is complete


def search(capture, first, last):
    """The seed, from a capture of the first session. Says on the way how fast the search was."""
    _greeting, key, _iv = (data for sender, data in pieces(capture) if sender == "server")
    began = time.perf_counter()
    seed = find_seed(key, first, last)
    took = time.perf_counter() - began
    if seed is None:
        sys.exit("no seed gives the key of this session")
    tried = seed - first + 1
    print(f"tried {tried} seeds in {took:.2f} s: {tried / took:.0f} a second", file=sys.stderr)
    return seed


def main():
    if len(sys.argv) not in (5, 6) or len(sys.argv) != {"seed": 5, "read": 6}.get(sys.argv[1]):
        sys.exit(__doc__)
    seed = search(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    if sys.argv[1] == "seed":
        print(seed)
        return
    _login, *ciphertexts = (data for sender, data in pieces(sys.argv[5]) if sender == "client")
    for message in read_second(seed, ciphertexts):
        print(message)


if __name__ == "__main__":
    main()
