"""The TypeScript of the viewer: its own tests, its bundle, and its geometry against Python's."""

import itertools
import json
import re
import subprocess
import tomllib
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from viewer_frontend import FRONTEND, NODE, STATIC, need_node_modules

from imaging.geometry import Geometry, to_ras
from imaging.messages import keys
from surveillance.ui.viewer import viewer_texts


def node(*arguments, stdin=None):
    return subprocess.run(
        [NODE, *map(str, arguments)],
        cwd=FRONTEND, input=stdin, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_tests_of_the_typescript_pass():
    run = node("--test", "test/*.test.ts")
    assert run.returncode == 0, run.stdout[-4000:]
    assert int(re.search(r"^. pass (\d+)$", run.stdout, re.M)[1]) > 50


def test_the_committed_bundle_is_what_the_source_builds(tmp_path):
    need_node_modules()
    run = node("build.mjs", tmp_path)
    assert run.returncode == 0, run.stderr
    built = {f.name: f.read_bytes() for f in tmp_path.iterdir()}
    committed = {f.name: f.read_bytes() for f in STATIC.iterdir()}
    assert len(built) == 2
    assert built == committed, "run `make viewer` and commit surveillance/ui/viewer/static"


def test_the_bundle_fetches_nothing_from_elsewhere():
    for file in STATIC.iterdir():
        hosts = re.findall(r"https?://[\w.]+", file.read_text(encoding="utf-8"))
        assert set(hosts) <= {"http://www.w3.org"}  # the name of SVG, never fetched


def test_the_lock_names_no_host():
    assert "http" not in re.sub(
        r'"url": "https?://[^"]+"', "", (FRONTEND / "package-lock.json").read_text(encoding="utf-8")
    )


def axis_grids():
    """All 48 ways an array can lie along the patient's axes."""
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            affine = np.eye(4)
            affine[:3, :3] = 0
            for axis, (lps, sign, mm) in enumerate(zip(order, signs, (0.8, 1.1, 4.0), strict=True)):
                affine[lps, axis] = sign * mm
            affine[:3, 3] = (-31, 12, 55)
            yield affine


def oblique_grids():
    """Axis grids tilted up to 40 degrees about two axes."""
    rng = np.random.default_rng(3)
    for affine in axis_grids():
        a, b = np.radians(rng.uniform(-40, 40, 2))
        x = [[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]
        z = [[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]]
        tilted = affine.copy()
        tilted[:3, :3] = np.array(x) @ np.array(z) @ affine[:3, :3]
        yield tilted


def shown(affines):
    run = node("test/letters.ts", stdin=json.dumps([a.ravel().tolist() for a in affines]))
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_every_acquisition_orientation_is_shown_with_the_patients_left_on_the_right():
    for planes in shown(list(axis_grids())):
        for plane, edges in zip(planes, ("RLAP", "RLHF", "APHF"), strict=True):
            assert [plane[e] for e in ("left", "right", "top", "bottom")] == list(edges)


def test_screen_axes_run_where_nibabel_says_the_voxel_axes_do():
    """nibabel's axis codes are an independent reading of the same affine (in RAS)."""
    affines = list(axis_grids())
    for affine, planes in zip(affines, shown(affines), strict=True):
        codes = nib.aff2axcodes(to_ras(affine), (("L", "R"), ("P", "A"), ("F", "H")))
        for plane, (right, down) in zip(planes, ("LP", "LF", "PF"), strict=True):
            opposite = {"L": "R", "P": "A", "F": "H"}
            for (axis, sign), letter in zip(plane["across"][:2], (right, down), strict=True):
                assert codes[axis] == (letter if sign == 1 else opposite[letter])


def test_an_oblique_grid_is_read_as_the_geometry_of_python_reads_it():
    affines = list(oblique_grids())
    for affine, planes in zip(affines, shown(affines), strict=True):
        geometry = Geometry(affine, (4, 5, 6))
        toward = [geometry.axis_toward(lps) for lps in range(3)]
        left, posterior = toward[0], toward[1]
        feet = (toward[2][0], -toward[2][1])
        wanted = [[left, posterior, feet], [left, feet, posterior], [posterior, feet, left]]
        assert [[tuple(a) for a in p["across"]] for p in planes] == wanted


def test_an_oblique_grid_gets_the_letters_of_its_own_directions():
    affines = list(oblique_grids())
    for affine, planes in zip(affines, shown(affines), strict=True):
        directions = Geometry(affine, (4, 5, 6)).directions
        axis, sign = planes[0]["across"][0]
        right = directions[:, axis] * sign
        strongest = (
            "LPH"[np.abs(right).argmax()]
            if right[np.abs(right).argmax()] > 0
            else ("RAF"[np.abs(right).argmax()])
        )
        assert planes[0]["right"][0] == strongest
        assert len(planes[0]["right"]) == int((np.abs(right) >= np.sin(np.radians(15))).sum())


SOURCE = "\n".join(f.read_text(encoding="utf-8") for f in sorted((FRONTEND / "src").glob("*.ts")))


def test_every_word_of_the_viewer_is_in_the_catalogue_and_every_sentence_is_said():
    names = set(viewer_texts())
    commands = set(re.findall(r'\{ name: "(\w+)"', SOURCE)) | {
        f"{kind}_{name}"
        for kind in ("layout", "plane", "tool")
        for name in re.findall(rf'\b{kind}\("(\w+)"', SOURCE)
    }
    said = set(re.findall(r"\btexts\??\.(\w+)", SOURCE)) | commands
    said |= {f"preset_{n}" for n in range(1, 5)} | set(re.findall(r'"(\w+)", 0, ', SOURCE))
    said |= set(re.findall(r'this\.s(?:elect|lider)\("(\w+)"', SOURCE))
    said |= set(re.findall(r'\bsay\("(\w+)"', SOURCE))
    said |= {f"layer_{n}" for n in ("graft", "rectus_left", "rectus_right")}
    said |= {f"save_{n}" for n in ("saved", "unsaved", "saving", "failed")}
    presets = {name for name in names if re.match(r"preset_[a-z]", name)}
    assert said <= names, f"not in the catalogue: {said - names}"
    assert names <= said | presets, f"never said: {names - said - presets}"


@pytest.mark.parametrize("language", ["zh"])
def test_every_word_of_the_viewer_is_translated(language):
    catalogue = Path(__file__).parents[1] / "imaging" / "catalogue"
    english = tomllib.loads((catalogue / "en" / "viewer.toml").read_text(encoding="utf-8"))
    other = tomllib.loads((catalogue / language / "viewer.toml").read_text(encoding="utf-8"))
    assert list(other) == list(english)
    assert {f"viewer.{name}" for name in english} <= set(keys(language))
    assert viewer_texts(language)["tool_brush"] != viewer_texts()["tool_brush"]
