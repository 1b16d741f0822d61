"""Small ONNX networks, such as a site might bring: muscle is what T1W-FS shows bright."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SPACING = {"spacing_mm": "6 1.5 1.5"}


def numbers(name: str, *values: float) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, np.float32), name)


def whole(name: str, *values: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def by_place(bright: float) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Muscle is brighter than `bright` standard deviations; left is beyond the image's middle."""
    node = helper.make_node
    nodes = [
        node("Gather", ["seen", "one"], ["t1"], axis=1),
        node("Shape", ["seen"], ["shape"]),
        node("Gather", ["shape", "four"], ["width"]),
        node("Squeeze", ["width"], ["n"]),
        node("Range", ["zero", "n", "step"], ["columns"]),
        node("Cast", ["columns"], ["x"], to=TensorProto.FLOAT),
        node("ReduceMean", ["x"], ["middle"]),
        node("Sub", ["x", "middle"], ["side"]),
        node("Mul", ["side", "far"], ["left_of_middle"]),
        node("Neg", ["left_of_middle"], ["right_of_middle"]),
        node("Sub", ["t1", "bright"], ["above"]),
        node("Mul", ["above", "sharp"], ["muscle"]),
        node("Min", ["muscle", "left_of_middle"], ["left"]),
        node("Min", ["muscle", "right_of_middle"], ["right"]),
        node("Mul", ["t1", "none"], ["background"]),
        node("Concat", ["background", "left", "right"], ["classes"], axis=1),
    ]
    zero, step = (numpy_helper.from_array(np.int64(n), k) for k, n in (("zero", 0), ("step", 1)))
    constants = [
        *(whole("one", 1), whole("four", 4), zero, step, numbers("far", 100.0)),
        *(numbers("bright", bright), numbers("sharp", 20.0), numbers("none", 0.0)),
    ]
    return nodes, constants


def by_value(
    *classes: tuple[float, float], wants: Sequence[int] = (0, 0, 0, 0, 0)
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Each class is a factor of the first image, and what is added; of one size alone, or any."""
    weights = np.zeros((len(classes), 2, 1, 1, 1), np.float32)
    weights[:, 0, 0, 0, 0] = [factor for factor, _ in classes]
    constants = [
        numpy_helper.from_array(weights, "weights"),
        numbers("bias", *(added for _, added in classes)),
        whole("wanted", *wants),
    ]
    nodes = [
        helper.make_node("Reshape", ["seen", "wanted"], ["sized"]),
        helper.make_node("Conv", ["sized", "weights", "bias"], ["classes"]),
    ]
    return nodes, constants


def halved(
    graph: tuple[list[onnx.NodeProto], list[onnx.TensorProto]],
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """The same network, its answer of half the size."""
    *nodes, last = graph[0]
    last = helper.make_node(last.op_type, list(last.input), ["full"])
    pool = helper.make_node(
        "MaxPool", ["full"], ["classes"], kernel_shape=[2, 2, 2], strides=[2, 2, 2]
    )
    return [*nodes, last, pool], graph[1]


def written(
    file: Path,
    graph: tuple[list[onnx.NodeProto], list[onnx.TensorProto]],
    *,
    takes: Sequence[int | str] = (1, 2, "z", "y", "x"),
    gives: Sequence[int | str] = (1, 3, "z", "y", "x"),
    told: dict[str, str] = SPACING,
) -> str:
    """Write a model and return what a protocol calls it."""
    made = helper.make_graph(
        graph[0],
        "test",
        [helper.make_tensor_value_info("seen", TensorProto.FLOAT, takes)],
        [helper.make_tensor_value_info("classes", TensorProto.FLOAT, gives)],
        graph[1],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, told)
    file.write_bytes(model.SerializeToString())
    return f"onnx:{file}@sha256:{sha256(file.read_bytes()).hexdigest()}"
