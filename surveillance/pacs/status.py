"""Status: what the number at the end of a DIMSE response means (PS3.4, PS3.7 annex C)."""

from __future__ import annotations

from pynetdicom import status as tables

SUCCESS = 0x0000
OUT_OF_RESOURCES = 0xA700
DOES_NOT_MATCH = 0xA900
_TABLES = {
    "C-STORE": tables.STORAGE_SERVICE_CLASS_STATUS,
    "C-FIND": tables.QR_FIND_SERVICE_CLASS_STATUS,
    "C-GET": tables.QR_GET_SERVICE_CLASS_STATUS,
    "C-MOVE": tables.QR_MOVE_SERVICE_CLASS_STATUS,
}


def is_pending(code: int) -> bool:
    """Whether more responses follow."""
    return tables.code_to_category(code) == tables.STATUS_PENDING


def is_done(code: int) -> bool:
    """Whether the service was performed, perhaps with a remark such as an attribute coerced."""
    return tables.code_to_category(code) in (tables.STATUS_SUCCESS, tables.STATUS_WARNING)


def is_out_of_resources(code: int) -> bool:
    """Whether the other side has no room now; later it may."""
    return code in {OUT_OF_RESOURCES, 0xA701}


def is_unable(code: int) -> bool:
    """Whether this one request failed, and another may not."""
    return code & 0xF000 == 0xC000 or code == 0xA702


def meaning(service: str, code: int) -> str:
    """Return the number, and what the standard says it means."""
    table = _TABLES.get(service, tables.GENERAL_STATUS)
    said = table.get(code, tables.GENERAL_STATUS.get(code, ("", "")))[1]
    return f"0x{code:04X} {said}".strip()
