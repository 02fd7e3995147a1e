"""Reads the messages with the phrasebook, and fills in answers.toml."""

import re
from itertools import product

from drag import load, open_with

SHAPES = [
    r"hello [a-z]+, this is [a-z]+, and i write from the office of the harbour master tonight",
    r"please bring the [a-z ]+ to the [a-z ]+ before [a-z]+",
    r"the word for the guard at the gate is [a-z]+",
    r"[a-z]+ at the [a-z ]+, and come alone",
    r"change\(\)",
]


def names(heading):
    with open("phrasebook.txt") as file:
        return next(line.split()[1:] for line in file if line.startswith(heading + " "))


def read(ciphertexts):
    """The first message is the longest, and its wording is known but for two names: try them all."""
    for friend, name in product(names("FRIEND"), names("NAME")):
        crib = f"hello {friend}, this is {name}, and i write from the office of the harbour master tonight".encode()
        opened = [text.decode("latin-1") for text in open_with(ciphertexts, 1, crib)]
        if len(crib) == len(ciphertexts[0]) and all(map(re.fullmatch, SHAPES, opened)):
            return opened
    raise SystemExit("no two names of the phrasebook make the other messages readable")


def main():
    messages = read(load("chat.pcap"))
    with open("answers.toml") as file:
        sheet = file.read()
    answers = {"keystreams": "a"} | {f"message-{number}": messages[number - 1] for number in (2, 3, 4)}
    for question, value in answers.items():
        sheet = re.sub(rf'^{question} = ".*"$', f'{question} = "{value}"', sheet, flags=re.MULTILINE)
    with open("answers.toml", "w") as file:
        file.write(sheet)


if __name__ == "__main__":
    main()
