"""Reads messages that share a keystream, without the key.

Usage: python3 drag.py list CAPTURE
       python3 drag.py drag CAPTURE CRIB            tries a crib in every pair of messages, at every offset
       python3 drag.py open CAPTURE NUMBER TEXT     message NUMBER begins with TEXT: opens the others as far as it goes
"""

import sys
from itertools import combinations

from capture import pieces


def xor(a, b):
    """Byte for byte, as far as the shorter one goes."""
    return bytes(x ^ y for x, y in zip(a, b))


def drag(one, other, crib):
    """Slides the crib along two ciphertexts.

    A list of (offset, text): if one of the two messages has the crib at this offset, the other has the text there.
    """
    mixed = xor(one, other)
    offsets = range(len(mixed) - len(crib) + 1)
    return [(offset, xor(mixed[offset:], crib)) for offset in offsets]


def open_with(ciphertexts, number, text):
    """Opens every ciphertext, given that the one with this number begins with `text`: a list of bytes.

    Each is as long as what is known of the keystream, and no longer than its ciphertext.
    """
    keystream = xor(ciphertexts[number - 1], text)
    return [xor(ciphertext, keystream) for ciphertext in ciphertexts]


# ------------------------------------------------------------------------------- from here on everything is complete


def load(path):
    """The ciphertexts of a capture: what the client sent, without its login. The first has the number 1."""
    _login, *messages = (data for sender, data in pieces(path) if sender == "client")
    return messages


def plausible(text):
    """Whether these bytes could stand in such a message."""
    return all(chr(byte) in "abcdefghijklmnopqrstuvwxyz ,.'()" for byte in text)


def main():
    command, arguments = (sys.argv + [""])[1], sys.argv[2:]
    if command == "list" and len(arguments) == 1:
        for number, ciphertext in enumerate(load(arguments[0]), 1):
            print(f"{number}: {len(ciphertext):3} bytes  {ciphertext.hex()}")
    elif command == "drag" and len(arguments) == 2:
        crib = arguments[1].encode()
        for (i, one), (j, other) in combinations(enumerate(load(arguments[0]), 1), 2):
            for offset, text in drag(one, other, crib):
                if text:
                    print(f"{i}+{j} at {offset}: {text.decode('latin-1')}")
    elif command == "open" and len(arguments) == 3:
        ciphertexts = load(arguments[0])
        opened = open_with(ciphertexts, int(arguments[1]), arguments[2].encode())
        for number, (text, ciphertext) in enumerate(zip(opened, ciphertexts), 1):
            shown = "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in text)
            print(f"{number}: {shown.ljust(len(ciphertext), '_')}")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
