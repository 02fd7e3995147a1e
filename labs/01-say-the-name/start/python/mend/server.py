"""A server of rung 6: python3 server.py --port N --dir D

Prints who logs in, and each text, and acknowledges it. Serves many clients at a time.
"""

import argparse
import pathlib
import socket
import threading

import exchange
from frames import ACKNOWLEDGEMENT, CLOSE, CLOSED, LOGIN, REFUSED, TEXT, WELCOME, Broken, u32
from keys import private_key
from login import Refused, Users


def log_in(channel, users, exchanged):
    """Reads the login, which is the first frame, and answers it."""
    _, kind, body = channel.receive()
    if kind != LOGIN:
        raise Broken("a login is due")
    try:
        name = users.check(exchanged, body)
    except Refused as refused:
        channel.send(REFUSED, bytes(refused.args))
        raise
    channel.send(WELCOME)
    return name


def serve(sock, users, host_key):
    """One session, from the exchange to its end."""
    channel, exchanged = exchange.as_server(sock, host_key)
    name = log_in(channel, users, exchanged)
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


def attend(sock, *keys):
    """Serves one connection. Whatever its client does, the server goes on."""
    with sock:
        try:
            serve(sock, *keys)
        except Refused as why:
            print(f"a login was refused: reason {why}", flush=True)
        except (Broken, OSError) as why:
            print(f"a connection was cut short: {why}", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Serve rung 6 of the ladder on 127.0.0.1.")
    parser.add_argument("--port", type=int, required=True, help="the port to listen on")
    parser.add_argument("--dir", type=pathlib.Path, required=True, help="the folder with the key files")
    args = parser.parse_args()
    keys = Users(args.dir), private_key(args.dir / "host.key")
    listener = socket.create_server(("127.0.0.1", args.port), backlog=128)
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    while True:
        sock, _address = listener.accept()
        threading.Thread(target=attend, args=(sock, *keys), daemon=True).start()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass  # Ctrl-C ends a server
