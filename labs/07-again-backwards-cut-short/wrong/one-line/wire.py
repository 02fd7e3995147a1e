"""Decides which messages of an honest session reach the bank, without reading one.

Usage: python3 wire.py again|backwards|cut|quiet MESSAGES

MESSAGES is hex, with spaces between the messages. Prints the messages for the bank in hex, one a line.
"""

import sys


def again(messages):
    """The payment twice, and everything else once."""
    return messages[:2] + messages[1:]


def backwards(messages):
    """The second limit first."""
    return messages[:2] + [messages[3], messages[2]] + messages[4:]


def cut(messages):
    """Everything before the payment is stopped."""
    return messages[:4]


def quiet(messages):
    """Everything but the message that stops the payment."""
    return messages[:4] + messages[5:]


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in WAYS:
        sys.exit(__doc__)
    messages = [bytes.fromhex(message) for message in sys.argv[2].split()]
    print(*(message.hex() + "," for message in WAYS[sys.argv[1]](messages)))


WAYS = {"again": again, "backwards": backwards, "cut": cut, "quiet": quiet}

if __name__ == "__main__":
    main()
