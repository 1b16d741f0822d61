"""docs/reads.md names what exists."""

import importlib
import re
from pathlib import Path

from surveillance.cli import app

DOCS = (Path(__file__).parents[1] / "docs" / "reads.md").read_text("utf-8")
MODULES = ("accounts", "adjudication", "assigning", "audit_view", "cases", "final", "masks",
           "queries", "reading", "sessions", "signing", "worklist")  # fmt: skip


def test_every_function_the_page_names_is_there():
    named = re.findall(r"\b([a-z_]+)\.([a-z_]+)\b(?=\(|`)", DOCS)
    found = {(module, name) for module, name in named if module in MODULES}
    assert len(found) > 35
    for module, name in found:
        assert callable(getattr(importlib.import_module(f"readers.{module}"), name))
    report = importlib.import_module("readers.agreement.report")
    assert callable(report.report)
    assert callable(report.masks)


def test_the_commands_the_page_names_are_the_program_s():
    single = {c.callback.__name__.replace("_", "-") for c in app.registered_commands}
    groups = {
        f"{g.name} {c.callback.__name__}"
        for g in app.registered_groups
        for c in g.typer_instance.registered_commands
    }
    named = re.findall(r"^graftsite ((?:audit|export) [a-z]+|[a-z-]+)", DOCS, re.MULTILINE)
    assert len(named) == 6
    assert set(named) <= single | groups
