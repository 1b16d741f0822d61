import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading_room import BASELINE, FOCUS, MARK, NODULAR, PROTOCOL, STABLE

from readers.condition import CellCondition, Condition
from readers.edit_checks import problems
from readers.errors import FormError
from readers.form import load_form, parse_form, versions
from readers.marks import Mark, parse_marks
from readers.parsing import parse_answers
from readers.read import parse_content

FORM = load_form("1")
AT_BASELINE = frozenset({"baseline", "in_order"})
LATER = frozenset({"follow_up", "late", "in_order"})
CHINESE = re.compile("[\u4e00-\u9fff]")


def found(answers, tags=LATER, marks=()):
    content = parse_content(FORM, answers, marks)
    return {
        p.id: p.severity for p in problems(FORM, content.answers, content.marks, tags, PROTOCOL)
    }


def asked(answers, tags=LATER):
    return {q.id for q in FORM.asked(parse_answers(FORM, answers), tags, PROTOCOL)}


def test_every_question_option_and_message_is_in_english_and_in_chinese():
    words = [FORM.title, *(s.label for s in FORM.sections), *(c.message for c in FORM.checks)]
    words += [rule.reason for rules in FORM.endpoints.values() for rule in rules]
    words += [q.label for q in FORM.questions] + [
        c.label for q in FORM.questions for c in q.columns
    ]
    words += [o.label for q in FORM.questions for o in q.options]
    for word in words:
        assert not CHINESE.search(word.en)
        assert CHINESE.search(word.zh) or word.zh.isascii()
        assert word.to("zh") == word.zh
        assert word.to("en") == word.en


def test_the_form_asks_everything_the_trial_wants_to_know():
    ids = {q.id for q in FORM.questions}
    assert {
        "t2w_fs_quality", "t2w_fs_why", "t1w_fs_quality", "t1w_fs_why", "graft_seen",
        "location_versus_baseline", "shape_versus_baseline", "size_versus_baseline",
        "size_versus_nadir", "mass_effect", "pattern", "level", "foci", "isointense", "fat",
        "nodes", "confidence", "comment", "reference_muscle", "confounders",
    } <= ids  # fmt: skip
    assert [c.id for c in FORM.question("foci").columns] == [
        "diameter_mm",
        "slice",
        "mark",
        "since",
    ]
    assert [o.id for o in FORM.question("isointense").options] == ["yes", "no", "not_evaluable"]
    fat = [o.id for o in FORM.question("fat").options]
    assert fat[:4] == ["none", "possible", "confirmed", "bright_not_fat"]


def test_the_whole_form_can_be_filled_by_keyboard():
    keys = [q.key for q in FORM.questions]
    assert len(set(keys)) == len(keys)
    for question in FORM.questions:
        assert all(option.key for option in question.options)


def test_a_complete_read_has_no_problems():
    assert found(BASELINE, AT_BASELINE) == {}
    assert found(STABLE) == {}
    assert found(NODULAR, marks=[MARK]) == {}


def test_nothing_is_compared_at_a_baseline():
    assert not {q for q in asked(BASELINE, AT_BASELINE) if "versus" in q or "change" in q}
    assert found(BASELINE | {"size_versus_baseline": "larger"}, AT_BASELINE) == {
        "not_asked:size_versus_baseline": "warning"
    }


def test_a_nadir_is_not_asked_for_when_visits_are_read_in_random_order():
    assert "size_versus_nadir" in asked(STABLE)
    assert "size_versus_nadir" not in asked(STABLE, frozenset({"follow_up", "late", "any_order"}))


def test_without_a_graft_seen_nobody_is_asked_for_its_size_or_pattern():
    gone = {"diameter_mm", "size_versus_baseline", "pattern", "level", "graft_place"}
    assert gone <= asked(STABLE)
    assert not gone & asked(STABLE | {"graft_seen": "no"})


def test_why_a_series_is_limited_is_asked_only_when_it_is():
    assert "t2w_fs_why" not in asked(STABLE)
    assert found(STABLE | {"t2w_fs_quality": "limited"}) == {"missing:t2w_fs_why": "error"}


def test_every_unanswered_question_is_named():
    assert found({})["missing:graft_seen"] == "error"
    assert "missing:comment" not in found({})


@pytest.mark.parametrize(
    ("answers", "problem", "severity"),
    [
        ({"pattern": "nodular"}, "foci_when_nodular", "error"),
        ({"foci": [FOCUS]}, "no_focus_without_graft_signal", "warning"),
        ({"pattern": "stippled", "foci": [FOCUS]}, "stipples_are_small", "warning"),
        ({"pattern": "mass_like", "foci": [FOCUS]}, "mass_needs_size", "warning"),
        ({"foci": [FOCUS | {"diameter_mm": 12.0}]}, "large_focus_is_mass", "warning"),
        ({"t2w_fs_quality": "not_acquired"}, "signal_needs_t2", "error"),
        ({"t1w_fs_quality": "not_acquired"}, "fat_needs_t1", "error"),
        ({"isointense": "no", "fat": "confirmed"}, "fat_confirmed_needs_supporting", "warning"),
        ({"fat": "possible"}, "isointense_has_no_fat", "warning"),
        ({"graft_place": "elsewhere"}, "elsewhere_is_said", "error"),
        ({"confounders": ["other"]}, "other_confounder_is_said", "error"),
        ({"size_versus_baseline": "larger"}, "nadir_is_not_above_baseline", "warning"),
        ({"foci": [FOCUS]}, "new_focus_is_a_change", "warning"),
        ({"reference_muscle": "neither"}, "reference_for_signal", "warning"),
    ],
)
def test_an_edit_check_finds_answers_that_contradict_each_other(answers, problem, severity):
    assert found(STABLE | answers, marks=[MARK])[problem] == severity


def test_every_edit_check_of_the_form_has_a_case_above():
    (mark,) = [
        m
        for m in test_an_edit_check_finds_answers_that_contradict_each_other.pytestmark
        if m.name == "parametrize"
    ]
    assert {case[1] for case in mark.args[1]} == {check.id for check in FORM.checks}


def test_a_focus_needs_its_size_slice_and_a_mark_that_is_on_the_image():
    bare = {k: v for k, v in FOCUS.items() if k != "slice"}
    assert found(NODULAR | {"foci": [bare]}, marks=[MARK]) == {"incomplete:foci": "error"}
    assert found(NODULAR, marks=[]) == {"mark:foci": "error"}


def test_a_focus_at_baseline_is_not_asked_since_when():
    row = {k: v for k, v in FOCUS.items() if k != "since"}
    answers = BASELINE | {"pattern": "nodular", "foci": [row]}
    assert found(answers, AT_BASELINE, [MARK]) == {}


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"nonsense": "yes"}, "form_unknown_question"),
        ({"graft_seen": "perhaps"}, "answer_option"),
        ({"graft_seen": 1}, "answer_option"),
        ({"confounders": "scar"}, "answer_kind"),
        ({"confounders": ["none", "scar"]}, "answer_exclusive"),
        ({"diameter_mm": "12"}, "answer_kind"),
        ({"diameter_mm": True}, "answer_kind"),
        ({"diameter_mm": float("nan")}, "answer_kind"),
        ({"diameter_mm": 0.2}, "answer_range"),
        ({"diameter_mm": 1e6}, "answer_range"),
        ({"comment": 7}, "answer_kind"),
        ({"comment": "x" * 4001}, "answer_too_long"),
        ({"comment": "a\0b"}, "answer_character"),
        ({"comment": "half \ud83d"}, "answer_character"),
        ({"foci": "none"}, "answer_kind"),
        ({"foci": ["none"]}, "answer_kind"),
        ({"foci": [{"size": 3}]}, "answer_column"),
        ({"foci": [{}] * 51}, "answer_too_many"),
    ],
)
def test_an_answer_that_is_not_of_its_question_is_refused(answers, code):
    with pytest.raises(FormError) as refused:
        parse_answers(FORM, answers)
    assert refused.value.code == code


def test_a_comment_of_ten_megabytes_is_refused_and_the_limit_is_named():
    with pytest.raises(FormError, match="10000000 characters are more than the 4000"):
        parse_answers(FORM, {"comment": "x" * 10_000_000})


def test_empty_answers_are_left_out_and_several_options_stand_in_the_form_s_order():
    raw = {"comment": "", "graft_seen": None, "foci": [], "confounders": ["oedema", "scar"]}
    assert dict(parse_answers(FORM, raw)) == {"confounders": ("scar", "oedema")}


def test_numbers_are_kept_with_the_decimals_the_form_asks_for():
    assert parse_answers(FORM, {"diameter_mm": 12.3456})["diameter_mm"] == 12.3


@given(st.text(max_size=200).filter(lambda t: t and "\0" not in t))
def test_a_text_comes_back_exactly_as_it_was_typed(typed):
    assert parse_answers(FORM, {"comment": typed})["comment"] == typed


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "arrow"},
        {"series": "ct"},
        {"unit": "inch"},
        {"id": ""},
        {"slice_index": -1},
        {"points_lps_mm": [[1, 2, 3]]},
        {"points_lps_mm": [[1, 2], [3, 4]]},
        {"points_lps_mm": [[1, 2, float("inf")], [3, 4, 5]]},
        {"points_lps_mm": 7},
        {"value": "long"},
    ],
)
def test_a_mark_that_is_not_one_is_refused(change):
    with pytest.raises(FormError) as refused:
        parse_marks([MARK | change])
    assert refused.value.code == "mark_unusable"


@pytest.mark.parametrize("raw", ["text", 7, [7], [{}]])
def test_what_is_no_list_of_marks_is_refused(raw):
    with pytest.raises(FormError, match="not usable"):
        parse_marks(raw)


def test_two_marks_of_one_id_and_too_many_marks_are_refused():
    with pytest.raises(FormError, match="same id"):
        parse_marks([MARK, MARK])
    many = [MARK | {"id": f"m{n}"} for n in range(201)]
    with pytest.raises(FormError, match="201 marks"):
        parse_content(FORM, {}, many)


def test_a_mark_comes_back_as_it_was():
    (mark,) = parse_marks([MARK])
    assert parse_marks([mark.plain]) == (mark,)
    assert parse_marks([mark]) == (mark,)
    assert Mark(**mark.plain | {"points_lps_mm": mark.points_lps_mm}) == mark


def test_an_unknown_form_version_is_refused():
    with pytest.raises(FormError, match=r"version 99 \(there are: 1\)"):
        load_form("99")
    assert versions() == ("1",)


WORDS = 'label = { en = "a", zh = "b" }'
HEAD = """
version = "9"
title = { en = "a", zh = "b" }
limits = { comment_chars_max = 1, table_rows_max = 1, marks_max = 1 }
[messages]
missing = { en = "a", zh = "b" }
cell_missing = { en = "a", zh = "b" }
no_mark = { en = "a", zh = "b" }
not_asked = { en = "a", zh = "b" }
[[section]]
id = "s"
label = { en = "a", zh = "b" }
"""
TEXT = f'[[section.question]]\nid = "q"\nkind = "text"\nkey = "q"\n{WORDS}\n'
REST = '[e]\nrules = [{ status = "adverse", when = [], reason = { en = "a", zh = "b" } }]'


def small_form(questions=TEXT, checks="check = []", endpoints=REST):
    return parse_form("9", HEAD + questions, checks, endpoints=endpoints)


def test_a_form_needs_no_more_than_its_parts():
    assert [q.id for q in small_form().questions] == ["q"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"questions": "["}, "TOML|Expected|Invalid"),
        ({"endpoints": "[e]"}, "rules"),
        ({"questions": TEXT + TEXT}, "stands twice"),
        ({"questions": TEXT + TEXT.replace('id = "q"', 'id = "r"')}, "keys"),
        ({"questions": TEXT.replace('"text"', '"choice"')}, "choices need them"),
        ({"questions": TEXT.replace('"text"', '"number"')}, "all four"),
        ({"questions": TEXT.replace('"text"', '"table"')}, "tables need them"),
        ({"questions": TEXT + "unit = \"mm\"\n"}, "belong to numbers"),
        ({"questions": TEXT + 'ask_when = [{ question = "gone", answered = true }]\n'}, "gone"),
        ({"questions": TEXT + "surprise = 1\n"}, "surprise"),
        ({"endpoints": REST.replace("[]", '[{ question = "q", answered = true }]')}, "last rule"),
    ],
)  # fmt: skip
def test_a_form_that_contradicts_itself_is_refused_and_says_where(change, said):
    with pytest.raises(FormError, match=said):
        small_form(**change)


@pytest.mark.parametrize(
    "raw",
    [{}, {"question": "q"}, {"question": "q", "answered": True, "in": ["a"]},
     {"visit": ["late"], "question": "q"}, {"answered": True}],
)  # fmt: skip
def test_a_condition_has_exactly_one_test(raw):
    with pytest.raises(ValueError, match="exactly one test"):
        Condition.model_validate(raw)


@pytest.mark.parametrize(
    ("raw", "said"),
    [({"column": "c"}, "exactly one"), ({"column": "c", "at_least": "signal.x"}, "no key")],
)
def test_a_condition_on_a_cell_names_options_or_a_key_the_protocol_has(raw, said):
    with pytest.raises(ValueError, match=said):
        CellCondition.model_validate(raw)
