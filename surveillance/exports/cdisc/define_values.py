"""DefineValues: what a result is, test by test, and a qualifier, name by name (value level)."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from surveillance.exports.cdisc.datasets import Dataset, Row, qualifier_label
from surveillance.exports.cdisc.define_parts import Parts, define, element, text_of
from surveillance.exports.cdisc.standard import CHANGES, change_tests, sdtm_tests


def value_lists(parts: Parts, dataset: Dataset) -> None:
    """Add the value list of a dataset: of --ORRES by test, of QVAL by qualifier."""
    name = dataset.domain.name
    if name == "TR":
        _listed(parts, dataset, "TRORRES", "TRTESTCD")
    elif name.startswith("SUPP"):
        _listed(parts, dataset, "QVAL", "QNAM")


def _listed(parts: Parts, dataset: Dataset, variable: str, selector: str) -> None:
    name = f"{dataset.domain.name}.{variable}"
    rows: dict[str, list[Row]] = {}
    for row in dataset.rows:
        rows.setdefault(str(row[selector]), []).append(row)
    values = ET.Element(define("ValueListDef"), OID=f"VL.{name}")
    for order, (code, chosen) in enumerate(rows.items(), start=1):
        oid = f"{name}.{code}"
        reference = element(
            values, "ItemRef", ItemOID=f"IT.{oid}", OrderNumber=str(order), Mandatory="No"
        )
        element(reference, define("WhereClauseRef"), WhereClauseOID=f"WC.{oid}")
        _where(parts, oid, f"IT.{dataset.domain.name}.{selector}", code)
        _value(parts, oid, code, [str(row[variable]) for row in chosen])
    parts.lists.append(values)
    parts.listed.add(name)


def _where(parts: Parts, oid: str, selector: str, code: str) -> None:
    clause = ET.Element(define("WhereClauseDef"), OID=f"WC.{oid}")
    check = element(
        clause, "RangeCheck", {define("ItemOID"): selector}, SoftHard="Soft", Comparator="EQ"
    )
    element(check, "CheckValue").text = code
    parts.clauses.append(clause)


def _value(parts: Parts, oid: str, code: str, values: list[str]) -> None:
    there = [value for value in values if value]
    kind = "float" if there and all(map(_is_number, there)) else "text"
    item = parts.item(oid, code, kind, there)
    text_of(item, _meaning(code))
    item.set(define("CommentOID"), parts.comment(oid, _source(code)))
    element(item, define("Origin"), Type="Assigned", Source="Vendor")


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _sources() -> dict[str, tuple[str, set[str]]]:
    """Return the name of each test and where it comes from, by its code."""
    found: dict[str, tuple[str, set[str]]] = {}
    groups = [sdtm_tests(g) for g in ("program", "focus", "reader", "reader_focus", "reader_node")]
    for group in (*groups, *(change_tests(*change) for change in CHANGES)):
        for test in group:
            found.setdefault(test.code, (test.test, set()))[1].add(test.path)
    return found


def _meaning(code: str) -> str:
    known = _sources().get(code)
    return known[0] if known else qualifier_label(code)


def _source(code: str) -> str:
    known = _sources().get(code)
    if known:
        return "fields and questions: " + ", ".join(sorted(known[1]))
    stems = ((t.code.partition("{")[0], t.source) for t in sdtm_tests("qualifier"))
    return next(source for stem, source in stems if code.startswith(stem))
