"""Operates the hardened server.

Usage: python3 operate.py deploy SERVER FOLDER PORT NAME...   set it up in FOLDER, invite people, serve on PORT
       python3 operate.py alarm LOG                          who is to be blocked, and whose key is stolen
"""

import collections
import os
import pathlib
import re
import subprocess
import sys

# Connections of one address that are not logged in.
ROOM = 20
# An address from which nobody has logged in is blocked after so many refusals.
MANY = 5
# A key is held for stolen after so many wrong passwords from addresses at which its user has never logged in.
WRONG = 3

LINE = re.compile(
    r"(?P<message>login refused|turned away|logged in) connection=\d+ peer=(?P<address>[\d.]+):\d+"
    r"(?: user=(?P<user>\S+))?(?:.* reason=(?P<reason>.*))?"
)


def run(*command):
    """Runs a command and returns what it prints. A command that fails ends the program."""
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


def deploy(server, folder, port, names):
    """Makes a server in folder/server, an invitation for each name in folder/invitations/NAME, and serves.

    The log goes to folder/log, as JSON. One address gets at most 20 connections that are not logged in.
    """
    directory = folder / "server"
    run(server, "init", "--dir", directory, "--listen", f"127.0.0.1:{port}")
    configuration = directory / "server.toml"
    text = configuration.read_text()
    text = re.sub(r"^max_unauthenticated_per_source = .*$", f"max_unauthenticated_per_source = {ROOM}", text, flags=re.M)
    configuration.write_text(text)

    (folder / "invitations").mkdir(mode=0o700)
    for name in names:
        invitation = run(server, "invite", name, "--dir", directory)
        write_privately(folder / "invitations" / name, invitation)

    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, sys.stderr.fileno())
    os.execv(server, [server, "serve", "--dir", directory, "--log-format", "json"])


def write_privately(path, text):
    """Writes a file that only this user can read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def alarm(log):
    """The lines to print for this log."""
    with open(log) as file:
        events = [found.groupdict() for line in file if (found := LINE.search(line))]
    at_home = {(event["user"], event["address"]) for event in events if event["message"] == "logged in"}
    known = {address for _user, address in at_home}
    refused, guessed = collections.Counter(), collections.Counter()
    for event in events:
        if event["message"] != "logged in" and event["address"] not in known:
            refused[event["address"]] += 1
        if event["reason"] == "wrong password" and (event["user"], event["address"]) not in at_home:
            guessed[event["user"]] += 1
    block = [f"block {address}" for address, times in refused.items() if times >= MANY]
    stolen = [f"stolen {user}" for user, times in guessed.items() if times >= WRONG]
    return block + stolen


def main():
    arguments = sys.argv[1:]
    if len(arguments) >= 4 and arguments[0] == "deploy":
        deploy(arguments[1], pathlib.Path(arguments[2]), arguments[3], arguments[4:])
    elif len(arguments) == 2 and arguments[0] == "alarm":
        print("\n".join(alarm(arguments[1])))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
