"""DefineXml: what the datasets hold, as CDISC Define-XML 2.1."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from surveillance.exports.cdisc.datasets import Dataset
from surveillance.exports.cdisc.define_parts import Parts, define, element, standards, text_of
from surveillance.exports.cdisc.define_terms import codelists
from surveillance.exports.cdisc.define_values import value_lists
from surveillance.exports.cdisc.standard import Variable
from surveillance.exports.cdisc.submission import Submission

ODM = "http://www.cdisc.org/ns/odm/v1.3"
XLINK = "http://www.w3.org/1999/xlink"
VERSION = "2.1.0"


def define_xml(datasets: Sequence[Dataset], submission: Submission) -> str:
    """Return define.xml: datasets, variables, tests and qualifiers by value, codelists, origins."""
    root = ET.Element(
        "ODM",
        {
            "xmlns": ODM,
            "xmlns:xlink": XLINK,
            "xmlns:def": "http://www.cdisc.org/ns/def/v2.1",
            "ODMVersion": "1.3.2",
            "FileType": "Snapshot",
            "FileOID": f"{submission.file_oid}/define",
            "CreationDateTime": submission.created,
            "AsOfDateTime": submission.created,
            "Originator": "graftsite",
            "SourceSystem": "graftsite",
            "SourceSystemVersion": submission.program_version,
            define("Context"): "Other",
        },
    )
    study = element(root, "Study", OID=submission.study_oid)
    named = element(study, "GlobalVariables")
    for tag, words in (
        ("StudyName", submission.study),
        ("StudyDescription", "MRI assessment of the graft site in the left rectus abdominis"),
        ("ProtocolName", submission.study),
    ):
        element(named, tag).text = words
    version = element(
        study, "MetaDataVersion",
        {define("DefineVersion"): VERSION},
        OID=submission.metadata_oid,
        Name=f"{submission.study} imaging reads",
        Description="SDTM datasets TU, TR and RS of the graft site, with their qualifiers",
    )  # fmt: skip
    standards(version)
    _fill(version, datasets)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _fill(version: ET.Element, datasets: Sequence[Dataset]) -> None:
    """Add the parts in the order that the schema demands."""
    parts = Parts()
    for dataset in datasets:
        value_lists(parts, dataset)
        _group(parts, dataset)
    codelists(parts, datasets)
    for part in parts.in_order():
        version.append(part)


def _group(parts: Parts, dataset: Dataset) -> None:
    kind = dataset.domain
    group = ET.Element(
        "ItemGroupDef",
        {
            "OID": f"IG.{kind.name}",
            "Name": kind.name,
            "Repeating": "Yes",
            "IsReferenceData": "No",
            "SASDatasetName": kind.name,
            "Domain": kind.name.removeprefix("SUPP"),
            "Purpose": "Tabulation",
            define("Structure"): kind.structure,
            define("StandardOID"): "STD.SDTMIG",
            define("ArchiveLocationID"): f"LF.{kind.name}",
        },
    )
    text_of(group, kind.label)
    for order, variable in enumerate(kind.variables, start=1):
        _reference(group, dataset, variable, order)
        _item(parts, dataset, variable)
    element(group, define("Class"), Name=kind.kind)
    leaf = element(
        group, define("leaf"), {"xlink:href": f"{kind.name.lower()}.xpt"}, ID=f"LF.{kind.name}"
    )
    element(leaf, define("title")).text = f"{kind.name.lower()}.xpt"
    parts.groups.append(group)


def _reference(group: ET.Element, dataset: Dataset, variable: Variable, order: int) -> None:
    name, keys = f"{dataset.domain.name}.{variable.name}", dataset.domain.keys
    attributes = {
        "ItemOID": f"IT.{name}",
        "OrderNumber": str(order),
        "Mandatory": "Yes" if variable.core == "Req" else "No",
    }
    if variable.name in keys:
        attributes["KeySequence"] = str(keys.index(variable.name) + 1)
    if variable.origin == "Derived":
        attributes["MethodOID"] = f"MT.{name}"
    if dataset.is_empty(variable.name):
        attributes[define("HasNoData")] = "Yes"
    element(group, "ItemRef", attributes)


def _item(parts: Parts, dataset: Dataset, variable: Variable) -> None:
    name = f"{dataset.domain.name}.{variable.name}"
    derived = variable.origin == "Derived"
    values = [row[variable.name] for row in dataset.rows]
    item = parts.item(name, variable.name, variable.type, values, variable.label)
    if derived:
        parts.method(name, variable.source)
    else:
        item.set(define("CommentOID"), parts.comment(name, variable.source))
    if variable.codelist:
        element(item, "CodeListRef", CodeListOID=f"CL.{variable.codelist}")
    origin = element(item, define("Origin"), Type=variable.origin)
    if variable.origin != "Not Available":
        origin.set("Source", "Sponsor" if variable.origin == "Protocol" else "Vendor")
    if name in parts.listed:
        element(item, define("ValueListRef"), ValueListOID=f"VL.{name}")
