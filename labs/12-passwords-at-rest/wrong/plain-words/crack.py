"""Guesses passwords of a stolen store.

Usage: python3 crack.py STORE WORDS    prints the name and the password of each user whose password falls
"""

import hashlib
import sys
import time


def candidates(words):
    """All guesses: each word as it is and with a capital letter, alone and with each of the usual additions."""
    additions = [""]
    for word in words:
        for form in (word, word.capitalize()):
            for addition in additions:
                yield form + addition


def matches(password, salt, stored):
    """Whether this is the password behind a stored hash: SHA-256 over the salt and the password."""
    return hashlib.sha256(salt + password.encode()).digest() == stored


def crack(salt, stored, guesses):
    """The guess that is the password; None if none of them is."""
    for guess in guesses:
        if matches(guess, salt, stored):
            return guess
    return None


# ---------------------------------------------------------------------------------- from here on everything is complete


def read_store(path):
    """The users of a store: a list of (name, salt, stored hash), from lines NAME:sha256:SALT:HASH."""
    with open(path) as file:
        lines = [line.strip().split(":") for line in file]
    return [(name, bytes.fromhex(salt), bytes.fromhex(stored)) for name, _, salt, stored in lines]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[2]) as file:
        guesses = list(candidates(file.read().split()))
    store, began = read_store(sys.argv[1]), time.perf_counter()
    for name, salt, stored in store:
        password = crack(salt, stored, guesses)
        if password is not None:
            print(name, password)
    took = time.perf_counter() - began
    print(f"{len(guesses)} guesses for each of {len(store)} users took {took:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
