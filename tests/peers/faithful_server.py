#!/usr/bin/env python3
"""A server of the faithful protocol, written from its description alone, without the code.

    faithful_server.py --dir D --port N      (port 0: the system chooses; the first line tells)

It uses only what PyCrypto 2.6 and PyCryptodome have in common, so it runs with either.
"""

import argparse
import os
import socket
import time

from Crypto.Cipher import AES
from Crypto.PublicKey import RSA
from Crypto.Util import Counter
from Crypto.Util.number import bytes_to_long, long_to_bytes


def say(*words):
    print(*words, flush=True)


def who(directory, login):
    """The first name in the list whose private key decrypts the login to that name."""
    c = bytes_to_long(login)
    with open(os.path.join(directory, "server.keys", "clients")) as f:
        names = f.read().splitlines()
    for name in names:
        path = os.path.join(directory, "client.keys", name)
        if not os.path.exists(path):
            continue
        with open(path, "rb") as f:
            key = RSA.importKey(f.read())
        if c < key.n and long_to_bytes(pow(c, key.d, key.n)) == name.encode("utf-8"):
            return name
    return None


def serve(directory, client):
    """Returns whether the server goes on."""
    if who(directory, client.recv(1024)) is None:
        say("[*] Login refused")
        return True
    key, iv = os.urandom(32), os.urandom(8)
    for reply in (b"Authentication Successful!", key, iv):
        client.sendall(reply)
        time.sleep(0.1)
    while True:
        record = client.recv(1024)
        if not record:
            return True
        counter = Counter.new(64, prefix=iv)  # starts at 1, for every message
        text = AES.new(key, AES.MODE_CTR, counter=counter).decrypt(record).decode("utf-8", "replace")
        say("Encrypted Message:", record)
        if text in ("quit()", "change()"):
            say("Client:", text)
            return text == "change()"
        say("Decrypted Message:", text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", default=".")
    parser.add_argument("--port", type=int, default=22222)
    options = parser.parse_args()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", options.port))
        listener.listen(5)
        say("[*] Listening at", listener.getsockname())
        going = True
        while going:
            say("[*] Ready to chat with a new client!")
            client, peer = listener.accept()
            with client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                local = client.getsockname()
                say("[*] Connected socket between", local, "and", peer)
                going = serve(options.dir, client)
                say("[*] Closing connection between", local, "and", peer)


main()
