import math

import pytest

from imaging.measurement import Measurement, measured, missing, widened


def test_a_measurement_holds_a_value_or_the_reason_there_is_none():
    assert measured(3.0, (2.0, 4.0)) == Measurement(3.0, None, (2.0, 4.0))
    assert measured(3.0).known
    assert not missing("no T1W-FS").known
    assert missing("no T1W-FS").value is None


@pytest.mark.parametrize(("value", "reason"), [(None, None), (1.0, "why")])
def test_neither_and_both_are_refused(value, reason):
    with pytest.raises(ValueError, match="not both and not neither"):
        Measurement(value, reason)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_not_a_number_is_not_a_measurement(value):
    with pytest.raises(ValueError, match="finite"):
        measured(value)


def test_an_interval_is_widened_to_hold_two_more_values_and_never_narrowed() -> None:
    assert widened(measured(5.0, (4.0, 6.0)), 1.0, 5.5).ci95 == (1.0, 6.0)
    assert widened(measured(5.0), 5.5, 6.0).ci95 == (5.0, 6.0)
    assert widened(missing("no"), 1.0, 2.0) == missing("no")
