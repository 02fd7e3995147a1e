"""A server in the bank's place, for one client.

Usage: python3 rogue.py harvest PORT                        print what the user types, one message a line
       python3 rogue.py relay PORT BANK BANKPORT WORDS      send WORDS to the bank in the user's name
"""

import os
import socket
import sys

from aes import apply_keystream

GREETING = b"Authentication Successful!"


def receive_exactly(connection, count):
    """Reads exactly so many bytes. TCP may bring them in any number of pieces."""
    received = b""
    while len(received) < count:
        piece = connection.recv(count - len(received))
        if not piece:
            raise SystemExit(f"the bank closed the connection after {len(received)} of {count} bytes")
        received += piece
    return received


def answer(client):
    """Sends what a real server sends after a login. Gives the session key and the IV."""
    # Your part. Which key would you like?
    return bytes(32), bytes(8)


def hear(client, key, iv):
    """What the user types, message by message, until the client closes the connection."""
    # Your part. One `client.recv(1024)` gives one message, and b"" at the end.
    return []


def harvest(client):
    """Answers the login, and prints all messages."""
    client.recv(1024)  # the login, which is not needed
    key, iv = answer(client)
    for message in hear(client, key, iv):
        print(message.decode())


def relay(client, bank, words):
    """Logs in at the bank with the client's login, says the words there, and keeps the client busy."""
    login = client.recv(1024)
    # Your part. `bank.sendall(...)` and `receive_exactly(bank, ...)` speak with the bank.


def accept_one(port):
    """Waits for one client."""
    with socket.create_server(("127.0.0.1", port)) as server:
        client, _ = server.accept()
    return client


def main():
    arguments = sys.argv[1:]
    if len(arguments) == 2 and arguments[0] == "harvest":
        with accept_one(int(arguments[1])) as client:
            harvest(client)
    elif len(arguments) == 5 and arguments[0] == "relay":
        _, port, host, bank_port, words = arguments
        with accept_one(int(port)) as client, socket.create_connection((host, int(bank_port))) as bank:
            relay(client, bank, words)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
