import os

import pytest

from imaging.errors import OutputError
from surveillance.exports.writing import write_text, write_with


def test_a_file_appears_with_its_folders(tmp_path):
    write_text(tmp_path / "a" / "b.csv", "x\n")
    assert (tmp_path / "a" / "b.csv").read_text() == "x\n"


def test_nothing_is_left_over_and_the_old_file_stands_when_writing_fails_half_way(tmp_path):
    path = tmp_path / "result.json"
    write_text(path, "old")

    def half(temporary):
        temporary.write_text("ne")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        write_with(path, half)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


def test_a_file_is_as_readable_as_the_user_asks_for(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "x.txt", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "x.txt").stat().st_mode & 0o777 == 0o640


def test_a_folder_that_is_a_file_is_refused_by_name(tmp_path):
    (tmp_path / "out").write_text("I am a file")
    with pytest.raises(OutputError, match=r"out.*could not be written"):
        write_text(tmp_path / "out" / "x.txt", "x")
