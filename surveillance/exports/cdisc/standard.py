"""Standard: the SDTM datasets, tests and codelists that are written, as the TOML files here say."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

NAME_MAX, LABEL_MAX, TEXT_MAX = 8, 40, 200
"""XPORT version 5: characters of a name, of a label, bytes of a text."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a dataset; `type` is text, integer, float or date."""

    name: str
    label: str
    core: str
    origin: str
    source: str
    type: str = "text"
    codelist: str | None = None


@dataclass(frozen=True, slots=True)
class Domain:
    """One dataset; `keys` identify a record."""

    name: str
    label: str
    kind: str
    structure: str
    keys: tuple[str, ...]
    variables: tuple[Variable, ...]


@dataclass(frozen=True, slots=True)
class Test:
    """One SDTM test, and the field or question it comes from; see tests.toml."""

    code: str
    test: str
    path: str = ""
    unit: str | None = None
    interval: str | None = None
    region: str = "GRAFT"
    series: str = "t2w_fs"
    undecided_with: str | None = None
    why: str = ""
    source: str = ""


@cache
def domain(name: str) -> Domain:
    """Return a dataset by name; SUPPTU, SUPPTR and SUPPRS are made from one description."""
    table = _loaded("domains.toml")["SUPP" if name.startswith("SUPP") else name]
    return Domain(
        name=name,
        label=table["label"].format(domain=name[4:]),
        kind=table["class"],
        structure=table["structure"],
        keys=tuple(table["keys"]),
        variables=tuple(Variable(source=v.pop("from"), **v) for v in _copies(table["variables"])),
    )


@cache
def sdtm_tests(group: str) -> tuple[Test, ...]:
    """Return the tests of one group of tests.toml, in its order."""
    rows = _copies(_loaded("tests.toml")[group])
    return tuple(Test(source=row.pop("from", ""), **row) for row in rows)


@cache
def change_tests(letter: str, name: str, block: str) -> tuple[Test, ...]:
    """Return the tests of a change: against the baseline or the nadir."""
    return tuple(
        Test(t.code.format(letter), t.test.format(name), f"{block}.{t.path}", t.unit)
        for t in sdtm_tests("change")
    )


CHANGES = (("B", "Baseline", "change"), ("N", "Nadir", "change_from_nadir"))


@dataclass(frozen=True, slots=True)
class Codelist:
    """Terms a variable may have; `own` are not in CDISC's list `code`."""

    name: str
    code: str | None
    terms: tuple[str, ...]
    own: tuple[str, ...]


@cache
def codelist(oid: str) -> Codelist:
    """Return a codelist of terms.toml."""
    table = _loaded("terms.toml")[oid]
    terms, own = tuple(table.get("terms", ())), tuple(table.get("own", ()))
    return Codelist(table["name"], table.get("code"), terms, own)


def terminology_release() -> str:
    """Return the release of CDISC's controlled terminology that the lists are taken from."""
    return str(_loaded("terms.toml")["release"])


def _copies(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (dict(row) for row in rows)


@cache
def _loaded(name: str) -> dict[str, Any]:
    text = files("surveillance.exports.cdisc").joinpath(name).read_text(encoding="utf-8")
    return tomllib.loads(text)
