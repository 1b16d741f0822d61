"""Every sentence the code asks for exists, and every sentence that exists is asked for."""

import ast
import re
import string
from pathlib import Path

import pytest

from imaging import errors
from imaging.messages import keys, text
from readers import errors as readers_errors

ROOT = Path(__file__).parents[1]
ERROR_CLASSES = {
    name for tree in (errors, readers_errors) for name in vars(tree) if name.endswith("Error")
}
SOURCES = [
    p for folder in ("imaging", "readers", "surveillance") for p in (ROOT / folder).rglob("*.py")
]


def string_constants(tree):
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) is str}


def literal_calls(tree):
    """Yield (catalogue key, names of the values) of each call whose key is written out."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        first = node.args[0]
        if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
            continue
        given = {k.arg for k in node.keywords}
        if name == "text":
            yield first.value, given
        elif name in ERROR_CLASSES:
            yield f"error.{first.value}", given


def placeholders(sentence_key):
    catalogue = text.__globals__["_catalogue"]("en")
    return {
        name.split(".")[0].split("[")[0]
        for _, name, _, _ in string.Formatter().parse(catalogue[sentence_key])
        if name
    }


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_sentence_a_file_asks_for_exists_and_gets_its_values(path):
    for key, given in literal_calls(ast.parse(path.read_text(encoding="utf-8"))):
        assert key in keys(), f"{key} is not in the catalogue"
        if None not in given:  # None is **values, whose names cannot be read off
            assert placeholders(key) <= given, f"{key} lacks {placeholders(key) - given}"


def test_no_sentence_is_left_over():
    # A report's template asks in its own language: say("report.title").
    pages = (ROOT / "surveillance" / "render").glob("*.j2")
    used = {
        key for page in pages for key in re.findall(r'"([a-z0-9_.]+)"', page.read_text("utf-8"))
    }
    for path in SOURCES:
        used |= string_constants(ast.parse(path.read_text(encoding="utf-8")))
    # The viewer speaks TypeScript; test_viewer_typescript.py holds its section.
    # `f"report.flag_{level}"` asks for every key that begins so.
    begun = tuple(word for word in used if "." in word and word.endswith(("_", ".")))
    names = {key: key.split(".", 1)[1] for key in keys() if not key.startswith("viewer.")}
    unused = [k for k, name in names.items() if k not in used and name not in used]
    assert [key for key in unused if not key.startswith(begun)] == []


def test_an_unknown_key_is_a_bug_and_says_which():
    with pytest.raises(KeyError, match=r"error\.no_such"):
        text("error.no_such")
