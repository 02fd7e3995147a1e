"""A server of rung 8: python3 server.py --port N --dir D

Prints who logs in, and each text, and acknowledges it. Serves many clients at a time.
"""

import argparse
import collections
import pathlib
import socket
import threading
import time

import exchange
from frames import ACKNOWLEDGEMENT, CLOSE, CLOSED, LENGTHS, LOGIN, REFUSED, TEXT, WELCOME, Broken, u32
from keys import private_key
from login import Refused, Users


FOR_A_LOGIN = 10  # seconds from the beginning of the connection to the whole login
REFUSAL_AFTER = 1  # seconds from the login to its refusal, whatever the reason
MAX_STRANGERS = 8  # connections of one source that are not logged in


class Strangers:
    """Counts the connections that are not logged in, for each source."""

    def __init__(self):
        self.lock, self.count = threading.Lock(), collections.Counter()

    def enter(self, source):
        """Whether there is room for a further one."""
        with self.lock:
            if self.count[source] >= MAX_STRANGERS:
                return False
            self.count[source] += 1
            return True

    def leave(self, source):
        with self.lock:
            self.count[source] -= 1


def log_in(channel, users, exchanged, until):
    """Reads the login, which is the first frame and has one length, and answers it."""
    _, kind, body = channel.receive(lengths=LENGTHS[2:3], until=until)
    arrived = time.monotonic()
    if kind != LOGIN:
        raise Broken("a login is due")
    try:
        name = users.check(exchanged, body)
    except Refused:
        time.sleep(max(0, arrived + REFUSAL_AFTER - time.monotonic()))
        channel.send(REFUSED)
        raise
    channel.send(WELCOME)
    return name


def greet(sock, users, host_key):
    """From the first byte to the answer to the login."""
    until = time.monotonic() + FOR_A_LOGIN
    channel, exchanged = exchange.as_server(sock, host_key, until)
    return channel, log_in(channel, users, exchanged, until)


def serve(sock, source, strangers, *keys):
    """One session, from the exchange to its end."""
    try:
        channel, name = greet(sock, *keys)
    finally:
        strangers.leave(source)
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


def attend(sock, source, strangers, *keys):
    """Serves one connection. Whatever its client does, the server goes on."""
    with sock:
        try:
            serve(sock, source, strangers, *keys)
        except Refused as why:
            print(f"a login was refused: reason {why}", flush=True)
        except (Broken, OSError) as why:
            print(f"a connection was cut short: {why}", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Serve rung 8 of the ladder on 127.0.0.1.")
    parser.add_argument("--port", type=int, required=True, help="the port to listen on")
    parser.add_argument("--dir", type=pathlib.Path, required=True, help="the folder with the key files")
    args = parser.parse_args()
    keys = Users(args.dir), private_key(args.dir / "host.key")
    strangers = Strangers()
    listener = socket.create_server(("127.0.0.1", args.port), backlog=128)
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    while True:
        sock, (source, _port) = listener.accept()
        if strangers.enter(source):
            threading.Thread(target=attend, args=(sock, source, strangers, *keys), daemon=True).start()
        else:
            sock.close()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass  # Ctrl-C ends a server
