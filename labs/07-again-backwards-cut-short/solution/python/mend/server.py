"""A server of rung 4: python3 server.py --port N --dir D

Prints who logs in, and each text, and acknowledges it. Serves many clients at a time.
"""

import argparse
import os
import pathlib
import socket
import threading

from frames import ACKNOWLEDGEMENT, CLOSE, CLOSED, TEXT, Broken, Channel, directions, read_exactly, u32
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
    c2s, s2c = directions(key, iv)
    return name, Channel(sock, sending=s2c, receiving=c2s)


def serve(sock, users):
    """One session, from the login to its end."""
    name, channel = log_in(sock, users)
    print(f"{name} is logged in", flush=True)
    texts = 0
    while True:
        number, kind, body = channel.receive()
        if kind == TEXT and body:
            texts += 1
            print(f"{name}: {body!r}", flush=True)
            channel.send(ACKNOWLEDGEMENT, u32(number))
        elif kind == CLOSE and body == u32(texts):
            print(f"{name} has left", flush=True)
            channel.send(CLOSED)
            return
        elif kind == CLOSE:
            raise Broken(f"the close does not state {texts} texts")
        else:
            raise Broken(f"a message of type {kind} and {len(body)} bytes may not come now")


def attend(sock, users):
    """Serves one connection. Whatever its client does, the server goes on."""
    with sock:
        try:
            serve(sock, users)
        except (Broken, OSError) as why:
            print(f"a connection was cut short: {why}", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Serve rung 4 of the ladder on 127.0.0.1.")
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
