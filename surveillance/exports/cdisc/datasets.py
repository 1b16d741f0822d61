"""Datasets: observations as rows of SDTM datasets, with sequence numbers and qualifiers."""

from __future__ import annotations

import textwrap
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from surveillance.exports.cdisc.observation import Observation, plain_number
from surveillance.exports.cdisc.standard import TEXT_MAX, Domain, Test, domain, sdtm_tests

Value = str | float | int | None
Row = Mapping[str, Value]
DOMAINS = ("TU", "TR", "RS")
NOT_DONE = "NOT DONE"
RESPONSE_CATEGORY = "PROTOCOL DEFINED RESPONSE CRITERIA"
_RELATED = (
    ("TU", "TULNKID", "ONE", "TUTR"),
    ("TR", "TRLNKID", "MANY", "TUTR"),
    ("TR", "TRLNKGRP", "MANY", "TRRS"),
    ("RS", "RSLNKGRP", "MANY", "TRRS"),
)
_ASCII = str.maketrans({"×": "x", "–": "-", "−": "-", "≥": ">=", "≤": "<=", "µ": "u", "±": "+/-"})


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset: every row has every variable, in the standard's order."""

    domain: Domain
    rows: tuple[Row, ...]

    def length(self, name: str) -> int:
        """Return the longest text of a variable in bytes, at least 1."""
        return max(len(str(row[name])) for row in self.rows) or 1

    def is_empty(self, name: str) -> bool:
        """Whether no record has a value."""
        return all(row[name] in ("", None) for row in self.rows)


def datasets(study: str, observations: Iterable[Observation]) -> tuple[Dataset, ...]:
    """Return TU, TR, RS, their qualifiers and RELREC; a dataset without records is left out.

    Rows are sorted by the keys of their dataset; texts are ASCII, as XPORT demands.
    """
    numbers: dict[tuple[str, str], int] = defaultdict(int)
    rows: dict[str, list[Row]] = defaultdict(list)
    for seen in sorted(observations, key=_order):
        name = seen.domain
        numbers[name, seen.subject] += 1
        number = numbers[name, seen.subject]
        row = _row(study, seen, number)
        rows[name].append(_complete(domain(name), row))
        extras = {**seen.extras, **_continued(seen)}
        for code, value in _qualifiers(extras):
            rows[f"SUPP{name}"].append(_supplement(row, seen, number, code, value))
    if rows["TU"] and rows["TR"]:
        rows["RELREC"] = [_related(study, *related) for related in _RELATED]
    supplements = tuple(f"SUPP{name}" for name in DOMAINS)
    for name in supplements:
        rows[name].sort(key=partial(_key, domain(name).keys))
    names = (*DOMAINS, *supplements, "RELREC")
    return tuple(Dataset(domain(name), tuple(rows[name])) for name in names if rows[name])


def _key(keys: tuple[str, ...], row: Row) -> tuple[str, ...]:
    return tuple(str(row[key]) for key in keys)


def _order(seen: Observation) -> tuple[str, str, float, str, str]:
    if seen.domain == "TU":
        return seen.subject, "", 0.0, seen.link, ""
    return seen.subject, seen.by.identifier, seen.when.number, seen.link, seen.code


def plain_text(text: str) -> str:
    """Return a text in ASCII, without line breaks; what has no likeness becomes a question mark."""
    folded = unicodedata.normalize("NFKD", text.translate(_ASCII))
    kept = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return " ".join(kept.encode("ascii", "replace").decode("ascii").split())


def pieces(text: str) -> list[str]:
    """Return a text cut between words into pieces that a variable holds; none for an empty one."""
    return textwrap.wrap(plain_text(text), TEXT_MAX, break_on_hyphens=False)


def _row(study: str, seen: Observation, number: int) -> dict[str, Value]:
    done = seen.value is not None
    by, when = seen.by, seen.when
    number_of = seen.value if isinstance(seen.value, int | float) else None
    said = plain_text(str(seen.value or "")) if number_of is None else plain_number(number_of)
    own: dict[str, Value] = {
        "SEQ": number,
        "REFID": seen.reference,
        "LNKID": seen.link,
        "LNKGRP": f"{by.mark}-{when.label}",
        "TESTCD": seen.code,
        "TEST": seen.test,
        "CAT": RESPONSE_CATEGORY,
        "ORRES": said,
        "ORRESU": seen.unit if done else "",
        "STRESC": said,
        "STRESN": None if number_of is None else float(said),
        "STRESU": seen.unit if done else "",
        "STAT": "" if done else NOT_DONE,
        "REASND": "" if done else pieces(seen.reason)[0],
        "NAM": by.vendor,
        "LOC": seen.location[0],
        "LAT": seen.location[1],
        "METHOD": "MRI",
        "LOBXFL": "",
        "BLFL": "Y" if done and when.is_baseline else "",
        "EVAL": by.role,
        "EVALID": by.identifier,
        "ACPTFL": "Y" if seen.accepted else "",
        "DTC": when.day,
    }
    common: dict[str, Value] = {
        "STUDYID": study,
        "DOMAIN": seen.domain,
        "USUBJID": f"{study}-{seen.subject}",
        "VISITNUM": when.number,
        "VISIT": when.label,
    }
    return common | {f"{seen.domain}{name}": value for name, value in own.items()}


def _complete(kind: Domain, row: Row) -> Row:
    return {variable.name: row[variable.name] for variable in kind.variables}


def _continued(seen: Observation) -> dict[str, str]:
    """Return what a reason has beyond the first 200 characters."""
    if seen.value is not None:
        return {}
    rest = pieces(seen.reason)[1:]
    return {f"{seen.domain}REASN": " ".join(rest)} if rest else {}


def _qualifiers(extras: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield name and value; a numbered qualifier is one for each piece of its text."""
    for code, value in extras.items():
        template = _template(code)
        if "{" not in template.code:
            yield template.code, plain_text(value)
            continue
        for number, piece in enumerate(pieces(value), start=1):
            yield template.code.format(number), piece


def _template(code: str) -> Test:
    return next(t for t in sdtm_tests("qualifier") if t.code.partition("{")[0] == code)


def qualifier_label(code: str) -> str:
    """Return the label of a qualifier by its name."""
    for template in sdtm_tests("qualifier"):
        stem, numbered, _ = template.code.partition("{")
        if code == stem and not numbered:
            return template.test
        if numbered and code.startswith(stem) and code[len(stem) :].isdigit():
            return template.test.format(int(code[len(stem) :]))
    raise KeyError(code)


def _supplement(row: Row, seen: Observation, number: int, code: str, value: str) -> Row:
    return {
        "STUDYID": row["STUDYID"],
        "RDOMAIN": seen.domain,
        "USUBJID": row["USUBJID"],
        "IDVAR": f"{seen.domain}SEQ",
        "IDVARVAL": str(number),
        "QNAM": code,
        "QLABEL": qualifier_label(code),
        "QVAL": value,
        "QORIG": "Assigned",
        "QEVAL": seen.by.role,
    }


def _related(study: str, name: str, variable: str, kind: str, identifier: str) -> Row:
    return {
        "STUDYID": study,
        "RDOMAIN": name,
        "USUBJID": "",
        "IDVAR": variable,
        "IDVARVAL": "",
        "RELTYPE": kind,
        "RELID": identifier,
    }
