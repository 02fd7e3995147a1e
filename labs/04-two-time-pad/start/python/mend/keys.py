"""The key files of rungs 0 to 4, and the login with textbook RSA. Standard library only."""

import base64


def login_of(name, public_key):
    """The login of a user: the name, encrypted with the user's public key and without padding."""
    n, e = public_key
    c = pow(int.from_bytes(name, "big"), e, n)
    return c.to_bytes((c.bit_length() + 7) // 8, "big")


class Users:
    """The users of a server: their names, and (the report's idea) their private keys."""

    def __init__(self, folder):
        names = (folder / "server.keys/clients").read_text("utf-8").splitlines()
        self.keys = {name: private_key(folder / "client.keys" / name) for name in names}

    def find(self, login):
        """The first user whose key decrypts the login to the user's own name; None if there is none."""
        c = int.from_bytes(login, "big")
        for name, (n, d) in self.keys.items():
            if c < n and pow(c, d, n) == int.from_bytes(name.encode(), "big"):
                return name
        return None


def private_key(path):
    """Modulus and private exponent of a PKCS#1 file: a sequence of version, n, e, d and more."""
    _version, n, _e, d, *_more = integers(der(path))
    return n, d


def public_key(path):
    """Modulus and public exponent of an SPKI file: the algorithm, and a bit string that holds n and e."""
    _, inside, _ = first_value(der(path))
    _, _algorithm, rest = first_value(inside)
    _, bits, _ = first_value(rest)
    n, e = integers(bits[1:])  # the first byte says how many bits are unused: none
    return n, e


def der(path):
    """The bytes of a PEM file: base64 between two lines of dashes."""
    lines = path.read_text("ascii").splitlines()
    return base64.b64decode("".join(line for line in lines if not line.startswith("-")))


def first_value(data):
    """Cuts the first DER value off: its tag, its content, and what follows."""
    length, at = data[1], 2
    if length >= 0x80:  # the low bits say how many bytes hold the length
        at += length & 0x7F
        length = int.from_bytes(data[2:at], "big")
    return data[0], data[at : at + length], data[at + length :]


def integers(data):
    """The integers of a DER sequence."""
    _, rest, _ = first_value(data)
    found = []
    while rest:
        _, content, rest = first_value(rest)
        found.append(int.from_bytes(content, "big"))
    return found
