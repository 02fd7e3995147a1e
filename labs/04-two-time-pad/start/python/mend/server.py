"""A server of rung 1: python3 server.py --port N --dir D

Prints who logs in, and each text. Serves many clients at a time.
"""

import argparse
import os
import pathlib
import socket
import threading

from frames import Broken, Channel, read_exactly
from keys import Users

GREETING = b"Authentication Successful!"


def log_in(sock, users):
    """Reads the login, and answers with greeting, session key and IV, all in clear."""
    n = int.from_bytes(read_exactly(sock, 2), "big")
    if not 1 <= n <= 128:
        raise Broken(f"a login has 1 to 128 bytes, and this one states {n}")
    name = users.find(read_exactly(sock, n))
    if name is None:
        raise Broken("nobody's key opens the login")
    key, iv = os.urandom(32), os.urandom(8)
    sock.sendall(GREETING + key + iv)
    return name, Channel(sock, key, iv)


def serve(sock, users):
    """One session, from the login to its end."""
    name, channel = log_in(sock, users)
    print(f"{name} is logged in", flush=True)
    while True:
        text = channel.receive()
        if not text:
            raise Broken("an empty text")
        if text == b"change()":
            return
        if text == b"quit()":
            os._exit(0)
        print(f"{name}: {text!r}", flush=True)


def attend(sock, users):
    """Serves one connection. Whatever its client does, the server goes on."""
    with sock:
        try:
            serve(sock, users)
        except (Broken, OSError) as why:
            print(f"a connection ended: {why}", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Serve rung 1 of the ladder on 127.0.0.1.")
    parser.add_argument("--port", type=int, required=True, help="the port to listen on")
    parser.add_argument("--dir", type=pathlib.Path, required=True, help="the folder with the key files")
    args = parser.parse_args()
    users = Users(args.dir)
    listener = socket.create_server(("127.0.0.1", args.port), backlog=128)
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    while True:
        sock, _address = listener.accept()
        threading.Thread(target=attend, args=(sock, users), daemon=True).start()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass  # Ctrl-C ends a server
