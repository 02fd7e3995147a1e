"""Drives PyPI `mtp`: its automatic part, which looks for spaces, then the plaintexts as its first screen shows them."""

import sys

from cases import drive
from manytime.analysis import recover_key


def solve(ciphertexts):
    key = recover_key([bytearray(ciphertext) for ciphertext in ciphertexts])
    # As its screen does: an underscore where the key is unknown.
    shown = lambda k, c: ord("_") if k is None else k ^ c
    return [[shown(k, c) for k, c in zip(key, ciphertext)] for ciphertext in ciphertexts]


drive(solve, float(sys.argv[1]))
