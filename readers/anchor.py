"""Anchor: number and hash of the newest audit entry, signed and kept apart from the database.

What it proves: all entries up to its number existed with exactly this content when it was
written, so a cut at the end and a chain made anew are found. What it cannot prove: anything of
entries after it (a crash between a save and its anchor leaves at most the last saves so), nor
anything against who holds the private key, nor a database and an anchor file both put back to
an older state together. Against the last, copy the anchor file to where the server cannot write;
`graftsite audit verify --anchor COPY` compares with the copy.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Lock

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from readers.canonical import canonical
from readers.errors import AuditError

KEY_FILE, PUBLIC_FILE, ANCHOR_FILE = "audit.key", "audit.pub", "anchor.json"


@dataclass(frozen=True, slots=True)
class Anchored:
    """The newest entry an anchor file vouches for."""

    seq: int
    hash: str
    at: str


@dataclass(frozen=True, slots=True, eq=False)
class Anchor:
    """A folder with the private key and the anchor file; one a server, not beside the database."""

    folder: Path
    key: Ed25519PrivateKey
    lock: Lock = field(default_factory=Lock)

    @property
    def public(self) -> Ed25519PublicKey:
        """The key that others verify with."""
        return self.key.public_key()

    def keep(self, anchored: Anchored) -> None:
        """Write an anchor unless a newer one is there; whole or not at all."""
        with self.lock:
            known = load_anchored(self.folder / ANCHOR_FILE, self.public)
            if known is None or known.seq < anchored.seq:
                self._write(anchored)

    def replace(self, anchored: Anchored) -> None:
        """Write an anchor after a restore; the one before stays beside it, as evidence."""
        with self.lock:
            file = self.folder / ANCHOR_FILE
            known = load_anchored(file, self.public)
            if known is not None:
                file.replace(self.folder / f"anchor-{known.seq}-before-restore.json")
            self._write(anchored)

    def _write(self, anchored: Anchored) -> None:
        text = canonical({"seq": anchored.seq, "hash": anchored.hash, "at": anchored.at})
        signature = self.key.sign(text.encode("utf-8")).hex()
        _write(self.folder / ANCHOR_FILE, canonical({"anchor": text, "signature": signature}))


def make_anchor(folder: Path) -> Anchor:
    """Open a folder's key, or make a new one there; only its owner can read it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / KEY_FILE
    if not file.exists():
        key = Ed25519PrivateKey.generate()
        _write(file, key.private_bytes_raw().hex())
        _write(folder / PUBLIC_FILE, key.public_key().public_bytes_raw().hex())
    return Anchor(folder, _loaded_key(file))


def _loaded_key(file: Path) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(file.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise AuditError("audit_key", file=file.name) from error


def load_public(file: Path) -> Ed25519PublicKey:
    """Load the public key.

    Raises
    ------
    AuditError
        It is not there or not a key.
    """
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(file.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise AuditError("audit_key", file=file.name) from error


def load_anchored(file: Path, public: Ed25519PublicKey) -> Anchored | None:
    """Load an anchor file; None when there is none yet.

    Raises
    ------
    AuditError
        It was not signed with this key, or is damaged.
    """
    if not file.exists():
        return None
    try:
        content = json.loads(file.read_text("utf-8"))
        public.verify(bytes.fromhex(content["signature"]), content["anchor"].encode("utf-8"))
        return Anchored(**json.loads(content["anchor"]))
    except (OSError, ValueError, KeyError, TypeError, InvalidSignature) as error:
        raise AuditError("anchor_damaged", file=file.name) from error


def _write(file: Path, text: str) -> None:
    with NamedTemporaryFile(
        "w", encoding="utf-8", dir=file.parent, prefix=".partial-", delete=False
    ) as temporary:
        temporary.write(text)  # NamedTemporaryFile makes it readable by its owner alone
        temporary.flush()
        os.fsync(temporary.fileno())
    Path(temporary.name).replace(file)
