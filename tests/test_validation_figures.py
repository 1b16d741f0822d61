"""The quick bench's figures, held with margins on one case of every kind.

The whole quick bench takes ten minutes. These cases stand for it: the first of its analytic and of
its simulated ones, and of its real ones one that is neither its best nor its worst. Bounds are what
the bench reached on them (docs/validation.md), less a margin; what must never be has none.
"""

import pytest
from outlined import ANNOTATIONS

from imaging.protocol import load_protocol
from surveillance.validation import analytic, real, simulated, statistics
from surveillance.validation.run import AUTOMATIC, SEEDED, run_one
from surveillance.validation.source import public_sources
from surveillance.validation.targets import dice_least

PROTOCOL = load_protocol()


@pytest.fixture(scope="module")
def formulas():
    """A graft of 7 and 11 mL in an abdomen that is a formula, without help."""
    return run_one(next(iter(analytic.recipes(1))), PROTOCOL, [AUTOMATIC])[0]


@pytest.fixture(scope="module")
def made():
    """A simulated adult's graft of 3.5 mL that stays, without help."""
    return run_one(next(iter(simulated.recipes(1))), PROTOCOL, [AUTOMATIC])[0]


@pytest.fixture(scope="module")
def inserted(real_data):
    """Grafts of 3 to 5 mL in a real image, outlined faintly; one seed in each."""
    sources = public_sources(ANNOTATIONS, real_data)
    (chosen,) = (r for r in real.recipes(sources, 8) if r.name == "chaos_3-grows-4")
    return run_one(chosen, PROTOCOL, [SEEDED])[0]


def test_nothing_is_sure_and_wrong(formulas, made, inserted):
    for row in (*formulas, *made, *inserted):
        if row.sure:
            assert row.dice >= dice_least(row.kind, row.variant), row.case
            assert row.volume_ml.covered, row.case
        assert row.sides_swapped is not True
        for answer in row.answers.values():
            assert {answer.true, answer.said} != {"adverse", "favorable"}, row.case


def test_grafts_given_by_formulas_are_outlined_and_measured(formulas):
    assert statistics.dice_percentile(formulas, 0) >= 0.95
    assert statistics.median_absolute(formulas, statistics.volume_error) <= 0.05
    assert all(row.sure for row in formulas)


def test_a_simulated_baseline_is_outlined_alone(made):
    baseline, later = made
    assert baseline.sure
    assert baseline.dice >= 0.85
    assert abs(baseline.volume_ml.relative_error) <= 0.10
    assert min(baseline.rectus_dice) >= 0.85
    assert later.landmark_mean_mm <= 1.0
    assert not later.sure, "a faint thin graft asks for a reader"


def test_a_seed_finds_a_graft_in_a_real_wall(inserted):
    assert statistics.dice_percentile(inserted, 50) >= 0.70
    assert statistics.dice_percentile(inserted, 0) >= 0.65
    assert statistics.median_absolute(inserted, lambda row: row.centroid_error_mm) <= 4.0
    assert statistics.coverage(inserted, "volume_ml") >= 2 / 3


def test_motion_in_a_real_wall_is_found_or_refused(inserted):
    found = [row.landmark_mean_mm for row in inserted[1:] if row.registered]
    assert found, "some visit lies on its baseline"
    assert max(found) <= 2.0
