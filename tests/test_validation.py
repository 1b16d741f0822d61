"""The bench counts right, demands only what the truth decides, and its page stands alone."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bench_rows import IND, A, F, row
from outlined import ANNOTATIONS
from typer.testing import CliRunner

from imaging.errors import MaskError, UsageError
from imaging.geometry import Geometry, to_ras
from imaging.protocol import load_protocol
from imaging.quality import ENDPOINTS, FAT, MORPHOLOGY, SIGNAL
from imaging.simulation import GraftState, Nodule, VisitPlan
from imaging.simulation.truth import NoduleTruth
from imaging.transform import identity
from imaging.visit import VisitName
from surveillance.cli import app
from surveillance.validation import analytic, real, simulated, statistics
from surveillance.validation.agreement import agreement, repeatability
from surveillance.validation.bench import Request, own_sources, recipes
from surveillance.validation.case import DEVELOPMENT, HELD_OUT
from surveillance.validation.demanded import demanded_answers
from surveillance.validation.detection import fat_limits, focus_grid, froc, risk_by_coverage
from surveillance.validation.figures import figures
from surveillance.validation.page import examples, page
from surveillance.validation.phantom import BALL, ELLIPSOID, PLATE, Phantom, picture
from surveillance.validation.row import Answer, Quantity, TrueFocus
from surveillance.validation.run import AUTOMATIC, SEEDED, VARIANTS
from surveillance.validation.source import Source, public_sources, scene_of
from surveillance.validation.summary import as_json, summarise
from surveillance.validation.tables import rows_csv, table_markdown, table_text
from surveillance.validation.targets import Bound, results, targets

PROTOCOL = load_protocol()


def focus(diameter, score, contrast=2.0):
    return TrueFocus(diameter, contrast, score)


def test_a_graft_that_was_not_found_counts_as_dice_nothing():
    rows = [row(dice=0.8), row(dice=None, said=None, ci95=None), row(dice=0.9)]
    assert statistics.dice_percentile(rows, 50) == 0.8
    assert statistics.dice_percentile(rows, 0) == 0.0
    assert statistics.volume_error(rows[1]) == -1.0


def test_a_visit_without_a_graft_has_no_dice():
    assert statistics.dice_percentile([row(graft_true=False, true=0.0)], 50) is None


def test_coverage_is_the_share_of_intervals_that_hold_the_truth():
    rows = [row(), row(true=13.0), row(ci95=None)]
    assert statistics.coverage(rows, "volume_ml") == 0.5
    assert statistics.coverage([row(ci95=None)], "volume_ml") is None


def test_wrong_and_sure_is_the_opposite_answer_and_never_an_abstention():
    rows = [row(answers=a) for a in ((A, F), (A, A), (F, IND), (F, F), (IND, A))]
    assert statistics.wrong_and_sure(rows, MORPHOLOGY) == 1 / 4
    assert statistics.answered(rows, MORPHOLOGY) == 3 / 4
    assert statistics.wrong_and_sure([row()], MORPHOLOGY) is None


def test_an_answer_is_only_asked_for_where_the_gates_pass():
    shut = {endpoint: Answer(A, IND, gates_passed=False) for endpoint in ENDPOINTS}
    rows = [replace(row(), answers=shut), row(answers=(A, A))]
    assert statistics.answered(rows, SIGNAL) == 1.0


def test_focus_sensitivity_is_taken_where_false_foci_are_few_enough():
    """Ten visits allow one false focus: those of 5 mm and less fall below the limit."""
    rows = [row(foci=(focus(8, 9.0),)) for _ in range(4)] + [row(foci=(focus(8, 4.0),))] * 2
    rows += [row(false_foci_mm=(7.0, 5.0))] + [row()] * 3
    assert statistics.focus_sensitivity(rows, 0.1, 6.0, 1.5) == pytest.approx(4 / 6)
    assert statistics.focus_sensitivity(rows, 1.0, 6.0, 1.5) == 1.0
    assert statistics.focus_sensitivity(rows, 0.1, 20.0, 1.5) is None


def test_froc_begins_with_the_largest_focus_and_ends_with_all():
    rows = [row(foci=(focus(8, 9.0), focus(4, None))), row(false_foci_mm=(5.0,))]
    assert froc(rows) == [(0.0, 0.5), (0.5, 0.5), (0.5, 0.5)]
    assert froc([row()]) == []


def test_foci_are_counted_by_size_and_contrast():
    cells = focus_grid([row(foci=(focus(8, 9.0), focus(8.5, None), focus(4, 4.0, 1.3)))])
    counted = {(c.diameter_mm, c.contrast): (c.count, c.found) for c in cells if c.count}
    assert counted == {((8.0, 10.0), (1.9, 2.5)): (2, 1), ((3.0, 5.0), (1.2, 1.5)): (1, 1)}


def test_wilson_interval_of_nothing_wrong_in_a_hundred():
    """3.7 %: Wilson 1927, as tabulated by Brown, Cai and DasGupta 2001 for 0 of 100."""
    assert statistics.wilson95(0, 100) == pytest.approx((0.0, 0.037), abs=5e-4)
    assert statistics.wilson95(0, 0) is None


def test_bias_and_limits_are_those_of_the_logarithm():
    """Twice and half as much: no bias, and 1.96 standard deviations of ln 2 √2 either way."""
    small, *_ = agreement([row(true=1.0, said=2.0), row(true=1.0, said=0.5)])
    assert small.count == 2
    assert small.bias_percent == pytest.approx(0, abs=1e-9)
    spread = np.exp(1.96 * np.log(2) * np.sqrt(2))
    assert small.limits_percent == pytest.approx((100 * (1 / spread - 1), 100 * (spread - 1)))
    assert agreement([row()])[2].bias_percent is None


def test_the_repeatability_coefficient_comes_from_unchanged_grafts_alone():
    """One pair differs by 10 %: the within-subject SD is ln 1.1 / √2."""
    change = Quantity(0.0, 10.0, (-10.0, 32.0))
    visits = [row(), row(said=11.0, volume_change_percent=change), row(true=20.0, said=30.0)]
    found = repeatability(visits)
    assert found.pairs == 1
    expected = 100 * (np.exp(2.77 * np.log(1.1) / np.sqrt(2)) - 1)
    assert found.observed_percent == pytest.approx(expected)
    assert found.stated_percent == pytest.approx(20.0)
    assert repeatability([row()]).observed_percent is None


def test_fat_is_seen_from_the_fraction_above_which_all_is_called_abnormal():
    def said(fraction, answer):
        answers = {FAT: Answer(A, answer, gates_passed=True)}
        return replace(row(fat_grid=(0.4, fraction)), answers=answers)

    rows = [said(0.0, F), said(0.2, F), said(0.3, A), said(0.4, IND), said(0.5, A), said(0.7, A)]
    (limit,) = fat_limits(rows, 0.15)
    assert (limit.smallest_seen, limit.largest_called_absent) == (0.5, 0.2)
    assert limit.stated == pytest.approx(0.25)
    assert fat_limits([row()], 0.15) == ()


def test_risk_falls_when_the_least_sure_are_left_out():
    rows = [row(dice=1.0, confidence=0.9), row(dice=0.2, confidence=0.1)]
    assert risk_by_coverage(rows) == [(0.5, 0.0), (1.0, pytest.approx(0.4))]
    tied = [row(dice=1.0, confidence=0.0), row(dice=0.0, confidence=0.0)]
    assert risk_by_coverage(tied) == [(1.0, 0.5)]
    assert risk_by_coverage([]) == []


def truth(volume, ratio=1.6, nodules=(), **given):
    """What is true of a phantom's visit, without its images."""
    phantom = Phantom(ELLIPSOID, 30.0, 8.0, 40.0, t2_ratio=ratio)
    whole = analytic._truth(phantom, picture(phantom, _around(), identity(), 20, 1), identity())
    return replace(whole, volume_ml=volume, nodules=nodules, **given)


def _around() -> Geometry:
    affine = np.diag([4.0, 4.0, 8.0, 1.0])
    affine[:3, 3] = (-20.0, -90.0, -32.0)
    return Geometry(affine, (28, 14, 8))


def fact(name, day, volume, **given):
    state = GraftState(volume, 30.0, 40.0)
    return VisitPlan(name, day, state), truth(volume, **given)


def test_clear_growth_is_demanded_and_growth_on_the_limit_is_not():
    baseline = fact(VisitName.BASELINE, 0, 20.0)
    clear, near = (fact(VisitName.M6, 182, volume) for volume in (60.0, 24.4))
    assert demanded_answers([baseline, clear], PROTOCOL)[1][MORPHOLOGY] == A
    assert demanded_answers([baseline, near], PROTOCOL)[1][MORPHOLOGY] == IND


def test_a_focus_that_is_hardly_bright_enough_is_not_demanded():
    def with_focus(contrast):
        found = NoduleTruth(Nodule((0, 0), 8.0), 0.3, (0, 0, 0), 1.6 * contrast, 1.0)
        return fact(VisitName.M6, 182, 20.0, nodules=(found,))

    baseline = fact(VisitName.BASELINE, 0, 20.0)
    clear, near = (
        demanded_answers([baseline, with_focus(c)], PROTOCOL)[1][SIGNAL] for c in (2.0, 1.55)
    )
    assert (clear, near) == (A, IND)


@pytest.mark.parametrize(
    ("form", "expected"),
    [(ELLIPSOID, np.pi / 6 * 30 * 9 * 44), (PLATE, 30 * 9 * 44), (BALL, np.pi / 6 * 9**3)],
)
def test_a_phantom_fills_as_much_of_the_voxels_as_its_formula_says(form, expected):
    phantom = Phantom(form, 30.0, 9.0, 44.0)
    assert phantom.volume_ml == pytest.approx(expected / 1000)
    affine = np.diag([1.1, 1.1, 4.0, 1.0])
    affine[:3, 3] = (10.0, -80.0, -40.0)
    grid = Geometry(affine, (44, 40, 20))
    made = picture(phantom, grid, identity(), 30.0, 1)
    assert made.share.sum() * grid.voxel_volume_ml == pytest.approx(phantom.volume_ml, rel=0.02)
    core = made.share > 0.99
    assert np.median(made.t2.array[core]) == pytest.approx(2.0 * 130, rel=0.03)


def test_both_sets_see_every_course_and_every_image(tmp_path):
    found = tuple(Source(tmp_path / f"{n}.nii", tmp_path / f"{n}.json") for n in range(6))
    asked = list(real.recipes(found, 84))
    for seen in ({(r.source, r.split) for r in asked}, {(r.course, r.split) for r in asked}):
        assert len(seen) == 2 * len({first for first, _ in seen})
    assert len({r.name for r in asked}) == 84
    assert list(real.recipes((), 5)) == []
    drawn = list(simulated.recipes(28))
    assert {(r.course, r.split) for r in drawn} == {
        (c, s) for c in simulated.COURSES for s in (DEVELOPMENT, HELD_OUT)
    }


def test_the_public_outlines_belong_to_their_images(real_data, tmp_path):
    found = public_sources(ANNOTATIONS, real_data)
    assert [s.name for s in found] == [
        "chaos_1", "chaos_2", "chaos_3", "chaos_5", "chaos_8", "prostatex_0218",
    ]  # fmt: skip
    said = json.loads((ANNOTATIONS / "chaos_8.json").read_text())
    (tmp_path / "other.json").write_text(json.dumps(said | {"sha256": "0" * 64}))
    with pytest.raises(MaskError) as refused:
        public_sources(tmp_path, real_data)
    assert refused.value.code == "outline_other_image"
    (tmp_path / "other.json").write_text(json.dumps(said | {"image": "not/here.nii.gz"}))
    assert public_sources(tmp_path, real_data) == ()


def test_a_background_is_one_image(tmp_path):
    outline = ANNOTATIONS / "chaos_8.json"
    with pytest.raises(UsageError) as refused:
        scene_of(Source(tmp_path, outline))
    assert refused.value.code == "validation_background"


def test_each_image_needs_its_own_outline():
    one, two = Path("a.nii"), Path("b.nii")
    for given in (([one], [], []), ([one, two], [one, two], [one])):
        with pytest.raises(UsageError) as refused:
            own_sources(*given)
        assert refused.value.code == "validation_outlines"


def request(tmp_path, **given):
    values = {
        "output": tmp_path, "full": False, "kinds": (), "only": 1, "sources": (),
        "variants": VARIANTS, "jobs": 1,
    }  # fmt: skip
    return Request(**(values | given))


def test_a_kind_that_is_not_there_and_real_anatomy_without_images_are_refused(tmp_path):
    for kinds, code in ((("phantom",), "validation_kind"), (("real",), "validation_no_images")):
        with pytest.raises(UsageError) as refused:
            recipes(request(tmp_path, kinds=kinds))
        assert refused.value.code == code


def test_full_asks_two_hundred_simulated_subjects_and_quick_a_few(tmp_path):
    counted = [
        len(recipes(request(tmp_path, full=full, only=None, kinds=("simulated",))))
        for full in (True, False)
    ]
    assert counted[0] >= 200
    assert counted[1] < 10


def test_a_bound_is_met_at_its_ends():
    assert [Bound(93, 97).met(v) for v in (92.9, 93, 97, 97.1)] == [False, True, True, False]
    assert [str(b) for b in (Bound(0.8), Bound(most=5), Bound(93, 97))] == ["≥0.8", "≤5", "93–97"]


def test_every_line_of_the_target_table_has_a_value_where_rows_say_one():
    known = Quantity(2.0, 2.1, (1.9, 2.2))
    both = [row(answers=a, t2_ratio=known, t1_ratio=known, volume_change_percent=known,
                foci=(focus(8, 9.0),), kind=kind, variant=variant, split=split)
            for a in ((A, A), (F, F)) for split in (DEVELOPMENT, HELD_OUT)
            for kind, variant in (("real", AUTOMATIC), ("real", SEEDED), ("simulated", AUTOMATIC))
            ]  # fmt: skip
    found = results(both)
    assert len(found) == 3 * len(targets())
    assert all(r.value is not None and r.held_out is not None for r in found)
    assert all(r.met is not None for r in found if r.bound)
    assert results([row()])[1].value is None
    assert "–" in table_text(results([row()]))
    assert table_markdown(found).count("\n") == 2 + len(targets())


def sample_rows():
    made = [
        row(case=f"c{n}", dice=d, split=s, false_foci_mm=(4.0,), foci=(focus(8, 9.0),))
        for n, (d, s) in enumerate([(0.9, DEVELOPMENT), (0.5, HELD_OUT), (0.1, DEVELOPMENT)])
    ]
    return [*made, row(kind="analytic", fat_grid=(0.3, 0.2))]


def test_the_page_stands_alone_and_shows_best_median_and_worst():
    rows = sample_rows()
    summary = summarise(rows, PROTOCOL)
    png = b"\x89PNG"
    pictures = {(r.case, r.variant): png for r in rows}
    text = page(summary, rows, figures(summary, rows), pictures)
    assert not re.search(r"(src|href)=\"(?!data:|#)", text)
    assert text.count("data:image/png;base64,") == 3 + 3
    assert text.count("<svg") == 10
    section = next(s for s in summary.sections if s.kind == "real")
    assert [r.case for _, r in examples(section, rows)] == ["c0", "c1", "c2"]
    none = [row(graft_true=False)]
    assert examples(summarise(none, PROTOCOL).sections[0], none) == []


def test_the_summary_is_json_without_nan_and_the_rows_are_csv():
    rows = sample_rows()
    text = json.dumps(as_json(summarise(rows, PROTOCOL)), allow_nan=False)
    assert json.loads(text)["sections"][0]["kind"] == "analytic"
    read = list(csv.DictReader(rows_csv(rows).splitlines()))
    assert [r["dice"] for r in read] == ["0.9", "0.5", "0.1", "0.9"]
    assert read[0]["foci_found_mm"] == "9.0"
    assert rows_csv([]) == ""


def test_a_site_validates_on_its_own_image(tmp_path):
    """A small made abdomen as NIfTI: the command runs, writes its page, and invents nothing."""
    phantom = Phantom(ELLIPSOID, 1.0, 0.0, 1.0)
    affine = np.diag([1.6, 1.6, 6.0, 1.0])
    affine[:3, 3] = (-140.0, -105.0, -54.0)
    made = picture(phantom, Geometry(affine, (176, 96, 18)), identity(), 25.0, 1)
    labels = made.left.array + 2 * made.right.array.astype(np.uint8)
    for name, array in (("t2w_fs", made.t2.array), ("labels", labels)):
        nib.save(nib.Nifti1Image(np.asarray(array), to_ras(affine)), tmp_path / f"{name}.nii.gz")
    given = ["--kind", "real", "--only", "1", "--no-seed", "--jobs", "1"]
    given += ["--background", tmp_path / "t2w_fs.nii.gz", "--outline", tmp_path / "labels.nii.gz"]
    result = CliRunner().invoke(app, ["validate", *map(str, given), "-o", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "graft Dice, median" in result.output
    written = {p.name for p in (tmp_path / "out").iterdir()}
    assert written == {
        "index.html",
        "cases",
        "summary.json",
        "rows.csv",
        "risk.csv",
        "table.txt",
        "table.md",
        "pictures",
    }
    assert len(list((tmp_path / "out" / "pictures").iterdir())) == 1
    again = CliRunner().invoke(app, ["validate", *map(str, given), "-o", str(tmp_path / "out")])
    assert "BASELINE" in result.output
    assert "BASELINE" not in again.output, "a finished case is not done twice"
    assert again.output == result.output[result.output.index(again.output[:60]) :]
    seen = list(csv.DictReader((tmp_path / "out" / "rows.csv").read_text().splitlines()))
    assert [r["visit"] for r in seen] == ["BASELINE", "D28", "M3"]
