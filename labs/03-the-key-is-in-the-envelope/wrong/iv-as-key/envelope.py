"""Reads old recordings.

Usage: python3 envelope.py read CAPTURE             a session of the old program: prints its messages
       python3 envelope.py later CAPTURE KEYFILE    a session of the new one, and a stolen key: prints what it opens
"""

import sys

from aes import apply_keystream
from capture import pieces
from latch2 import messages, unpad

SHARE_AT = 42  # in the client's hello: behind the magic (8), the version (2) and the random (32)


def read_old(sent):
    """The messages of a session of the old program. `sent` is a list of (sender, bytes), in order."""
    _login, *ciphertexts = (data for sender, data in sent if sender == "client")
    _greeting, iv, key = (data for sender, data in sent if sender == "server")
    return ["".join(chr(33 + byte % 90) for byte in apply_keystream((key + iv)[:32], key, data)) for data in ciphertexts]


def secret_in(hello, n, d):
    """The secret that the client put into its hello for the owner of this RSA key; None if there is none."""
    value = hello[SHARE_AT:]
    size = (n.bit_length() + 7) // 8
    if len(value) != size:
        return None
    block = pow(int.from_bytes(value, "big"), d, n)
    return unpad(block.to_bytes(size, "big"))


def read_later(sent, n, d):
    """The messages of a session of the new program, as far as the stolen key opens them."""
    hello = next(data for sender, data in sent if sender == "client")
    secret = secret_in(hello, n, d)
    if secret is None:
        return ["this key opens nothing here"]
    return messages(sent, secret)


def read_key(path):
    """The modulus n and the private exponent d of a key file."""
    with open(path) as file:
        lines = [line.partition(" = ") for line in file if not line.startswith("#")]
    numbers = {name: int(digits, 16) for name, _, digits in lines}
    return numbers["n"], numbers["d"]


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "read":
        read = read_old(pieces(sys.argv[2]))
    elif len(sys.argv) == 4 and sys.argv[1] == "later":
        read = read_later(pieces(sys.argv[2]), *read_key(sys.argv[3]))
    else:
        sys.exit(__doc__)
    for message in read:
        print(message)


if __name__ == "__main__":
    main()
