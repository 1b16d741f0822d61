"""The viewer in a real browser, as a reader uses it."""

import base64
import io
import json
import uuid
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import StreamlitProcess, streamlit_running, watched_page
from PIL import Image
from viewer_scenes import MUSCLE, orientations, reading, registered

from imaging.messages import text


@pytest.fixture(scope="module")
def address():
    with streamlit_running(Path(__file__).with_name("viewer_app.py")) as url:
        yield url


class Reader:
    """A person before the viewer."""

    def __init__(self, page, address):
        self.page = page
        self.address = address
        self.fetched = []
        page.on("request", lambda r: "/graft/" in r.url and self.fetched.append(r.url))

    def open(self, scene, **query):
        asked = "&".join(f"{k}={v}" for k, v in {"scene": scene, **query}.items())
        self.page.goto(f"{self.address}/?{asked}")
        self.wait(ready="true", loaded="true", masks="here")
        self.viewer.focus()
        return self

    @property
    def viewer(self):
        return self.page.locator(".viewer")

    def wait(self, **state):
        self.page.wait_for_selector(
            ".viewer" + "".join(f"[data-{k}='{v}']" for k, v in state.items())
        )

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        self.drawn()

    def drawn(self):
        """Wait until the frame that shows what was done last is on the screen."""
        self.page.evaluate(
            "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
        )

    def pane(self, n=0):
        return self.page.locator(".pane:not([hidden])").nth(n)

    def corner(self, name, n=0):
        return self.pane(n).locator(f".{name}").inner_text()

    def expect_corner(self, name, words, n=0):
        self.pane(n).locator(f".{name}", has_text=words).wait_for()

    def button(self, command):
        return self.page.locator(f"[data-command={command}]")

    def pixels(self, n=0):
        """Grey of the pane's image, (height, width)."""
        url = self.pane(n).locator("canvas.base").evaluate("c => c.toDataURL()")
        picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
        return np.asarray(picture.convert("L")).astype(int)

    def drag(self, start, *stops, n=0, button="left", steps=6):
        """Drag over fractions of a pane."""
        box = self.pane(n).bounding_box()
        at = [
            (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, *stops)
        ]
        self.page.mouse.move(*at[0])
        self.page.mouse.down(button=button)
        for x, y in at[1:]:
            self.page.mouse.move(x, y, steps=steps)
        self.page.mouse.up(button=button)
        self.drawn()

    def click(self, x, y, n=0):
        self.drag((x, y), n=n)

    def wheel(self, notches, n=0):
        box = self.pane(n).bounding_box()
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for _ in range(abs(notches)):
            self.page.mouse.wheel(0, 100 if notches > 0 else -100)
        self.drawn()

    def written(self):
        return json.loads(self.page.locator("#written").text_content())

    def wait_written(self, condition):
        self.page.wait_for_function(
            f"() => (w => {condition})(JSON.parse(document.querySelector('#written').textContent))"
        )
        return self.written()

    def wait_saved(self):
        self.page.wait_for_selector(".saving[data-state=saved]")


@pytest.fixture()
def reader(chromium, address):
    with watched_page(chromium, address) as page:
        yield Reader(page, address)


def test_the_first_look_shows_the_visit_at_the_middle_of_its_graft(reader):
    reader.open("reading")
    assert reader.corner("what") == "Month 6 · T2W-FS"
    assert reader.corner("where") in ("20/40", "21/40")
    letters = {edge: reader.corner(f"edge.{edge}") for edge in ("left", "right", "top", "bottom")}
    assert letters == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    assert reader.corner("window") == f"0.00–3.00 {text('viewer.times_muscle')}"


CUBE = """c => { const { width, height } = c;
  const d = new Uint32Array(c.getContext('2d').getImageData(0, 0, width, height).data.buffer);
  let [left, right, top, bottom] = [width, 0, height, 0];
  d.forEach((pixel, n) => { if ((pixel & 255) < 120) return;
    const x = n % width, y = Math.floor(n / width);
    left = Math.min(left, x); right = Math.max(right, x + 1);
    top = Math.min(top, y); bottom = Math.max(bottom, y + 1); });
  return [left / width, right / width, top / height, bottom / height,
          (right - left) / (bottom - top)]; }"""


def test_on_every_grid_the_patients_left_is_on_the_right_and_the_cube_is_a_cube(reader):
    """Left, front and head of the patient, found on the screen's own pixels."""
    reader.open("orientations")
    for n in range(len(orientations().pictures)):
        for key, plane, right in (
            ("a", "axial", True),  # left is right, front is above
            ("c", "coronal", True),  # left is right, head is above
            ("s", "sagittal", False),  # front is left, head is above
        ):
            reader.press(key)
            reader.wait(plane=plane, picture=f"o{n}/T2W-FS/native", ready="true")
            left, right_edge, _, bottom, wide_by_high = (
                reader.pane().locator("canvas.base").evaluate(CUBE)
            )
            assert left > 0.5 if right else right_edge < 0.5, (n, plane)
            assert bottom < 0.5, (n, plane)
            assert wide_by_high == pytest.approx(1, abs=0.06), (n, plane)
        reader.press(".")


def test_wheel_and_arrows_scroll_all_linked_pictures_and_parted_ones_alone(reader):
    reader.open("reading").press("4")
    reader.wait(layout="four", ready="true")
    first = int(reader.corner("where").split("/")[0])
    reader.wheel(3, n=2)  # down the body: towards the feet, to lower slices of this grid
    reader.wait(slice=first - 3)
    assert {reader.corner("where", n) for n in range(4)} == {f"{first - 3}/40"}
    reader.press("ArrowUp", "ArrowRight", "PageUp")
    reader.wait(slice=first + 2)
    reader.press("Home")
    reader.wait(slice=40)
    reader.press("End", "ArrowDown")
    reader.wait(slice=1)
    reader.press("u")
    reader.wheel(-2, n=1)
    reader.wait(slice=3)
    assert [reader.corner("where", n) for n in range(4)] == ["1/40", "3/40", "1/40", "1/40"]


def test_the_window_is_dragged_chosen_inverted_and_reset(reader):
    reader.open("reading")
    before = reader.pixels()
    reader.drag((0.5, 0.5), (0.8, 0.5))
    reader.wait(ready="true")
    assert reader.corner("window") != f"0.00–3.00 {text('viewer.times_muscle')}"
    assert (reader.pixels() != before).any()
    reader.press("6")
    reader.expect_corner("window", "0.40–1.80")
    assert reader.page.locator("[data-field=presets]").input_value() == "Muscle"
    reader.press("r")
    reader.expect_corner("window", "0.00–3.00")
    assert (reader.pixels() == before).all()
    reader.press("i")
    reader.page.wait_for_selector("[data-command=invert][aria-pressed=true]")
    middle = np.s_[200:400, 300:600]
    assert reader.pixels()[middle] == pytest.approx(255 - before[middle], abs=6)


def test_visits_compare_in_one_window_though_their_scales_differ(reader):
    """All visits are shown in multiples of their own muscle: one window for a series."""
    reader.open("reading").press("2")
    reader.wait(layout="two", ready="true")
    reader.drag((0.5, 0.5), (0.7, 0.6), n=0)
    assert reader.corner("window", 0) == reader.corner("window", 1)
    reader.press("t")
    reader.expect_corner("what", "T1W-FS", 1)
    assert reader.corner("window", 1) == f"0.00–3.00 {text('viewer.times_muscle')}"


def test_zoom_keeps_the_place_under_the_pointer_and_linked_pictures_follow(reader):
    reader.open("reading").press("h", "2")
    reader.wait(layout="two", ready="true")
    before = reader.pixels(0)
    box = reader.pane(0).bounding_box()
    reader.page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"])
    reader.page.keyboard.down("Control")
    reader.page.mouse.wheel(0, -100)
    reader.page.keyboard.up("Control")
    reader.wait(ready="true", zoom="1.15")
    assert (reader.pixels(0) != before).any()
    reader.drag((0.5, 0.5), (0.6, 0.5), n=1, button="middle")
    reader.press("r")
    reader.wait(zoom="1")
    assert (reader.pixels(0) == before).all()


def test_form_input_neither_loads_voxels_again_nor_moves_the_picture(reader):
    reader.open("reading").press("ArrowUp", "ArrowUp")
    place, fetched = reader.corner("where"), len(reader.fetched)
    marked = reader.viewer.evaluate("v => v.marked = 'the same element'")
    comment = reader.page.get_by_label("Comment")
    comment.fill("")
    comment.press_sequentially("a 1-2 c s w? r [x] + .")
    comment.press("Enter")
    reader.wait_written("w.runs == 2")
    reader.page.get_by_text("no", exact=True).click()
    reader.wait_written("w.runs == 3")
    reader.page.get_by_role("button", name="Run again").click()
    reader.wait_written("w.runs == 4")
    assert comment.input_value() == "a 1-2 c s w? r [x] + ."
    assert len(reader.fetched) == fetched
    assert reader.corner("where") == place
    assert reader.viewer.evaluate("v => v.marked") == marked
    assert reader.viewer.get_attribute("data-layout") == "one"


def test_keys_in_the_viewer_are_not_the_pages_own(reader):
    """Streamlit runs the page again on R and offers to clear caches on C."""
    reader.open("reading")
    runs = reader.written()["runs"]
    reader.press("r", "c", "s", "a")
    reader.wait(plane="axial", ready="true")
    assert reader.written()["runs"] == runs
    assert reader.page.get_by_text("Clear caches").count() == 0


def test_tab_leaves_the_viewer(reader):
    reader.open("reading")
    reader.page.get_by_label("Comment").focus()
    reader.press("Shift+Tab")
    inside = "() => document.activeElement.shadowRoot?.querySelector('.viewer') != null"
    assert reader.page.evaluate(inside)
    reader.press("Tab")
    assert not reader.page.evaluate(inside)


def test_space_blinks_between_registered_visits_and_the_slider_fades(reader):
    reader.open("reading").press("h", "2")
    reader.wait(layout="two", ready="true")
    reader.press(" ")
    reader.wait(layout="fade", ready="true")
    reader.expect_corner("what", "Baseline")
    baseline = reader.pixels()
    reader.press(" ")
    reader.expect_corner("what", "Month 6")
    visit = reader.pixels()
    assert (baseline != visit).any()
    reader.page.locator("[data-field=fade]").fill("0.5")
    reader.wait(fade="0.5")
    half = reader.pixels()
    apart = np.abs(baseline.astype(int) - visit) > 40
    assert half[apart] == pytest.approx((baseline[apart] + visit[apart]) / 2, abs=4)


def test_the_change_map_colours_what_became_brighter(reader):
    """The graft grew: at month 6 it is bright where muscle and fat were at baseline."""
    reader.open("reading").press("h", "3")
    reader.wait(layout="change", ready="true")
    assert reader.corner("what") == "Month 6 − Baseline · T2W-FS"
    colours = (
        reader.pane()
        .locator("canvas.base")
        .evaluate(
            """c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
             let orange = 0, blue = 0;
             for (let n = 0; n < d.length; n += 4) {
               if (d[n] > d[n + 2] + 40) orange++;
               if (d[n + 2] > d[n] + 40) blue++; }
             return [orange, blue]; }"""
        )
    )
    assert colours[0] > 1000
    assert colours[0] > 20 * colours[1]
    assert reader.pane().locator(".scale").is_visible()


def test_a_visit_is_chosen_in_the_time_strip(reader):
    reader.open("reading").press("2")
    reader.page.locator("[data-visit='Day 28']").click()
    reader.expect_corner("what", "Day 28 · T2W-FS", 1)
    assert reader.corner("what", 0) == "Baseline · T2W-FS"
    drawn = reader.page.locator("[data-visit='Day 28'] canvas").evaluate(
        "c => Math.max(...c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
        ".filter((_, i) => i % 4 === 0))"
    )
    assert drawn > 100
    reader.viewer.focus()
    reader.press(",")
    reader.expect_corner("what", "Baseline · T2W-FS", 1)


def test_a_native_grid_scrolls_along_with_the_baseline_it_is_registered_to(reader):
    """Slice n of the native grid lies 20 mm, four slices, higher than slice n of the baseline."""
    reader.open("registered")
    native = int(reader.corner("where").split("/")[0])
    reader.press("2")
    reader.wait(layout="two", ready="true")
    assert reader.corner("where", 0) == reader.corner("where", 1) == f"{native}/40"
    first = registered().pictures
    assert first[1].space_from_index[2, 3] == first[0].space_from_index[2, 3]


def test_a_visit_that_is_not_registered_says_so_and_scrolls_alone(reader):
    reader.open("registered").press("2")
    reader.page.locator("[data-visit='Month 12']").click()
    reader.expect_corner("note", text("viewer.not_registered"), 0)
    before = reader.corner("where", 0)
    reader.wheel(2, n=1)
    reader.wait(ready="true")
    assert reader.corner("where", 0) == before
    reader.viewer.focus()
    reader.press("3")
    reader.wait(layout="change", ready="true")
    reader.expect_corner("note", text("viewer.not_registered"))
    assert not reader.pane().locator(".scale").is_visible()


def test_a_length_comes_back_in_the_patients_millimetres_and_survives_a_reload(reader):
    """The image of this scene is 120 mm wide and lies bright on the dark pane."""
    reader.open("drawing", store=uuid.uuid4().hex).press("l")
    reader.drag((0.4, 0.5), (0.6, 0.5))
    (length,) = reader.wait_written("w.annotations.length == 1")["annotations"]
    kind, picture, plane, number, (start, end) = length
    assert (kind, picture, plane) == ("length", "Month 6/T2W-FS/native", "axial")
    assert f"{number}/12" == reader.corner("where")
    row = np.flatnonzero(reader.pixels()[300] > 40)
    px_per_mm = (row.max() + 1 - row.min()) / 120
    width = reader.pane().bounding_box()["width"]
    assert end[0] - start[0] == pytest.approx(0.2 * width / px_per_mm, rel=0.02)  # to the left
    assert end[1] == pytest.approx(start[1], abs=0.2)
    reader.press("Escape")
    reader.wait(tool="window", ready="true")
    shown = reader.pane().locator("canvas.over").evaluate(YELLOW)
    assert shown > 100
    reader.page.reload()
    reader.wait(ready="true", loaded="true", masks="here")
    assert reader.pane().locator("canvas.over").evaluate(YELLOW) > 0.5 * shown
    reader.click(0.5, 0.5)
    reader.press("Delete")
    reader.wait_written("w.annotations.length == 0")


YELLOW = """c => { let n = 0;
  const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  for (let i = 0; i < d.length; i += 4) n += d[i + 3] > 99 && d[i] > 180 && d[i + 2] < 120 ? 1 : 0;
  return n; }"""


def test_ellipse_value_and_mark_come_back_with_their_places(reader):
    reader.open("reading", store=uuid.uuid4().hex).press("e")
    reader.drag((0.5, 0.45), (0.6, 0.6))
    reader.press("v")
    reader.click(0.3, 0.5)
    reader.press("m")
    reader.click(0.6, 0.27)
    drawn = reader.wait_written("w.annotations.length == 3")["annotations"]
    assert [a[0] for a in drawn] == ["ellipse", "value", "focus"]
    assert [len(a[4]) for a in drawn] == [2, 1, 1]
    focus = drawn[2][4][0]
    assert focus[0] > 0 > focus[1]  # on the patient's left, in front
    assert reader.page.get_by_role("alert").count() == 0


def test_what_lies_under_the_pointer_is_read_out(reader):
    reader.open("drawing")
    box = reader.pane().bounding_box()
    reader.page.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 0.55 * box["height"])
    readout = reader.page.locator(".readout")
    readout.get_by_text("×").wait_for()
    words = readout.inner_text().split()
    assert words[-2:] == ["150", f"×{150 / MUSCLE:.2f}"]
    assert words[0] == "L"
    assert words[2] == "P"


def test_a_brush_stroke_comes_back_bit_for_bit_and_is_saved(reader):
    reader.open("drawing", store=uuid.uuid4().hex).press("b", "[", "[", "[", "[", "[", "[")
    assert reader.page.locator("[data-field=brush_size]").input_value() == "1"
    reader.click(0.5, 0.5)
    reader.wait_saved()
    ((_, picture, count, voxels),) = reader.wait_written("w.log.length == 1")["log"]
    assert picture == "Month 6/T2W-FS/native"
    assert count == 1
    i, j, k = voxels[0]
    assert (i in (29, 30), j in (24, 25), k + 1) == (
        True, True, int(reader.corner("where").split("/")[0]),
    )  # fmt: skip


def test_editing_fills_interpolates_smooths_undoes_and_does_again(reader):
    reader.open("drawing", store=uuid.uuid4().hex).press("b", "[", "[", "[")
    ring = [(0.45, 0.4), (0.55, 0.4), (0.55, 0.6), (0.45, 0.6), (0.45, 0.4)]
    reader.drag(*ring, steps=12)
    reader.wait_saved()
    outline = reader.wait_written("w.log.length == 1")["log"][-1][2]
    reader.press("f")
    reader.click(0.5, 0.5)
    filled = reader.wait_written("w.log.length == 2")["log"][-1][2]
    assert filled > outline
    reader.click(0.1, 0.5)
    reader.page.locator(".said", has_text=text("viewer.not_closed")).wait_for()
    reader.press("ArrowUp", "ArrowUp", "b")
    reader.drag(*ring, steps=12)
    reader.press("f")
    reader.click(0.5, 0.5)
    two = reader.wait_written(f"w.log.at(-1)[2] == {2 * filled}")
    assert two["log"][-1][2] == 2 * filled
    reader.press("n")  # the slice between two equal ones is equal
    reader.wait_written(f"w.log.at(-1)[2] == {3 * filled}")
    reader.press("j")
    smooth = reader.wait_written(f"w.log.at(-1)[2] < {3 * filled}")["log"][-1][2]
    assert smooth > 2 * filled
    reader.press("Control+z", "Control+z")
    reader.wait_written(f"w.log.at(-1)[2] == {2 * filled}")
    reader.press("Control+y")
    reader.wait_written(f"w.log.at(-1)[2] == {3 * filled}")
    reader.press("Control+Shift+Z")
    reader.wait_written(f"w.log.at(-1)[2] == {smooth}")
    reader.press("x")
    reader.drag((0.4, 0.5), (0.6, 0.5), steps=12)
    reader.wait_written(f"w.log.at(-1)[2] < {smooth}")
    reader.wait_saved()


def test_undo_survives_a_reload_of_the_page(reader):
    reader.open("drawing", store=uuid.uuid4().hex).press("b")
    reader.click(0.4, 0.5)
    first = reader.wait_written("w.log.length == 1")["log"][-1][2]
    reader.click(0.6, 0.5)
    reader.wait_written(f"w.log.at(-1)[2] == {2 * first}")
    reader.wait_saved()
    reader.page.reload()
    reader.wait(ready="true", masks="here")
    reader.viewer.focus()
    reader.press("Control+z")
    reader.wait_written(f"w.log.at(-1)[2] == {first}")
    reader.press("Control+z", "Control+y", "Control+y")
    reader.wait_written(f"w.log.at(-1)[2] == {2 * first}")


def test_a_step_drawn_just_before_a_reload_is_not_lost(reader):
    reader.open("drawing", store=uuid.uuid4().hex).press("b")
    reader.click(0.4, 0.5)
    reader.page.reload()
    reader.wait_saved()
    assert reader.wait_written("w.log.length == 1")["log"][-1][2] > 0


def test_another_person_in_the_same_tab_does_not_find_a_step_that_was_never_saved(reader):
    """Reader 2 must not see what reader 1 drew: the server has the same empty mask for both."""
    store = uuid.uuid4().hex
    reader.open("drawing", store=store, save="never", owner="reader 1").press("b")
    reader.click(0.4, 0.5)
    reader.wait_written("w.log.length == 1")
    reader.open("drawing", store=uuid.uuid4().hex, owner="reader 2")
    assert reader.button("undo").is_disabled()
    assert reader.written()["log"] == []
    reader.open("drawing", store=uuid.uuid4().hex, owner="reader 1")
    reader.wait_written("w.log.length == 1")
    reader.wait_saved()


def test_a_mask_is_called_saved_only_when_the_server_has_it(reader):
    reader.open("drawing", store=uuid.uuid4().hex, save="never").press("b")
    reader.click(0.5, 0.5)
    runs = reader.wait_written("w.log.length == 1")["runs"]
    reader.page.get_by_role("button", name="Run again").click()
    reader.wait_written(f"w.runs > {runs}")
    assert reader.page.locator(".saving").get_attribute("data-state") == "saving"


def test_a_seed_is_answered_by_a_new_mask_without_loading_voxels_again(reader):
    reader.open("reading", store=uuid.uuid4().hex).press("d")
    volumes = sum("/volume/" in url for url in reader.fetched)
    reader.click(0.6, 0.27)
    (seed,) = reader.wait_written("w.log.length == 1")["log"]
    ((x, y, _),) = seed[2]
    assert x > 0 > y
    reader.page.locator(".said", has_text=text("viewer.segmenting")).wait_for(state="detached")
    assert sum("/volume/" in url for url in reader.fetched) == volumes
    reader.press("Control+z")  # the reader's own mask comes back, as a new version
    before = int(reading().pictures[4].layers[0].mask.voxels)
    assert reader.wait_written("w.log.length == 2")["log"][-1][2] == before


def test_a_stroke_seeds_along_its_line(reader):
    reader.open("reading", store=uuid.uuid4().hex).press("k")
    reader.drag((0.55, 0.27), (0.65, 0.27), steps=20)
    (seed,) = reader.wait_written("w.log.length == 1")["log"]
    x = [point[0] for point in seed[2]]
    assert len(x) > 5
    assert x == sorted(x)


def test_a_mask_too_large_for_small_talk_goes_by_post_and_is_saved(reader):
    reader.open("noise", store=uuid.uuid4().hex).press("x")
    reader.click(0.5, 0.5)
    reader.wait_saved()
    reader.wait_written("w.log.length == 1")
    assert sum("/mask/" in url for url in reader.fetched) == 2  # one came, one went


def test_masks_are_not_edited_on_resampled_pictures(reader):
    reader.open("registered").press("2", "b")
    reader.page.locator(".said", has_text=text("viewer.edit_native")).wait_for()
    reader.click(0.5, 0.5, n=1)
    reader.press("1")
    reader.wait(layout="one", ready="true")
    assert reader.page.locator(".saving").get_attribute("data-state") == "saved"


def test_masks_are_hidden_outlined_and_tinted(reader):
    reader.open("reading")
    coloured = YELLOW.replace("d[i] > 180 && d[i + 2] < 120", "d[i] > 180 && d[i + 2] < 30")
    over = reader.pane().locator("canvas.over")
    tinted = reader.pixels()
    assert over.evaluate(coloured) > 300
    reader.press("o")
    reader.page.wait_for_selector("[data-command=outline][aria-pressed=false]")
    assert over.evaluate(coloured) == 0
    reader.press("h")
    reader.page.wait_for_selector("[data-command=masks][aria-pressed=false]")
    plain = reader.pixels()
    assert (plain != tinted).any()
    reader.press("h")
    reader.page.wait_for_selector("[data-command=masks][aria-pressed=true]")
    assert (reader.pixels() == tinted).all()
    reader.page.locator("[data-field=opacity]").fill("0")
    reader.wait(opacity="0")
    assert (reader.pixels() == plain).all()


def test_urls_of_one_browser_are_refused_to_another_and_after_signing_out(
    reader, chromium, address
):
    reader.open("reading")
    url = next(url for url in reader.fetched if "/volume/" in url)
    inside = "url => fetch(url).then(r => r.status)"
    assert reader.page.evaluate(inside, url) == 200
    stranger = chromium.new_context()
    stranger.request.get(address)
    answer = stranger.request.get(url)
    assert (answer.status, answer.body()) == (404, b"")
    stranger.close()
    reader.page.get_by_role("button", name="Sign out").click()
    reader.page.wait_for_function("async url => (await fetch(url)).status === 404", arg=url)


def test_when_urls_ended_the_page_is_asked_for_new_ones(reader):
    reader.open("reading")
    url = next(url for url in reader.fetched if "/volume/" in url)
    reader.page.get_by_role("button", name="Sign out").click()
    reader.page.wait_for_function("async url => (await fetch(url)).status === 404", arg=url)
    reader.viewer.focus()
    reader.press("t")  # T1W-FS was not fetched yet
    reader.expect_corner("what", "T1W-FS")
    reader.wait(ready="true")


def test_help_lists_the_keys_in_the_readers_language(reader):
    reader.open("reading", language="zh").press("?")
    dialog = reader.page.locator("dialog.help")
    dialog.wait_for()
    assert dialog.get_by_text(text("viewer.tool_brush", "zh"), exact=True).is_visible()
    reader.press("b", "Escape")  # keys in the list are not commands
    dialog.wait_for(state="hidden")
    assert reader.viewer.get_attribute("data-tool") == "window"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(chromium, address, scheme):
    with watched_page(chromium, address, color_scheme=scheme) as page:
        Reader(page, address).open("reading").press("b", "2", "?")
        where = {"include": [[["[data-testid=stBidiComponentIsolated]", ".viewer"]]]}
        result = Axe().run(page, context=where).response
    assert len(result["passes"]) > 10
    serious = [f for f in result["violations"] if f["impact"] in ("serious", "critical")]
    assert [(f["id"], [n["html"] for n in f["nodes"]]) for f in serious] == []


def test_two_tabs_of_one_reader_end_with_the_mask_drawn_last_and_lose_no_step(reader):
    store = uuid.uuid4().hex
    reader.open("drawing", store=store).press("b")
    second = Reader(reader.page.context.new_page(), reader.address)
    second.open("drawing", store=store)
    reader.click(0.4, 0.5)
    mine = reader.wait_written("w.log.length == 1")["log"][-1][2]
    second.page.get_by_role("button", name="Run again").click()
    second.wait_written("w.log.length == 1")
    second.viewer.focus()
    second.press("b")
    second.page.wait_for_selector("[data-command=undo]:not([disabled])")  # it took the other's step
    second.click(0.6, 0.5)
    assert second.wait_written("w.log.length == 2")["log"][-1][2] == 2 * mine
    second.wait_saved()


def test_what_was_drawn_while_the_server_was_dead_is_saved_when_it_is_back(chromium):
    server = StreamlitProcess(Path(__file__).with_name("viewer_app.py"))
    with watched_page(chromium, server.address) as page:
        reader = Reader(page, server.address).open("drawing", store="a")
        reader.press("b")
        server.kill()
        reader.click(0.5, 0.5)
        page.wait_for_selector(".saving[data-state=saving]")
        server.start()
        reader.wait_written("w.log.length >= 1")
        reader.wait_saved()
    server.stop()
