"""AES-256 in counter mode, as the faithful protocol uses it. Slow and complete; standard library only.

Usage: python3 aes.py KEY IV BYTES      all three in hex; prints the text
"""

import sys


def times_two(byte):
    """Multiplies by x in the field of AES, whose polynomial is 0x11b."""
    return (byte << 1) ^ (0x11B if byte & 0x80 else 0)


def make_sbox():
    """The substitution box (FIPS 197, 5.1.1): the inverse in the field, then an affine map."""
    box, p, q = [0x63] * 256, 1, 1
    while True:
        p ^= times_two(p)  # p runs through all powers of 3, and q through their inverses
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        q ^= 0x09 if q & 0x80 else 0
        rotations = q ^ rotate(q, 1) ^ rotate(q, 2) ^ rotate(q, 3) ^ rotate(q, 4)
        box[p] = rotations ^ 0x63
        if p == 1:
            return box


def rotate(byte, by):
    return (byte << by | byte >> (8 - by)) & 0xFF


SBOX = make_sbox()


def expand(key):
    """The 15 round keys of a 256-bit key (FIPS 197, 5.2)."""
    words, round_constant = [key[i : i + 4] for i in range(0, 32, 4)], 1
    while len(words) < 60:
        word = words[-1]
        if len(words) % 8 == 0:
            word = bytes(SBOX[b] for b in word[1:] + word[:1])
            word = bytes([word[0] ^ round_constant]) + word[1:]
            round_constant = times_two(round_constant)
        elif len(words) % 8 == 4:
            word = bytes(SBOX[b] for b in word)
        words.append(xor(words[-8], word))
    return [b"".join(words[i : i + 4]) for i in range(0, 60, 4)]


def encrypt_block(round_keys, block):
    state = xor(block, round_keys[0])
    for number, key in enumerate(round_keys[1:], 1):
        state = bytes(SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16))  # SubBytes and ShiftRows
        if number < 14:
            state = b"".join(mix(state[i : i + 4]) for i in range(0, 16, 4))
        state = xor(state, key)
    return state


def mix(column):
    total = column[0] ^ column[1] ^ column[2] ^ column[3]
    return bytes(b ^ total ^ times_two(b ^ column[(i + 1) % 4]) for i, b in enumerate(column))


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def apply_keystream(key, iv, data):
    """Encrypts or decrypts one message: the counter block is the IV (8 bytes) and a counter that starts at 1."""
    round_keys, out = expand(key), b""
    for number in range(0, len(data), 16):
        counter_block = iv + (number // 16 + 1).to_bytes(8, "big")
        out += xor(data[number : number + 16], encrypt_block(round_keys, counter_block))
    return out


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    key, iv, data = (bytes.fromhex(argument) for argument in sys.argv[1:])
    if len(key) != 32 or len(iv) != 8:
        sys.exit(f"the key has 32 bytes and the IV has 8; these have {len(key)} and {len(iv)}")
    print(apply_keystream(key, iv, data).decode("utf-8", "replace"))


if __name__ == "__main__":
    main()
