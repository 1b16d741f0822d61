import pickle
import sys

import pytest

from imaging import errors
from readers import errors as readers_errors
from surveillance import errors as surveillance_errors


def all_errors(kind=errors.GraftsiteError):
    yield kind
    for child in kind.__subclasses__():
        yield from all_errors(child)


@pytest.mark.parametrize("kind", list(all_errors()), ids=lambda k: k.__name__)
def test_every_error_survives_the_way_to_another_process(kind):
    error = kind("not_written", file="x", detail="disk full")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error)
    assert again.code == "not_written"


@pytest.mark.parametrize("kind", list(all_errors()), ids=lambda k: k.__name__)
def test_every_error_stands_in_the_tree_drawn_at_the_top_of_the_file(kind):
    trees = (errors, readers_errors, surveillance_errors)
    assert kind.__module__ in [tree.__name__ for tree in trees]
    assert kind.__name__ in sys.modules[kind.__module__].__doc__
