"""Recomputes the published vectors from the pages alone: vectors.py --rung R --dir D FILE.

From the values that are drawn (keys, randoms, secrets) to the values that follow from them (shared secret, keys, tags,
ciphertexts, frames). Signatures hold a random salt, so they are checked and not made again.
"""

import argparse
import json
import pathlib

from cryptography.hazmat.primitives.asymmetric import x25519
from wire import (
    LOGIN, keys_exchanged, keys_in_clear, load_public, long, send, sha256, short, spki_of, textbook_login, unpad, verify,
)


class Paper:
    """A line that keeps what is written."""

    written = b""

    def write(self, data):
        self.written = data


def same(name, ours, theirs):
    if ours != theirs:
        raise SystemExit(f"{name}: {ours.hex()} and not {theirs.hex()}")


def in_clear(rung, values, keys):
    login = textbook_login("alice", load_public(keys / "client.keys/alice.pub"))
    same("login", login, values["login"])
    same("first message", login if rung == 0 else long(login), values["first message"])
    return keys_in_clear(rung, values["session key"], values["iv"])


def exchanged(rung, values, keys):
    secret = x25519.X25519PrivateKey.from_private_bytes(values["client X25519 secret"])
    theirs = x25519.X25519PublicKey.from_public_bytes(values["server X25519 value"])
    same("Z", secret.exchange(theirs), values["Z"])
    head = b"ladder" + bytes([rung])
    for end in ("client", "server"):
        hello = head + values[f"{end} random"] + values[f"{end} X25519 value"]
        same(f"{end} hello", hello, values[f"{end} hello"])
    spki = values["host SPKI"]
    same("host SPKI", spki_of(load_public(keys / "host.pub")), spki)
    same("pin", sha256(spki), values["pin"])
    hellos = values["client hello"] + values["server hello"]
    same("TH1", sha256(hellos + long(spki)), values["TH1"])
    verify(spki, b"ladder host signature", values["TH1"], values["host signature"])
    transcript = hellos + long(spki) + long(values["host signature"])
    same("TH2", sha256(transcript), values["TH2"])
    if rung >= 6:
        name = values["name"]
        same("TH3", sha256(transcript + bytes([LOGIN]) + short(name)), values["TH3"])
        user = spki_of(load_public(keys / "server.keys/alice.pub"))
        verify(user, b"ladder user signature", values["TH3"], values["user signature"])
    return keys_exchanged(values["Z"], values["TH2"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rung", type=int, required=True)
    parser.add_argument("--dir", type=pathlib.Path, required=True)
    parser.add_argument("file", type=pathlib.Path)
    args = parser.parse_args()
    vector = json.loads(args.file.read_text())
    values = {value["name"]: bytes.fromhex(value["hex"]) for value in vector["values"]}
    ways = (in_clear if args.rung <= 4 else exchanged)(args.rung, values, args.dir)
    for way, keys in zip(("c2s", "s2c"), ways):
        for what, value in (("enc", keys.enc), ("mac", keys.mac), ("iv", keys.iv)):
            same(f"{what} {way}", value, values.get(f"{what} {way}", value))
    for frame in vector["frames"]:
        keys, paper = ways[frame["from"] == "server"], Paper()
        plaintext = bytes.fromhex(frame["plaintext"])
        send(args.rung, paper, keys, unpad(plaintext) if args.rung >= 8 else plaintext)
        same("frame", paper.written, bytes.fromhex(frame["frame"]))
    print(f"{len(values)} values, {len(vector['frames'])} frames")


if __name__ == "__main__":
    main()
