"""Reads many messages that share one keystream, without a key and without a person.

Usage: python3 read.py CAPTURE
"""

import math
import sys
from collections import Counter

from capture import pieces

LETTERS = "abcdefghijklmnopqrstuvwxyz ,.'()"

# What a byte costs that is no letter of such a message.
NO_LETTER = -12.0


def best_key(column, score):
    """The keystream byte that leaves the likeliest letters in a column: the bytes at one place of all messages."""
    bytes_ = [byte for byte in column if byte is not None]
    return max(range(256), key=lambda key: sum(score(" ", chr(byte ^ key)) for byte in bytes_))


def best_keystream(columns, score):
    """The keystream, one byte for each column, so that in each message each letter fits the letter before it.

    A column is a list of bytes, one for each message; None where the message is over.
    """
    ranked = [candidates(column, score) for column in columns]
    paths = {key: (value, [key]) for value, key in ranked[0]}
    for place in range(1, len(columns)):
        paths = {key: longer(paths, key, columns, place, score) for _, key in ranked[place]}
    return max(paths.values())[1]


def candidates(column, score):
    """The 12 likeliest keys of a column, each with its value."""
    bytes_ = [byte for byte in column if byte is not None]
    values = [(sum(score(" ", chr(byte ^ key)) for byte in bytes_), key) for key in range(256)]
    return sorted(values, reverse=True)[:12]


def longer(paths, key, columns, place, score):
    """The best of the paths so far, with this key behind it."""

    def fits(before):
        pairs = zip(columns[place - 1], columns[place])
        return sum(score(chr(a ^ before), chr(b ^ key)) for a, b in pairs if b is not None)

    return max((value + fits(path[-1]), path + [key]) for value, path in paths.values())


# ------------------------------------------------------------------------------- from here on everything is complete


def load(path):
    """The ciphertexts of a capture: what the client sent, without its login."""
    _login, *messages = (data for sender, data in pieces(path) if sender == "client")
    return messages


def model(path):
    """How likely a letter is after another one, learnt from a page of text: a function that gives a logarithm."""
    with open(path) as file:
        text = " ".join(file.read().split())
    pairs, singles, total = Counter(zip(text, text[1:])), Counter(text), len(text)

    def score(before, letter):
        if letter not in LETTERS:
            return NO_LETTER
        single = (singles[letter] + 0.2) / (total + 0.2 * len(LETTERS))
        return math.log((pairs[before, letter] + 4 * single) / (singles[before] + 4))

    return score


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    ciphertexts, score = load(sys.argv[1]), model("english.txt")
    length = max(map(len, ciphertexts))
    columns = [[c[place] if place < len(c) else None for c in ciphertexts] for place in range(length)]
    keystream = best_keystream(columns, score)
    for ciphertext in ciphertexts:
        print("".join(chr(byte ^ key) if chr(byte ^ key) in LETTERS else "?" for byte, key in zip(ciphertext, keystream)))


if __name__ == "__main__":
    main()
