"""Prints spaces, the likeliest character."""

import sys

from capture import pieces

_login, *messages = (data for sender, data in pieces(sys.argv[1]) if sender == "client")
for message in messages:
    print("x" + " " * (len(message) - 1))
