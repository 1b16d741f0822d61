"""Mounting the viewer without a browser, as tests of pages do."""

from pathlib import Path

from streamlit.testing.v1 import AppTest
from viewer_scenes import reading

from imaging.messages import text
from surveillance.ui.viewer import default_presets, forget_session
from surveillance.ui.viewer.mount import events_of
from surveillance.ui.viewer.tokens import process_office


def test_a_page_with_a_viewer_runs_in_streamlits_own_test():
    app = AppTest.from_file(str(Path(__file__).with_name("viewer_page.py")))
    app.query_params["scene"] = "drawing"
    assert not app.run(timeout=30).exception
    assert app.text_input[0].label == "Comment"
    assert not app.run(timeout=30).exception


class Sent(dict):
    """What Streamlit hands over of a component."""

    __getattr__ = dict.get


def test_a_message_that_cannot_be_believed_is_handed_over_as_the_reason():
    hanging = reading()
    seed = {"picture": hanging.pictures[4].key, "points": [[0, 0, 999]]}
    events = events_of(Sent(seed=seed, annotations={"items": []}), hanging)
    assert events.seed is None
    assert events.annotations == ()
    assert str(events.refused) == text("error.viewer_point_outside", picture="Month 6")


def test_presets_are_named_in_the_readers_language():
    assert [p.low for p in default_presets("zh")] == [p.low for p in default_presets()]
    assert default_presets("zh")[0].label == text("viewer.preset_standard", "zh")


def test_forgetting_a_session_reaches_the_office_of_the_process():
    class Content:
        pass

    content = Content()
    token = process_office().issue(content, "gone", "browser")
    forget_session("gone")
    assert process_office().admit(token, "browser") is None
