"""Recomputes a rung's published vector with the code of its peers: vectors.py --rung R --dir D FILE.

From the values that are drawn (keys, randoms, secrets) to the values that follow from them (shared secret, keys, frames).
Signatures hold a random salt, so they are checked and not made again.
"""

import argparse
import json
import pathlib
import sys


class Paper:
    """A socket that keeps what is sent."""

    sent = b""

    def sendall(self, data):
        self.sent = data


def same(name, ours, theirs):
    if ours != theirs:
        raise SystemExit(f"{name}: {ours.hex()} and not {theirs.hex()}")


def in_clear(rung, values, folder):
    """Rungs 0 to 4: a channel for each direction, which writes on paper."""
    import frames
    from keys import login_of, public_key

    login = login_of(b"alice", public_key(folder / "client.keys/alice.pub"))
    same("login", login, values["login"])
    first = login if rung == 0 else len(login).to_bytes(2, "big") + login
    same("first message", first, values["first message"])
    key, iv = values["session key"], values["iv"]
    if rung <= 1:
        return [frames.Channel(Paper(), key, iv) for _ in range(2)]
    ways = frames.directions(key, iv)
    compare_keys(ways, values)
    return [frames.Channel(Paper(), way, None) for way in ways]


def exchanged(rung, values, folder):
    """The same on rungs 5 to 8."""
    import exchange
    import frames
    from cryptography.hazmat.primitives.asymmetric import x25519
    from keys import HOST, public_key, sha256, spki_of, verify

    secret = x25519.X25519PrivateKey.from_private_bytes(values["client X25519 secret"])
    same("client X25519 value", exchange.hello_of(secret)[39:], values["client X25519 value"])
    same("Z", exchange.shared(secret, values["server hello"]), values["Z"])
    for end in ("client", "server"):
        parts = exchange.MAGIC + values[f"{end} random"] + values[f"{end} X25519 value"]
        same(f"{end} hello", parts, values[f"{end} hello"])
    host = public_key(folder / "host.pub")
    same("host SPKI", spki_of(host), values["host SPKI"])
    same("pin", sha256(spki_of(host)), values["pin"])
    signed = values["client hello"] + values["server hello"] + exchange.u16_and(spki_of(host))
    same("TH1", sha256(signed), values["TH1"])
    verify(host, HOST, values["TH1"], values["host signature"])
    transcript = signed + exchange.u16_and(values["host signature"])
    same("TH2", sha256(transcript), values["TH2"])
    if rung >= 6:
        import login
        from keys import USER

        same("TH3", login.signed_hash(transcript, values["name"]), values["TH3"])
        verify(public_key(folder / "server.keys/alice.pub"), USER, values["TH3"], values["user signature"])
    ways = frames.directions(values["Z"], values["TH2"])
    compare_keys(ways, values)
    patience = [None] if rung >= 8 else []
    return [frames.Channel(Paper(), way, None, *patience) for way in ways]


def compare_keys(ways, values):
    for name, keys in zip(("c2s", "s2c"), ways):
        for what, value in (("enc", keys.enc), ("mac", keys.mac), ("iv", keys.iv)):
            # Below rung 5 both directions have the IV of the server's reply.
            same(f"{what} {name}", value, values[f"{what} {name}" if f"{what} {name}" in values else what])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rung", type=int, required=True)
    parser.add_argument("--dir", type=pathlib.Path, required=True)
    parser.add_argument("file", type=pathlib.Path)
    args = parser.parse_args()
    sys.path.insert(0, str(pathlib.Path(__file__).parent / f"rung{args.rung}"))
    vector = json.loads(args.file.read_text())
    values = {value["name"]: bytes.fromhex(value["hex"]) for value in vector["values"]}
    channels = (in_clear if args.rung <= 4 else exchanged)(args.rung, values, args.dir)
    for frame in vector["frames"]:
        channel, plaintext = channels[frame["from"] == "server"], bytes.fromhex(frame["plaintext"])
        if args.rung >= 8:
            import frames

            plaintext = frames.unpad(plaintext)
        channel.send(*[plaintext] if args.rung <= 3 else [plaintext[0], plaintext[1:]])
        same("frame", channel.sock.sent, bytes.fromhex(frame["frame"]))
    print(f"{len(values)} values, {len(vector['frames'])} frames")


if __name__ == "__main__":
    main()
