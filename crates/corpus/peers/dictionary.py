"""Drives PyPI `otp-dict-breaker` as `otp-dict-breaker -p DIR` does: all defaults, its own list of 10,000 words.

It stops where the shortest message ends and tells its user to go on from there. So it is called again for what the longer
messages have left, as long as there are two of them.
"""

import sys

from cases import drive
from otp_dict_breaker import OTPDictBreaker


def solve(ciphertexts):
    plaintexts = [b""] * len(ciphertexts)
    done = 0
    while True:
        left = [i for i, ciphertext in enumerate(ciphertexts) if len(ciphertext) > done]
        if len(left) < 2:
            return plaintexts
        breaker = OTPDictBreaker(None, [ciphertexts[i][done:].hex() for i in left])
        breaker.try_decipher(print_results=False)
        for i, text in zip(left, breaker.maybe_plaintexts):
            plaintexts[i] += text.encode("latin-1", "replace")
        done = min(len(ciphertexts[i]) for i in left)


drive(solve, float(sys.argv[1]))
