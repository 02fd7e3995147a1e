"""The wire of rung 0: a message is its ciphertext, without a length and without a number.

counter block = IV (8) ‖ u64 counter, which starts at 1 for every message
"""

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


class Channel:
    """The messages of one session."""

    def __init__(self, sock, key, iv):
        self.sock, self.key, self.iv = sock, key, iv

    def send(self, text):
        """Sends a text in one write."""
        self.sock.sendall(aes.apply_keystream(self.key, self.iv, text))

    def receive(self):
        """The next text: what one read returns."""
        ciphertext = self.sock.recv(1024)
        if not ciphertext:
            raise Broken("the other end hung up")
        return aes.apply_keystream(self.key, self.iv, ciphertext)
