"""DefineTerms: the codelists of define.xml, with the terms that occur."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from surveillance.exports.cdisc.datasets import Dataset, qualifier_label
from surveillance.exports.cdisc.define_parts import Parts, define, element, text_of
from surveillance.exports.cdisc.standard import codelist


def codelists(parts: Parts, datasets: Sequence[Dataset]) -> None:
    """Add a codelist for each that a variable refers to; a term is ours unless CDISC has it."""
    for oid, values in sorted(_used(datasets).items()):
        known = codelist(oid)
        made = ET.Element("CodeList", OID=f"CL.{oid}", Name=known.name, DataType="text")
        if known.code is None:
            made.set(define("IsNonStandard"), "Yes")
        else:
            made.set(define("StandardOID"), "STD.CT")
        decodes = dict(_decodes(oid, datasets))
        for value in sorted(values):
            _term(made, value, decodes.get(value), known.code and value not in known.terms)
        if known.code:
            element(made, "Alias", Context="nci:ExtCodeID", Name=known.code)
        parts.codelists.append(made)


def _used(datasets: Sequence[Dataset]) -> dict[str, set[str]]:
    used: dict[str, set[str]] = {}
    for dataset in datasets:
        for variable in dataset.domain.variables:
            if variable.codelist:
                values = {str(row[variable.name]) for row in dataset.rows}
                used.setdefault(variable.codelist, set()).update(values - {""})
    return {oid: values or set(_all_of(oid)) for oid, values in used.items()}


def _all_of(oid: str) -> Iterator[str]:
    """Yield all terms of a list of which none occurs: an empty list is not allowed."""
    known = codelist(oid)
    yield from (*known.terms, *known.own)


def _decodes(oid: str, datasets: Sequence[Dataset]) -> Iterator[tuple[str, str]]:
    """Yield what a short name means, for lists of short names."""
    for dataset in datasets:
        for row in dataset.rows:
            if oid.endswith("TESTCD") and oid in row:
                yield str(row[oid]), str(row[oid.removesuffix("CD")])
            elif oid == "QNAM" and oid in row:
                yield str(row[oid]), qualifier_label(str(row[oid]))


def _term(parent: ET.Element, value: str, decode: str | None, is_own: object) -> None:
    tag = "EnumeratedItem" if decode is None else "CodeListItem"
    item = element(parent, tag, CodedValue=value)
    if is_own:
        item.set(define("ExtendedValue"), "Yes")
    if decode is not None:
        text_of(item, decode, "Decode")
