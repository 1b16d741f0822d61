"""Every sentence the code asks for exists, and every sentence that exists is asked for."""

import ast
import re
import string
from pathlib import Path

import pytest

from imaging import errors
from imaging.messages import keys, text
from readers import errors as readers_errors
from surveillance import errors as surveillance_errors

ROOT = Path(__file__).parents[1]
ERROR_CLASSES = {
    name
    for tree in (errors, readers_errors, surveillance_errors)
    for name in vars(tree)
    if name.endswith("Error")
}
SOURCES = [
    p for folder in ("imaging", "readers", "surveillance") for p in (ROOT / folder).rglob("*.py")
]


def string_constants(tree):
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) is str}


def composed_keys(tree):
    """Return patterns of the keys that a file composes, `dispute.outline_{side}`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            parts = (
                re.escape(v.value) if isinstance(v, ast.Constant) else ".+" for v in node.values
            )
            found.add("".join(parts))
    return {pattern for pattern in found if re.match(r"[a-z_]+\\\.", pattern)}


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


def placeholders(sentence_key, language="en"):
    catalogue = text.__globals__["_catalogue"](language)
    return {
        name.split(".")[0].split("[")[0]
        for _, name, _, _ in string.Formatter().parse(catalogue[sentence_key])
        if name
    }


def section(key):
    return key.partition(".")[0]


def test_what_the_application_says_is_all_translated_with_the_same_values():
    translated = {section(key) for key in keys("zh")}
    assert {"reading", "viewer", "worklist", "signing", "error"} <= translated
    # Of the errors only those that a reader meets are translated.
    whole = {key for key in keys() if section(key) in translated - {"error"}}
    assert whole == {key for key in keys("zh") if section(key) != "error"}
    assert set(keys("zh")) <= set(keys())
    assert [k for k in keys("zh") if placeholders(k, "zh") != placeholders(k)] == []


def test_a_sentence_without_a_translation_comes_in_english():
    assert text("reason.empty_mask", "zh") == text("reason.empty_mask")


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_sentence_a_file_asks_for_exists_and_gets_its_values(path):
    for key, given in literal_calls(ast.parse(path.read_text(encoding="utf-8"))):
        assert key in keys(), f"{key} is not in the catalogue"
        if None not in given:  # None is **values, whose names cannot be read off
            assert placeholders(key) <= given, f"{key} lacks {placeholders(key) - given}"


def test_no_sentence_is_left_over():
    used, composed = set(), set()
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        used |= string_constants(tree)
        composed |= composed_keys(tree)
    # The viewer speaks TypeScript; test_viewer_typescript.py holds its section.
    names = {key: key.split(".", 1)[1] for key in keys() if not key.startswith("viewer.")}
    left = [k for k, name in names.items() if k not in used and name not in used]
    left = [k for k in left if not any(re.fullmatch(pattern, k) for pattern in composed)]
    form = (ROOT / "surveillance" / "ui" / "form" / "form.js").read_text(encoding="utf-8")
    assert [k for k in left if k.replace("form_texts.", "texts.") not in form] == []


def test_an_unknown_key_is_a_bug_and_says_which():
    with pytest.raises(KeyError, match=r"error\.no_such"):
        text("error.no_such")
