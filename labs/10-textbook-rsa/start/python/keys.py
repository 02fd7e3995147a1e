"""Reads public key files (BEGIN PUBLIC KEY). Complete; standard library only."""

import base64
import os


def read_folder(folder):
    """The public keys of a folder: {name: (n, e)}, in the order of the names."""
    files = sorted(name for name in os.listdir(folder) if name.endswith(".pub"))
    return {name.removesuffix(".pub"): read_public_key(os.path.join(folder, name)) for name in files}


def read_public_key(path):
    """The modulus n and the exponent e of a public key file."""
    with open(path) as file:
        lines = [line for line in file.read().splitlines() if line and not line.startswith("-----")]
    # SEQUENCE { SEQUENCE { algorithm }, BIT STRING { SEQUENCE { INTEGER n, INTEGER e } } }
    _algorithm, bit_string = children(content(base64.b64decode("".join(lines))))
    n, e = children(content(bit_string[1:]))  # a bit string begins with the number of unused bits: 0
    return int.from_bytes(n, "big"), int.from_bytes(e, "big")


def children(data):
    """The contents of the DER elements that stand one after the other in `data`."""
    found = []
    while data:
        inside, data = split(data)
        found.append(inside)
    return found


def content(data):
    """The content of the one DER element at the beginning of `data`."""
    return split(data)[0]


def split(data):
    """The content of the first DER element, and what follows it."""
    length, begin = data[1], 2
    if length & 0x80:  # a long length: so many bytes of it follow
        begin += length & 0x7F
        length = int.from_bytes(data[2:begin], "big")
    return data[begin : begin + length], data[begin + length :]
