"""DefineParts: the pieces of a define.xml, collected and put into the schema's order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from surveillance.exports.cdisc.standard import terminology_release


def define(name: str) -> str:
    """Return a name of Define-XML's own namespace."""
    return f"def:{name}"


def element(
    parent: ET.Element, tag: str, attributes: Mapping[str, str] | None = None, /, **more: str
) -> ET.Element:
    """Add an element below another."""
    return ET.SubElement(parent, tag, {**more, **(attributes or {})})


def text_of(parent: ET.Element, words: str, tag: str = "Description") -> None:
    """Add a translated text in English."""
    translated = element(element(parent, tag), "TranslatedText", {"xml:lang": "en"})
    translated.text = words


def standards(version: ET.Element) -> None:
    """Add which standards the datasets follow."""
    group = element(version, define("Standards"))
    rows = (
        {"OID": "STD.SDTMIG", "Name": "SDTMIG", "Type": "IG", "Version": "3.4"},
        {"OID": "STD.CT", "Name": "CDISC/NCI", "Type": "CT", "PublishingSet": "SDTM",
         "Version": terminology_release()},
    )  # fmt: skip
    for row in rows:
        element(group, define("Standard"), {**row, "Status": "Final"})


@dataclass(slots=True)
class Parts:
    """Elements by kind; `listed` are the items that have a list of values."""

    lists: list[ET.Element] = field(default_factory=list)
    clauses: list[ET.Element] = field(default_factory=list)
    groups: list[ET.Element] = field(default_factory=list)
    items: list[ET.Element] = field(default_factory=list)
    codelists: list[ET.Element] = field(default_factory=list)
    methods: list[ET.Element] = field(default_factory=list)
    comments: list[ET.Element] = field(default_factory=list)
    listed: set[str] = field(default_factory=set)

    def in_order(self) -> Iterator[ET.Element]:
        """Yield all elements as the schema of MetaDataVersion orders them."""
        yield from self.lists
        yield from self.clauses
        yield from self.groups
        yield from self.items
        yield from self.codelists
        yield from self.methods
        yield from self.comments

    def item(
        self, oid: str, name: str, kind: str, values: Sequence[object], label: str | None = None
    ) -> ET.Element:
        """Add an item with the length that its values need."""
        item = ET.Element("ItemDef", {"OID": f"IT.{oid}", "Name": name, "SASFieldName": name,
                                      "DataType": kind})  # fmt: skip
        said = [f"{value:.15g}" if isinstance(value, float) else str(value) for value in values]
        if kind != "date":
            item.set("Length", str(max([1, *map(len, said)])))
        if kind == "float":
            digits = max((len(text.partition(".")[2]) for text in said), default=0)
            item.set("SignificantDigits", str(digits))
        if label is not None:
            text_of(item, label)
        self.items.append(item)
        return item

    def method(self, name: str, words: str) -> None:
        """Add how a variable is derived."""
        method = ET.Element("MethodDef", OID=f"MT.{name}", Name=f"Derivation of {name}",
                            Type="Computation")  # fmt: skip
        text_of(method, words)
        self.methods.append(method)

    def comment(self, name: str, words: str) -> str:
        """Add where a variable comes from; return the comment's OID."""
        comment = ET.Element(define("CommentDef"), OID=f"COM.{name}")
        text_of(comment, words)
        self.comments.append(comment)
        return f"COM.{name}"
