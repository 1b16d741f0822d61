"""Mutations: what storage, networks, old software and malice do to a file; bytes to bytes."""

import re
import struct

EXPLICIT = re.compile(rb"[\x08\x18\x20\x28]\x00..(?:CS|DS|IS|LO|UI|US|SH|DA|TM|PN)..", re.DOTALL)
"""An element's tag, VR and length, little endian, as they stand in most files."""
VRS = b"AE AS AT CS DA DS DT FD FL IS LO LT OB OF OW PN SH SL SQ SS ST TM UI UL UN US UT".split()
NESTED = b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
DEPTH, TAGS = 1_000, 100_000


def flipped_bits(content, rng):
    made = bytearray(content)
    for _ in range(int(rng.integers(1, 33))):
        made[int(rng.integers(len(made)))] ^= 1 << int(rng.integers(8))
    return bytes(made)


def flipped_bits_in_front(content, rng):
    """Headers are where a bit means most."""
    front = min(len(content), 2_000)
    return flipped_bits(content[:front], rng) + content[front:]


def truncated(content, rng):
    return content[: int(rng.integers(len(content)))]


def without_a_piece(content, rng):
    at, size = int(rng.integers(len(content))), int(rng.integers(1, 200))
    return content[:at] + content[at + size :]


def with_a_piece_twice(content, rng):
    at, size = int(rng.integers(len(content))), int(rng.integers(1, 200))
    return content[: at + size] + content[at:]


def blanked(content, rng):
    at, size = int(rng.integers(len(content))), int(rng.integers(1, 64))
    fill = (b"\x00", b"\xff", b" ")[int(rng.integers(3))]
    return content[:at] + fill * len(content[at : at + size]) + content[at + size :]


def with_swapped_tags(content, rng):
    found = [m.start() for m in EXPLICIT.finditer(content)]
    if len(found) < 2:
        return flipped_bits_in_front(content, rng)
    one, other = (found[int(n)] for n in rng.choice(len(found), 2, replace=False))
    made = bytearray(content)
    made[one : one + 4], made[other : other + 4] = made[other : other + 4], made[one : one + 4]
    return bytes(made)


def with_a_wrong_vr(content, rng):
    found = [m.start() for m in EXPLICIT.finditer(content)]
    if not found:
        return flipped_bits_in_front(content, rng)
    at = found[int(rng.integers(len(found)))] + 4
    return content[:at] + VRS[int(rng.integers(len(VRS)))] + content[at + 2 :]


def with_a_wrong_length(content, rng):
    found = [m.start() for m in EXPLICIT.finditer(content)]
    if not found:
        return flipped_bits_in_front(content, rng)
    at = found[int(rng.integers(len(found)))] + 6
    length = (0, 1, 0x7FFF, 0xFFFF, int(rng.integers(0x10000)))[int(rng.integers(5))]
    return content[:at] + struct.pack("<H", length) + content[at + 2 :]


def with_absurd_dimensions(content, rng):
    """Rows, columns, bits; for NIfTI the sizes of the header."""
    sizes = [m.end() for m in re.finditer(rb"\x28\x00[\x10\x11]\x00US\x02\x00", content)]
    if not sizes:
        sizes = [40 + 2 * n for n in range(8)] if len(content) > 60 else [0]
    at = sizes[int(rng.integers(len(sizes)))]
    size = (0, 1, 0x7FFF, 0xFFFF)[int(rng.integers(4))]
    return content[:at] + struct.pack("<H", size) + content[at + 2 :]


def with_a_deep_sequence(content, _rng):
    return content + NESTED * DEPTH


def with_very_many_tags(content, _rng):
    one = b"".join(
        struct.pack("<HH2sH", 0x0009, 0x1000 + n % 0xE000, b"CS", 2) + b"A " for n in range(TAGS)
    )
    return content + one


CHEAP = (
    flipped_bits,
    flipped_bits_in_front,
    truncated,
    without_a_piece,
    with_a_piece_twice,
    blanked,
    with_swapped_tags,
    with_a_wrong_vr,
    with_a_wrong_length,
    with_absurd_dimensions,
)
COSTLY = (with_a_deep_sequence, with_very_many_tags)
COSTLY_SHARE = 0.005


def mutated(content, rng):
    """Return what one to three mutations, drawn by `rng`, make of a file."""
    if rng.random() < COSTLY_SHARE:
        return COSTLY[int(rng.integers(len(COSTLY)))](content, rng)
    for _ in range(int(rng.integers(1, 4))):
        if content:
            content = CHEAP[int(rng.integers(len(CHEAP)))](content, rng)
    return content
