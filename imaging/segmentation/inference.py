"""Inference: a network run by ONNX Runtime on one thread, so that the bits are always the same."""

from __future__ import annotations

from typing import Any

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as state

FAILURES = (
    state.Fail,
    state.InvalidArgument,
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.NotImplemented,
    state.RuntimeException,
)
"""What ONNX Runtime raises for a model that is none, or that does not suit its input."""


def session(model: bytes) -> Any:
    """Return a session of a serialised ONNX model; raises one of `FAILURES` where it is none."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def answer(network: Any, inputs: dict[str, Any]) -> Any:
    """Return the one output of a network.

    The arena lets go afterwards of what it took: the peak of an assessment lies elsewhere. Without
    an arena small pieces of it would stay all over the heap.
    """
    how = ort.RunOptions()
    how.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    (found,) = network.run(None, inputs, how)
    return found
