"""Reads a capture file (classic pcap) and gives what was sent over TCP, piece by piece. Standard library only.

Usage: python3 capture.py CAPTURE
"""

import struct
import sys

# What comes before the IP header, by the link type in the file's header.
LINK_HEADER = {0: 4, 1: 14, 101: 0, 113: 16}


def pieces(path):
    """What was sent, in order: a list of (sender, bytes), where the sender is "client" or "server"."""
    sent = []
    client = None
    for packet in packets(path):
        sender, payload = tcp(packet)
        if client is None:
            client = sender  # whoever sends the first packet opens the connection
        if payload:
            sent.append(("client" if sender == client else "server", payload))
    return sent


def packets(path):
    """The IP packets of the file."""
    with open(path, "rb") as file:
        data = file.read()
    little = data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1")
    if not little and data[:4] not in (b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d"):
        sys.exit(f"{path} is not a classic pcap file")
    order = "<" if little else ">"
    (link,) = struct.unpack_from(order + "I", data, 20)
    at = 24
    while at + 16 <= len(data):
        (length,) = struct.unpack_from(order + "I", data, at + 8)
        yield data[at + 16 + LINK_HEADER[link] : at + 16 + length]
        at += 16 + length


def tcp(packet):
    """The sender's address and the payload of a TCP packet."""
    if packet[0] >> 4 == 4:  # IPv4: the header says its own length, in units of four bytes
        begin, end = (packet[0] & 15) * 4, int.from_bytes(packet[2:4], "big")
        address = packet[12:16]
    else:
        begin, end = 40, 40 + int.from_bytes(packet[4:6], "big")
        address = packet[8:24]
    segment = packet[begin:end]
    port = int.from_bytes(segment[:2], "big")
    return (address, port), segment[(segment[12] >> 4) * 4 :]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for number, (sender, data) in enumerate(pieces(sys.argv[1]), 1):
        print(f"{number:3}. {sender}, {len(data):3} bytes: {data.hex()}")


if __name__ == "__main__":
    main()
