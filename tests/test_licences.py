"""What the program depends on: known licences, all compatible, and a bill of materials."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def page_maker():
    spec = importlib.util.spec_from_file_location("licences", ROOT / "docs" / "make_licences.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_package_leaves_a_choice_that_asks_nothing_of_the_program():
    maker = page_maker()
    refused = {
        name: options
        for name, options in maker.licences()
        if not any(option <= set(maker.ALLOWED) for option in options)
    }
    assert refused == {}


def test_a_package_under_the_gpl_alone_would_be_refused():
    maker = page_maker()
    assert maker._spdx("License :: OSI Approved :: GNU General Public License v3 (GPLv3)") == "GPL"
    assert not {"GPL", "LGPL", "AGPL-3.0"} & set(maker.ALLOWED)


def test_the_page_lists_what_is_locked_now():
    maker = page_maker()
    assert maker.PAGE.read_text(encoding="utf-8") == maker.page(), "run make licences"


def test_the_bill_of_materials_holds_every_locked_package_with_its_hashes(tmp_path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(r"^sbom:[^\n]*\n(.*?)\n\n", makefile, re.MULTILINE | re.DOTALL)[1]
    line = recipe.replace("\\\n", " ").replace("$(BIN)", str(Path(sys.executable).parent))
    subprocess.run(
        line.replace("sbom.json", str(tmp_path / "s.json")).split(), cwd=ROOT, check=True
    )
    components = json.loads((tmp_path / "s.json").read_text())["components"]
    found = {c["name"].lower() for c in components}
    assert found == {name for name, _ in page_maker().licences()}
    assert all(c["externalReferences"][0]["hashes"] for c in components)
