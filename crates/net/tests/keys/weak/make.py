#!/usr/bin/env python3
"""Makes the keys of this directory: each is weak in one way, and in no other. The same keys at every run.

Only public halves are written. Needs nothing but Python."""

import base64
import random
from math import isqrt
from pathlib import Path

rng = random.Random(2017)
E = 65537


def is_prime(n):
    """Miller-Rabin with forty random bases."""
    if any(n % p == 0 for p in SMALL):
        return n in SMALL
    d, twos = n - 1, 0
    while d % 2 == 0:
        d, twos = d // 2, twos + 1
    for _ in range(40):
        x = pow(rng.randrange(2, n - 1), d, n)
        if x in (1, n - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def primes(count):
    found = []
    n = 2
    while len(found) < count:
        if all(n % p for p in found):
            found.append(n)
        n += 1
    return found


SMALL = primes(126)  # 2 to 701: what CVE-2017-15361 multiplies for keys of this size


def prime(bits, fits=lambda p: True):
    """Its two top bits are set, so that the product of two has all its bits."""
    while True:
        p = rng.getrandbits(bits) | 0b11 << (bits - 2) | 1
        if p % E != 1 and fits(p) and is_prime(p):
            return p


def next_prime(p):
    p += 2
    while not is_prime(p):
        p += 2
    return p


def roca_prime(bits):
    """k * M + (65537^a mod M), with M the product of the small primes."""
    m = 1
    for p in SMALL:
        m *= p
    while True:
        p = pow(E, rng.randrange(m), m)
        p += m * (rng.getrandbits(bits) >> m.bit_length() - 1)
        p += m * ((3 << (bits - 2)) // m + 1)
        if p.bit_length() == bits and p >> (bits - 2) == 3 and is_prime(p):
            return p


def der(tag, body):
    n = len(body)
    size = n.to_bytes((n.bit_length() + 7) // 8, "big")
    length = bytes([n]) if n < 128 else bytes([0x80 | len(size)]) + size
    return bytes([tag]) + length + body


def integer(n):
    return der(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def write(name, n, e=E):
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    spki = der(0x30, algorithm + der(3, b"\0" + der(0x30, integer(n) + integer(e))))
    text = base64.b64encode(spki).decode()
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    pem = "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""])
    (Path(__file__).parent / f"{name}.pub.pem").write_text(pem)
    print(f"{name}: {n.bit_length()} bits")


def main():
    p = prime(1536)
    write("close-primes", p * next_prime(p))
    # Fermat's method needs (p - q)^2 / (8 sqrt(n)) steps, and sqrt(n) is near p: some 40.
    write("near-primes", p * next_prime(p + 2 * (isqrt(8 * 40 * p) // 2)))
    small = 65521  # the largest prime below 2^16
    big = prime(3072 - 16)
    assert (small * big).bit_length() == 3072
    write("small-factor", small * big)
    write("roca", roca_prime(1536) * roca_prime(1536))
    shared = prime(1536)
    write("shared-prime-1", shared * prime(1536))
    write("shared-prime-2", shared * prime(1536))


if __name__ == "__main__":
    main()
