"""Page: the whole run on one HTML page that stands alone."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from imaging.messages import text
from surveillance.validation.confidence import QUESTIONS, VOLUME_ERROR_MAX, calibration_error
from surveillance.validation.row import Row
from surveillance.validation.summary import QUANTITIES, Section, Summary
from surveillance.validation.tables import answered, answered_heads, heads, lines

_SHOWN = (0.0, 0.25, 0.5, 0.75, 0.9)
"""Thresholds of confidence in the page's table; risk.csv has all."""
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: .6rem 0 }
th, td { padding: .2rem .7rem; text-align: right }
th:first-child, td:first-child { text-align: left } tr { border-bottom: 1px solid #ddd }
.missed { color: #a40000; font-weight: 600 } svg { max-width: 34rem; height: auto }
figure { display: inline-block; margin: .5rem 1rem .5rem 0 } figure img { max-width: 30rem }
figcaption { color: #555; font-size: .85rem }
"""


def page(
    summary: Summary,
    rows: Sequence[Row],
    figures: Mapping[str, str],
    pictures: Mapping[tuple[str, str], bytes],
) -> str:
    """Return the page; `pictures` are PNG by case and variant."""
    body = [
        _tag("h1", text("validation.title")),
        _tag("p", text("validation.intro")),
        _tag("p", text("validation.program", program=summary.program, protocol=summary.protocol)),
        _cases(summary.sections),
        _targets(summary),
        _accuracy(summary, figures),
        _endpoints(summary.sections),
        _detection(summary, figures),
        _placed(summary.sections, figures),
        _examples(summary.sections, rows, pictures),
        _tag("h2", text("validation.cannot_title")),
        _tag("p", text("validation.cannot")),
    ]
    head = f'<meta charset="utf-8"><title>{text("validation.title")}</title><style>{_STYLE}</style>'
    content = "\n".join(body)
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{content}\n</body></html>\n'
    )


def _tag(name: str, words: str) -> str:
    return f"<{name}>{escape(words)}</{name}>"


def _table(head: Sequence[str], body: Iterable[Sequence[object]]) -> str:
    out = ["<table><tr>", *(_tag("th", h) for h in head), "</tr>"]
    for row in body:
        cells = (f"<td{_mark(c)}>{escape(c)}</td>" for c in map(_words, row))
        out += ["<tr>", *cells, "</tr>"]
    return "".join([*out, "</table>"])


def _mark(words: str) -> str:
    return ' class="missed"' if words.endswith(text("validation.missed")) else ""


def _words(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _name(section: Section) -> str:
    return text("validation.column", kind=section.kind, variant=section.variant)


def _cases(sections: Sequence[Section]) -> str:
    head = [
        text(f"validation.{key}") for key in ("cases", "number", "visits", "development", "refused")
    ]
    body = [
        (
            _name(s),
            s.cases,
            s.visits,
            f"{s.development_cases} / {s.cases - s.development_cases}",
            s.refused_seeds,
        )
        for s in sections
    ]
    return _table(head, body)


def _targets(summary: Summary) -> str:
    width = len(heads())
    split = [
        (
            summary.targets[start].target.name,
            *(
                "–" if r.value is None else f"{_words(r.development)} / {_words(r.held_out)}"
                for r in summary.targets[start : start + width]
            ),
        )
        for start in range(0, len(summary.targets), width)
    ]
    return "".join([
        _tag("h2", text("validation.targets_title")),
        _table(["", *heads()], [(name, *cells) for name, cells in lines(summary.targets)]),
        _tag("h3", text("validation.split_title")),
        _table(["", *heads()], split),
    ])  # fmt: skip


def _accuracy(summary: Summary, figures: Mapping[str, str]) -> str:
    return "".join([
        _tag("h2", text("validation.accuracy_title")),
        *(_drawn(figures, name) for name in ("figure_dice", "figure_volume")),
        _tag("h3", text("validation.agreement_title")),
        _agreement(summary.sections),
        _tag("h3", text("validation.repeatability_title")),
        _repeatability(summary.sections),
        _tag("h3", text("validation.coverage_title")),
        _coverage(summary.sections),
    ])  # fmt: skip


def _agreement(sections: Sequence[Section]) -> str:
    head = [text(f"validation.{key}") for key in ("cases", "size", "number", "bias", "limits")]
    body = [
        (_name(s), _band(a.low_ml, a.high_ml), a.count, a.bias_percent, _range(a.limits_percent))
        for s in sections
        for a in s.agreement
        if a.count
    ]
    return _table(head, body)


def _repeatability(sections: Sequence[Section]) -> str:
    head = [text(f"validation.{key}") for key in ("cases", "pairs", "rc_observed", "rc_stated")]
    body = [
        (_name(s), r.pairs, r.observed_percent, r.stated_percent)
        for s in sections
        for r in [s.repeatability]
    ]
    return _table(head, body)


def _coverage(sections: Sequence[Section]) -> str:
    head = [text("validation.cases"), *(text(f"validation.{name}_head") for name in QUANTITIES)]
    body = [(_name(s), *(_percent(s.coverage[name]) for name in QUANTITIES)) for s in sections]
    return _table(head, body)


def _drawn(figures: Mapping[str, str], name: str) -> str:
    return _figure(figures[name], text(f"validation.{name}"))


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}{_tag('figcaption', caption)}</figure>"


def _band(low: float, high: float | None) -> str:
    return f"≥{low:g}" if high is None else f"{low:g}–{high:g}"


def _range(limits: tuple[float, float] | None) -> str:
    return "–" if limits is None else f"{limits[0]:.0f} – {limits[1]:.0f}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _endpoints(sections: Sequence[Section]) -> str:
    keys = ("cases", "endpoint", "sensitivity", "specificity", "adverse", "favorable", "upper")
    body = [
        (
            _name(s),
            text(f"validation.{e.endpoint}"),
            _percent(e.sensitivity),
            _percent(e.specificity),
            f"{e.adverse_found} / {e.adverse_missed} / {e.adverse_abstained}",
            f"{e.favorable_found} / {e.favorable_wrong} / {e.favorable_abstained}",
            _percent(e.wrong_and_sure_upper),
        )
        for s in sections
        for e in s.endpoints
    ]
    table = _table([text(f"validation.{key}") for key in keys], body)
    return _tag("h2", text("validation.endpoints_title")) + table


def _detection(summary: Summary, figures: Mapping[str, str]) -> str:
    parts = [_tag("h2", text("validation.foci_title"))]
    parts.append(_drawn(figures, "figure_froc"))
    head = [text(f"validation.{key}") for key in ("cases", "diameter", "contrast", "found")]
    body = [
        (_name(s), _band(*c.diameter_mm), _band(*c.contrast), f"{c.found} / {c.count}")
        for s in summary.sections
        for c in s.foci
        if c.count
    ]
    parts.append(_table(head, body))
    head = [
        text(f"validation.{key}") for key in ("epsilon", "fat_seen", "fat_absent", "fat_stated")
    ]
    limits = [
        (f"{f.epsilon:g}", *map(_percent, (f.smallest_seen, f.largest_called_absent, f.stated)))
        for f in summary.fat
    ]
    return "".join([*parts, _tag("h2", text("validation.fat_title")), _table(head, limits)])


def _placed(sections: Sequence[Section], figures: Mapping[str, str]) -> str:
    head = [
        text(f"validation.{key}")
        for key in ("cases", "unregistered", "sure", "sure_dice", "invented")
    ]
    body = [
        (_name(s), s.unregistered, _percent(s.sure_share), s.sure_dice_median, s.invented)
        for s in sections
    ]
    drawn = [_drawn(figures, name) for name in ("figure_landmarks", "figure_risk")]
    return "".join([
        _tag("h2", text("validation.confidence_title")),
        *drawn,
        _table(head, body),
        *_answered(sections, figures),
        *_reliability(sections, figures),
    ])  # fmt: skip


def _answered(sections: Sequence[Section], figures: Mapping[str, str]) -> list[str]:
    return [
        _tag("h3", text("validation.answered_title")),
        _tag("p", text("validation.answered_words", percent=100 * VOLUME_ERROR_MAX)),
        *(_drawn(figures, f"figure_answered_{name}") for name in QUESTIONS),
        _table(answered_heads(), answered(sections, _SHOWN)),
    ]


def _reliability(sections: Sequence[Section], figures: Mapping[str, str]) -> list[str]:
    keys = ("cases", "confidence", "visits", "mean_confidence", "graft_right")
    body = [
        (_name(s), _band(b.low, b.high), b.count, b.confidence, _percent(b.right / b.count))
        for s in sections
        for b in s.reliability
    ]
    errors = [(_name(s), calibration_error(s.reliability)) for s in sections]
    return [
        _tag("h3", text("validation.reliability_title")),
        _drawn(figures, "figure_reliability"),
        _table([text(f"validation.{key}") for key in keys], body),
        _table([text(f"validation.{key}") for key in ("cases", "calibration_error")], errors),
    ]


def _examples(
    sections: Sequence[Section], rows: Sequence[Row], pictures: Mapping[tuple[str, str], bytes]
) -> str:
    parts = [_tag("h2", text("validation.examples_title"))]
    for section in sections:
        for word, row in examples(section, rows):
            png = pictures.get((row.case, row.variant))
            if png is None:
                continue
            caption = text("validation.example", which=word, case=row.case, dice=row.dice or 0.0)
            source = f"data:image/png;base64,{b64encode(png).decode()}"
            image = f'<img alt="{escape(caption)}" src="{source}">'
            parts.append(_figure(image, f"{_name(section)}: {caption}"))
    return "".join(parts)


def examples(section: Section, rows: Sequence[Row]) -> list[tuple[str, Row]]:
    """Return the best, the median and the worst last visit of a section, by Dice."""
    last = {
        row.case: row
        for row in rows
        if (row.kind, row.variant) == (section.kind, section.variant) and row.graft_true
    }
    order = sorted(last.values(), key=lambda row: (-(row.dice or 0.0), row.case))
    if not order:
        return []
    places = (("best", 0), ("median", len(order) // 2), ("worst", len(order) - 1))
    return [(text(f"validation.{word}"), order[place]) for word, place in places]
