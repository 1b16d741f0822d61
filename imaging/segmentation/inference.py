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
    # An arena keeps what it once took, and the peak of an assessment lies elsewhere.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
