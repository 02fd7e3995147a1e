"""Shows a capture: who sent how many bytes, in hex and as text.

Usage: python3 show.py CAPTURE
"""

import sys

from capture import pieces


def hexdump(data):
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        digits = " ".join(f"{byte:02x}" for byte in row)
        print(f"    {at:04x}  {digits:47}  {text}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for number, (sender, data) in enumerate(pieces(sys.argv[1]), 1):
        receiver = "server" if sender == "client" else "client"
        print(f"{number}. {sender} -> {receiver}: {len(data)} bytes")
        hexdump(data)


if __name__ == "__main__":
    main()
