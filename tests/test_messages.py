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
PAGES = [*(ROOT / "surveillance/ui/form").glob("*.js"), *(ROOT / "surveillance").rglob("*.j2")]


def string_constants(tree):
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) is str}


def composed_keys(tree):
    """Yield patterns of the keys that f-strings make: `f"progress.basis_{x}"`, any x."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [p.value if isinstance(p, ast.Constant) else "" for p in node.values]
            if re.fullmatch(r"[a-z0-9_.]{4,}", "".join(parts)):
                yield "".join(re.escape(part) or r"[a-z0-9_]+" for part in parts)


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
    assert text("summary.subject", "zh") == text("summary.subject")


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_sentence_a_file_asks_for_exists_and_gets_its_values(path):
    for key, given in literal_calls(ast.parse(path.read_text(encoding="utf-8"))):
        assert key in keys(), f"{key} is not in the catalogue"
        if None not in given:  # None is **values, whose names cannot be read off
            assert placeholders(key) <= given, f"{key} lacks {placeholders(key) - given}"


def test_no_sentence_is_left_over():
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]
    used = set().union(*map(string_constants, trees))
    patterns = [pattern for tree in trees for pattern in composed_keys(tree)]
    for page in PAGES:
        words = set(re.findall(r"[a-z0-9_.]+", page.read_text(encoding="utf-8")))
        used |= words | {part for word in words for part in word.split(".")}
        # A template composes a key by `"report.kind_" ~ kind`.
        patterns += [re.escape(word) + "[a-z0-9_]+" for word in words if word.endswith("_")]
    composed = re.compile("|".join(patterns))
    # The viewer speaks TypeScript; test_viewer_typescript.py holds its section.
    names = {key: key.split(".", 1)[1] for key in keys() if not key.startswith("viewer.")}
    left = [key for key, name in names.items() if key not in used and name not in used]
    whole = [key for key in left if not composed.fullmatch(key)]
    assert [key for key in whole if not composed.fullmatch(names[key])] == []


def test_an_unknown_key_is_a_bug_and_says_which():
    with pytest.raises(KeyError, match=r"error\.no_such"):
        text("error.no_such")
