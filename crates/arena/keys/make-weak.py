#!/usr/bin/env python3
"""Makes the keys of wanda, wes and willa: what bad generators would have given them. The same at every run."""

import base64
import sys
from math import lcm
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "../../net/tests/keys/weak"))
from make import E, der, integer, next_prime, prime, rng  # noqa: E402

rng.seed(2012)


def write(name, p, q):
    n, d = p * q, pow(E, -1, lcm(p - 1, q - 1))
    numbers = [0, n, E, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)]
    pkcs1 = der(0x30, b"".join(map(integer, numbers)))
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    pkcs8 = der(0x30, integer(0) + algorithm + der(4, pkcs1))
    text = base64.b64encode(pkcs8).decode()
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    pem = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----", ""])
    (HERE / f"{name}.pem").write_text(pem)


p = prime(1536)
write("wanda", p, next_prime(p))
shared = prime(1536)
write("wes", shared, prime(1536))
write("willa", shared, prime(1536))
