"""The viewer in headless Chromium, drawn by software, with a pair of 512 × 512 × 80 volumes.

The volumes are noise, which compresses worst. Server and browser share this machine's cores.
`first_picture_s` runs from the viewer standing in the page to both pictures painted, voxels
compressed and sent meanwhile; `slice` from a turn of the wheel to the frame after the one that
painted both new slices, which cannot be less than two frames (33 ms at 60 Hz when a turn falls
just behind a frame); `slice_cpu_ms` is the processor time of all of the browser for one slice
change, which hardly depends on what else the machine does.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser import CHROMIUM, ROOT, streamlit_running, watched_page

READY = ".viewer[data-layout=two][data-ready=true]"
FIND = """const viewer = [...document.querySelectorAll('*')]
    .map(e => e.shadowRoot?.querySelector('.viewer')).find(v => v);
  const over = viewer.querySelector('.pane .over');
  const turn = (down) => over.dispatchEvent(new WheelEvent('wheel',
    { deltaY: down ? 100 : -100, bubbles: true, cancelable: true }));"""
SCROLL = f"""async () => {{ {FIND}
  const frame = () => new Promise(requestAnimationFrame);
  const pause = (ms) => new Promise(done => setTimeout(done, ms));
  const presented = [];
  for (let n = 0; n < 100; n++) {{
    await pause(50 + (n * 7) % 16);
    const before = viewer.dataset.slice, start = performance.now();
    turn(Math.floor((n + 10) / 20) % 2 === 0);
    while (viewer.dataset.slice === before) await frame();
    await frame();
    presented.push(performance.now() - start);
  }}
  return presented; }}"""
MARK = "name => performance.getEntriesByName(name)[0].startTime"


def measure() -> dict[str, float]:
    """Return seconds, milliseconds and megabytes of one session; a rerun's requests."""
    script = ROOT / "tests" / "viewer_app.py"
    with streamlit_running(script) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        with watched_page(chromium, address) as page:
            page.set_default_timeout(120_000)
            figures = _session(page, address, chromium)
            figures["renderer_mb"] = max(
                _resident_mb(process["id"])
                for process in _processes(chromium)
                if process["type"] == "renderer"
            )
        chromium.close()
        return figures


def _session(page: Any, address: str, chromium: Any) -> dict[str, float]:
    fetched: list[str] = []
    page.on("request", lambda request: "/graft/" in request.url and fetched.append(request.url))
    page.goto(f"{address}/?scene=big")
    page.wait_for_selector(READY)
    first = page.evaluate(MARK, "graftsite-first-picture")
    made = page.evaluate(MARK, "graftsite-viewer-made")
    page.wait_for_selector(f"{READY}[data-loaded=true][data-masks=here]")
    loaded = page.evaluate("performance.now()")
    used_s = _cpu_s(chromium)
    presented = sorted(page.evaluate(SCROLL))
    used_s = _cpu_s(chromium) - used_s
    before = len(fetched)
    page.get_by_role("button", name="Run again").click()
    page.wait_for_function("JSON.parse(document.querySelector('#written').textContent).runs > 1")
    return {
        "first_picture_s": (first - made) / 1000,
        "all_voxels_s": (loaded - made) / 1000,
        "slice_presented_median_ms": statistics.median(presented),
        "slice_presented_p95_ms": presented[94],
        "slice_cpu_ms": 1000 * used_s / len(presented),
        "requests_of_a_rerun": len(fetched) - before,
    }


def _processes(chromium: Any) -> list[dict[str, Any]]:
    session = chromium.new_browser_cdp_session()
    found: list[dict[str, Any]] = session.send("SystemInfo.getProcessInfo")["processInfo"]
    return found


def _cpu_s(chromium: Any) -> float:
    return sum(float(process["cpuTime"]) for process in _processes(chromium))


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
