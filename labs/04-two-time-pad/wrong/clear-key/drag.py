"""Reads the session key and the IV from what the server says, as in lab 00. Here they are overwritten with zeros."""

import sys

from capture import pieces

_greeting, key, iv, *_ = (data for sender, data in pieces(sys.argv[2]) if sender == "server")
print(f"session key {key.hex()}, IV {iv.hex()}")
