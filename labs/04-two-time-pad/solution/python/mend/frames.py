"""The wire of rung 1: every message is a frame with a number, and the number is in the counter block.

frame         = u16 n ‖ u32 number ‖ ciphertext (n - 4)
counter block = IV (8) ‖ u32 number ‖ u32 block, which starts at 0 in every frame
"""

import struct

import aes


class Broken(Exception):
    """The other end broke a rule, or hung up. The connection ends."""


def read_exactly(sock, n):
    """Reads n bytes, however they arrive."""
    data = b""
    while len(data) < n:
        piece = sock.recv(n - len(data))
        if not piece:
            raise Broken("the other end hung up")
        data += piece
    return data


def apply_keystream(key, iv, number, data):
    """Encrypts or decrypts the frame with this number."""
    round_keys, out = aes.expand(key), b""
    for block in range((len(data) + 15) // 16):
        counter_block = iv + struct.pack(">II", number, block)
        piece = data[16 * block : 16 * block + 16]
        out += aes.xor(piece, aes.encrypt_block(round_keys, counter_block))
    return out


class Channel:
    """The frames of one session."""

    def __init__(self, sock, key, iv):
        self.sock, self.key, self.iv = sock, key, iv
        self.next = 0  # the number of the next frame that is sent

    def send(self, text):
        """Sends a text as a frame, with a number that no frame of this session had."""
        number, self.next = self.next, self.next + 1
        ciphertext = apply_keystream(self.key, self.iv, number, text)
        self.sock.sendall(struct.pack(">HI", 4 + len(ciphertext), number) + ciphertext)

    def receive(self):
        """The text of the next frame, decrypted with the frame's own number."""
        n = int.from_bytes(read_exactly(self.sock, 2), "big")
        if n < 4:
            raise Broken(f"a frame of {n} bytes has no room for its number")
        body = read_exactly(self.sock, n)
        number = int.from_bytes(body[:4], "big")
        return apply_keystream(self.key, self.iv, number, body[4:])
