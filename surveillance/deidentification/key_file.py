"""Key file: a key sealed by a passphrase.

AES-256-GCM under a key that scrypt derives from the passphrase (RFC 7914; parameters as the
Password Storage Cheat Sheet of OWASP has them).
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from imaging.errors import DeidentificationError
from surveillance.deidentification.key import Key, Person
from surveillance.exports.writing import write_with

FORMAT = "graftsite de-identification key 1"
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**17, 8, 1


def open_key(path: Path, passphrase: str) -> Key:
    """Open a sealed key.

    Raises
    ------
    DeidentificationError
        It is no key file, was altered, or the passphrase is another one.
    """
    try:
        sealed = json.loads(path.read_bytes())[FORMAT]
        salt, nonce, content = (
            base64.b64decode(sealed[name], validate=True) for name in ("salt", "nonce", "content")
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DeidentificationError("key_unreadable", file=path) from error
    try:
        plain = AESGCM(_derived(passphrase, salt)).decrypt(nonce, content, FORMAT.encode())
    except InvalidTag as error:
        raise DeidentificationError("key_not_opened", file=path) from error
    return _from_json(json.loads(plain))


def save_key(key: Key, path: Path, passphrase: str) -> None:
    """Seal a key, with a fresh salt and nonce each time; only its owner may read the file.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    salt, nonce = os.urandom(16), os.urandom(12)
    plain = json.dumps(_as_json(key)).encode()
    content = AESGCM(_derived(passphrase, salt)).encrypt(nonce, plain, FORMAT.encode())
    parts = {"salt": salt, "nonce": nonce, "content": content}
    sealed = {name: base64.b64encode(part).decode() for name, part in parts.items()}
    text = json.dumps({FORMAT: sealed}, indent=1)
    write_with(path, lambda temporary: temporary.write_text(text + "\n", encoding="utf-8"))
    path.chmod(0o600)


def _derived(passphrase: str, salt: bytes) -> bytes:
    kdf = Scrypt(salt=salt, length=32, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P)
    return kdf.derive(passphrase.encode())


def _as_json(key: Key) -> dict[str, Any]:
    people = [
        {
            "patients": {original: key.patient_id(original) for original in sorted(p.patient_ids)},
            "subjects": {original: key.subject_id(original) for original in sorted(p.subject_ids)},
            "shift_days": p.shift_days,
        }
        for p in key.people
    ]
    return {"secret": key.secret.hex(), "people": people}


def _from_json(content: dict[str, Any]) -> Key:
    people = (
        Person(frozenset(p["patients"]), frozenset(p["subjects"]), p["shift_days"])
        for p in content["people"]
    )
    return Key(bytes.fromhex(content["secret"]), tuple(people))
