import hashlib
import re
from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import ValidationError

from imaging.errors import ProtocolError
from imaging.protocol import load_protocol

SHIPPED = files("imaging").joinpath("protocols/nct07276568.toml").read_text(encoding="utf-8")


@pytest.fixture
def changed(tmp_path):
    def write(before: str, after: str) -> Path:
        assert before in SHIPPED
        path = tmp_path / "charter.toml"
        path.write_text(SHIPPED.replace(before, after, 1), encoding="utf-8")
        return path

    return write


def test_the_shipped_protocol_loads_with_the_hash_of_its_file():
    protocol = load_protocol()
    assert protocol.id == "NCT07276568"
    assert protocol.sha256 == hashlib.sha256(SHIPPED.encode()).hexdigest()


def test_thresholds_are_those_of_the_design_document():
    protocol = load_protocol()
    assert protocol.morphology.growth_volume_fraction == 0.20
    assert (protocol.fat.isointense_low, protocol.fat.isointense_high) == (0.85, 1.20)
    assert protocol.signal.high_ratio_min == 1.30
    assert protocol.quality.fat_suppression_t1_max == 0.7
    assert protocol.registration.error_mean_max_mm == 2.0


def test_a_charter_can_change_a_threshold(changed):
    path = changed(
        "growth_volume_fraction    = { value = 0.20", "growth_volume_fraction    = { value = 0.25"
    )
    assert load_protocol(path).morphology.growth_volume_fraction == 0.25
    assert load_protocol(path).sha256 != load_protocol().sha256


def test_a_protocol_cannot_be_changed_once_loaded():
    with pytest.raises(ValidationError, match="frozen"):
        load_protocol().signal.high_sd = 2.0


def test_an_unknown_key_is_refused_by_its_name(changed):
    with pytest.raises(ProtocolError, match=r"signal\.hihg_sd"):
        load_protocol(changed("high_sd  ", "hihg_sd  "))


def test_a_missing_section_is_refused_by_its_name(changed):
    with pytest.raises(ProtocolError, match="surveillance"):
        load_protocol(changed("[surveillance]", "[surveilance]"))


def test_a_value_out_of_its_range_is_refused(changed):
    with pytest.raises(ProtocolError, match="dice_min"):
        load_protocol(
            changed(
                "dice_min                  = { value = 0.70, unit",
                "dice_min                  = { value = 7.0, unit",
            )
        )


def test_a_number_written_as_text_is_refused(changed):
    with pytest.raises(ProtocolError, match="high_sd"):
        load_protocol(
            changed(
                '{ value = 3.0, unit = "1", source = "S Sci',
                '{ value = "3", unit = "1", source = "S Sci',
            )
        )


def test_a_threshold_without_its_source_is_refused(changed):
    with pytest.raises(ProtocolError, match="value, unit, source and rationale"):
        load_protocol(changed(', source = "S REiNS neurofibroma consensus"', ""))


def test_text_that_is_not_toml_is_refused_with_the_line(tmp_path):
    path = tmp_path / "charter.toml"
    path.write_text("id = \n", encoding="utf-8")
    with pytest.raises(ProtocolError, match=re.compile("not valid TOML.*line 1", re.S)):
        load_protocol(path)


def test_a_protocol_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ProtocolError, match="cannot be read"):
        load_protocol(tmp_path / "nowhere.toml")
