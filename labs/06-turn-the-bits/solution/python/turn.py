"""Changes encrypted messages on their way, without a key.

Usage: python3 turn.py flip CIPHERTEXT KNOWN WANTED     the message begins with KNOWN; let it begin with WANTED
       python3 turn.py forge CIPHERTEXT TEXT WORDS      TEXT has this CIPHERTEXT; give the ciphertext of WORDS

Ciphertexts are hex.
"""

import sys


def xor(a, b):
    """Byte for byte, as far as the shorter one goes."""
    return bytes(x ^ y for x, y in zip(a, b))


def flip(ciphertext, known, wanted):
    """The ciphertext of the same message, with `wanted` at its beginning in place of `known`."""
    changed = xor(xor(ciphertext, known), wanted)
    return changed + ciphertext[len(changed) :]


def forge(ciphertext, text, words):
    """The ciphertext of `words`, under the keystream under which `text` has this ciphertext."""
    keystream = xor(ciphertext, text)
    return xor(words, keystream)


def main():
    if len(sys.argv) != 5 or sys.argv[1] not in ("flip", "forge"):
        sys.exit(__doc__)
    change = flip if sys.argv[1] == "flip" else forge
    print(change(bytes.fromhex(sys.argv[2]), sys.argv[3].encode(), sys.argv[4].encode()).hex())


if __name__ == "__main__":
    main()
