"""A validation of hours may be stopped: what is finished is shown, and the next run goes on."""

from dataclasses import replace
from pathlib import Path

import pytest

from imaging.protocol import load_protocol
from surveillance.validation.bench import Request, recipes
from surveillance.validation.case import ANALYTIC, KINDS, REAL, SIMULATED
from surveillance.validation.kept import Kept, key_of
from surveillance.validation.run import AUTOMATIC, in_turn, run, run_one
from surveillance.validation.source import Source

PROTOCOL = load_protocol()


def requested(folder, **said):
    plain = Request(folder, False, (ANALYTIC,), 1, (), (AUTOMATIC,), 1)
    return replace(plain, **said)


@pytest.fixture(scope="module")
def done():
    (first, *_) = recipes(requested(Path()))
    return first, run_one(first, PROTOCOL, (AUTOMATIC,))


def test_a_kept_case_comes_back_as_it_was(done, tmp_path):
    recipe, made = done
    kept = Kept(tmp_path / "cases", "one key")
    assert kept.found(recipe.name) is None
    kept.keep(recipe.name, made)
    assert kept.found(recipe.name) == made
    assert made[0][0].dice > 0.9
    (tmp_path / "cases" / f"{recipe.name}.json").write_text('{"key": "one key", "rows"')
    assert kept.found(recipe.name) is None, "a damaged file is no result"


def test_what_another_program_protocol_or_image_made_is_not_used(done, tmp_path):
    recipe, made = done
    Kept(tmp_path, "one key").keep(recipe.name, made)
    assert Kept(tmp_path, "another key").found(recipe.name) is None
    image, outline = tmp_path / "t2.nii", tmp_path / "outline.json"
    image.write_bytes(b"first")
    outline.write_bytes(b"drawn")
    sources = (Source(image, outline),)
    first = key_of(PROTOCOL, (AUTOMATIC,), sources)
    assert first == key_of(PROTOCOL, (AUTOMATIC,), sources)
    other = PROTOCOL.model_copy(update={"sha256": "0" * 64})
    keys = {first, key_of(other, (AUTOMATIC,), sources), key_of(PROTOCOL, ("other",), sources)}
    image.write_bytes(b"second")
    keys.add(key_of(PROTOCOL, (AUTOMATIC,), sources))
    assert len(keys) == 4


def test_an_interrupt_keeps_what_was_finished_and_the_next_run_does_the_rest(done, tmp_path):
    first, made = done
    kept, told = Kept(tmp_path, "key"), []
    kept.keep(first.name, made)
    (rows, pictures), missing = run(
        (first, _Interrupted()), PROTOCOL, (AUTOMATIC,), 1, told.append, kept
    )
    assert (rows, pictures) == made
    assert missing == ("interrupted",)
    assert told == []


class _Interrupted:
    """A recipe during which somebody presses Ctrl-C."""

    name, kind, split = "interrupted", ANALYTIC, "development"

    def make(self):
        raise KeyboardInterrupt


def test_a_run_that_is_stopped_has_seen_the_same_share_of_every_kind(tmp_path):
    source = Source(tmp_path / "t2.nii", tmp_path / "outline.json")
    asked = recipes(requested(tmp_path, full=True, kinds=KINDS, only=None, sources=(source,)))
    half = [recipe.kind for recipe in in_turn(asked)][: len(asked) // 2]
    for kind in (ANALYTIC, SIMULATED, REAL):
        whole = sum(recipe.kind == kind for recipe in asked)
        assert abs(half.count(kind) - whole / 2) <= 1
