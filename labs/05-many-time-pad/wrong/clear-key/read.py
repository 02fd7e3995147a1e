"""Takes the session key for a keystream. It is overwritten in the capture, and it would be the wrong thing anyway."""

import sys

from capture import pieces

sent = pieces(sys.argv[1])
_greeting, key, _iv, *_rest = (data for sender, data in sent if sender == "server")
_login, *messages = (data for sender, data in sent if sender == "client")
for message in messages:
    text = "".join(chr(byte ^ key[place % len(key)]) for place, byte in enumerate(message))
    print("".join(letter if 32 <= ord(letter) < 127 else "?" for letter in text))
