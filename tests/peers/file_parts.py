#!/usr/bin/env python3
"""Splits a file into parts, and joins parts again; written from the page "Files in messages" alone, without the code.

    file_parts.py split NAME <FILE     prints one part a line
    file_parts.py join DIR <LINES      writes each whole file into DIR as HASH-NAME

`join` reads one text a line, in the order in which a server stored them, and prints a line for each file: its hash, its name, and
how many of its parts are missing. Then it prints `other=N` and `bad=N`: texts that are no parts, and texts that begin like one
and are none. It shares no code with the Rust side.
"""

import base64
import hashlib
import os
import re
import sys

PART = 12_000
LONGEST = 16_777_216
MARK = "latchstring-file/"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
HASH = re.compile(r"[0-9a-f]{64}\Z")
NUMBER = re.compile(r"[1-9][0-9]*\Z")
BASE64 = re.compile(r"[A-Za-z0-9+/]+\Z")


def split(name, data):
    """The text of each part."""
    assert NAME.match(name) and 1 <= len(data) <= LONGEST
    sha256, count = hashlib.sha256(data).hexdigest(), -(-len(data) // PART)
    for number in range(1, count + 1):
        piece = base64.b64encode(data[(number - 1) * PART : number * PART]).decode().rstrip("=")
        yield f"{MARK}1 {sha256} {len(data)} {number}/{count} {name} {piece}"


def parse(text):
    """(hash, length, name), number, bytes; None if it breaks a rule."""
    fields = text.split(" ")
    if len(fields) != 6 or fields[0] != MARK + "1":
        return None
    _, sha256, length, place, name, piece = fields
    numbers = [length, *place.split("/")]
    if len(numbers) != 3 or not all(NUMBER.match(number) for number in numbers):
        return None
    length, number, count = map(int, numbers)
    if not (HASH.match(sha256) and NAME.match(name) and BASE64.match(piece)) or length > LONGEST:
        return None
    if count != -(-length // PART) or number > count or len(piece) % 4 == 1:
        return None
    data = base64.b64decode(piece + "=" * (-len(piece) % 4))
    canonical = base64.b64encode(data).decode().rstrip("=") == piece
    if not canonical or len(data) != min(PART, length - (number - 1) * PART):
        return None
    return (sha256, length, name), number, data


def join(folder, lines):
    """Writes whole files, and says what there is."""
    files, other, bad = {}, 0, 0
    for text in lines:
        if not text.startswith(MARK):
            other += 1
        elif (part := parse(text)) is None:
            bad += 1
        else:
            head, number, data = part
            files.setdefault(head, {}).setdefault(number, data)
    for (sha256, length, name), parts in sorted(files.items()):
        missing = -(-length // PART) - len(parts)
        print(sha256, name, missing)
        if missing == 0:
            data = b"".join(parts[number] for number in sorted(parts))
            assert hashlib.sha256(data).hexdigest() == sha256 and len(data) == length
            with open(os.path.join(folder, f"{sha256}-{name}"), "wb") as file:
                file.write(data)
    print(f"other={other}\nbad={bad}")


def main():
    command, argument = sys.argv[1:]
    if command == "split":
        for text in split(argument, sys.stdin.buffer.read()):
            print(text)
    else:
        join(argument, sys.stdin.read().split("\n")[:-1])


if __name__ == "__main__":
    main()
