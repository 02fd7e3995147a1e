#!/usr/bin/env python3
"""A client of the faithful protocol, written from its description alone, without the code.

    faithful_client.py --dir D --generate USER
    faithful_client.py --dir D --port N USER MESSAGE...

It takes each of the three replies with one recv(1024), as the report's client does. It uses only what PyCrypto 2.6 and
PyCryptodome have in common, so it runs with either.
"""

import argparse
import os
import socket

from Crypto.Cipher import AES
from Crypto.PublicKey import RSA
from Crypto.Util import Counter
from Crypto.Util.number import bytes_to_long, long_to_bytes


def generate(directory, user):
    key = RSA.generate(1024)
    for folder in ("client.keys", "server.keys"):
        os.makedirs(os.path.join(directory, folder), exist_ok=True)
    with open(os.path.join(directory, "client.keys", user), "wb") as f:
        f.write(key.exportKey("PEM"))
    for folder in ("client.keys", "server.keys"):
        with open(os.path.join(directory, folder, user + ".pub"), "wb") as f:
            f.write(key.publickey().exportKey("PEM"))
    with open(os.path.join(directory, "server.keys", "clients"), "a") as f:
        f.write(user + "\n")
    print("SSH Key Successfully Generated")


def encrypt(key, iv, text):
    counter = Counter.new(64, prefix=iv)  # starts at 1, for every message
    return AES.new(key, AES.MODE_CTR, counter=counter).encrypt(text.encode("utf-8"))


def talk(directory, port, user, messages):
    with open(os.path.join(directory, "client.keys", user + ".pub"), "rb") as f:
        public = RSA.importKey(f.read())
    login = pow(bytes_to_long(user.encode("utf-8")), public.e, public.n)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as server:
        server.sendall(long_to_bytes(login))
        greeting = server.recv(1024)
        key = server.recv(1024)
        iv = server.recv(1024)
        sizes = (len(greeting), len(key), len(iv))
        if sizes != (26, 32, 8):
            raise SystemExit("Error: three single recv(1024) calls gave %s bytes" % (sizes,))
        print(greeting.decode("ascii"))
        for text in messages:
            record = encrypt(key, iv, text)
            server.sendall(record)
            print("Encrypted Message:", record)
            # Nothing is framed: two messages in a row might be one to the server. It never answers,
            # so all a client can do is wait a moment.
            server.settimeout(0.2)
            try:
                server.recv(1)
            except socket.timeout:
                pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", default=".")
    parser.add_argument("--port", type=int, default=22222)
    parser.add_argument("--generate", metavar="USER")
    parser.add_argument("words", nargs="*", metavar="USER MESSAGE")
    options = parser.parse_args()
    if options.generate:
        generate(options.dir, options.generate)
    else:
        talk(options.dir, options.port, options.words[0], options.words[1:])


main()
