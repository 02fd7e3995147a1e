"""A type of flag for CTFd: each player has another flag for each lab of latchstring.

Put this file into CTFd/plugins/latchstring/__init__.py. Put the key, the same that the grader has, into a file that only
CTFd can read, and name the file in the environment variable LATCHSTRING_CTFD_KEY.
"""

import hashlib
import hmac
import os


def flag(key, lab, email):
    """The flag of the player with this address for this lab."""
    if len(key) < 32:
        raise ValueError("the key of the flags must have 32 bytes or more")
    parts = ["latchstring/ctfd/1", lab, email.lower()]
    text = b"".join(part.encode() + b"\0" for part in parts)
    return "latch{" + hmac.new(key, text, hashlib.sha256).hexdigest()[:32] + "}"


def load_key():
    """The bytes of the key file, without a line end."""
    with open(os.environ["LATCHSTRING_CTFD_KEY"], "rb") as file:
        return file.read().strip()


def load(app):
    """CTFd calls this when it starts. A missing key stops it here, and not at the first flag."""
    from CTFd.plugins.flags import FLAG_CLASSES, BaseFlag
    from CTFd.utils.user import get_current_user

    key = load_key()
    flag(key, "", "")

    class LatchstringFlag(BaseFlag):
        name = "latchstring"
        templates = {
            "create": "/plugins/flags/assets/static/create.html",
            "update": "/plugins/flags/assets/static/edit.html",
        }

        @staticmethod
        def compare(chal_key_obj, provided):
            player = get_current_user()
            if player is None:
                return False
            expected = flag(key, chal_key_obj.content, player.email)
            return hmac.compare_digest(expected.encode(), provided.strip().encode())

    FLAG_CLASSES["latchstring"] = LatchstringFlag
