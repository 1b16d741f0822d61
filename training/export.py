"""Export: the trained network as an ONNX file, batch normalisation folded into the weights."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.float32]


def as_onnx(model: keras.Model) -> onnx.ModelProto:
    """Return `model` (see `network`) as ONNX; input (n, channels, columns, depths)."""
    convolutions = [at for at in model.layers if isinstance(at, keras.layers.Conv2D)]
    norms = [at for at in model.layers if isinstance(at, keras.layers.BatchNormalization)]
    weights = [_folded(c, n) for c, n in zip(convolutions[:-1], norms, strict=True)]
    weights.append(tuple(np.asarray(v) for v in convolutions[-1].get_weights()))
    return _Graph(weights).built(model.input_shape)


def _folded(
    convolution: keras.layers.Conv2D, norm: keras.layers.BatchNormalization
) -> tuple[Array, Array]:
    (kernel,) = convolution.get_weights()
    gamma, beta, mean, variance = norm.get_weights()
    scale = gamma / np.sqrt(variance + norm.epsilon)
    return kernel * scale, beta - mean * scale


class _Graph:
    """The U-Net of `network`, written node by node in its order of convolutions."""

    def __init__(self, weights: list[tuple[Array, Array]]) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.next = 0

    def built(self, shape: tuple[int | None, ...]) -> onnx.ModelProto:
        """Return the whole model."""
        levels = len(self.weights) // 4  # two convolutions down and two up, but for the lowest
        at, kept = "seen", []
        for _ in range(levels):
            at = self._twice(at)
            kept.append(at)
            at = self._node("MaxPool", [at], kernel_shape=[2, 2], strides=[2, 2])
        at = self._twice(at)
        for beside in reversed(kept):
            scales = self._constant(np.array([1, 1, 2, 2], np.float32))
            how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
            at = self._node("Resize", [at, "", scales], mode="nearest", **how)
            at = self._twice(self._node("Concat", [at, beside], axis=1))
        at = self._node("Sigmoid", [self._convolved(at)])
        self.nodes.append(helper.make_node("Identity", [at], ["shares"]))
        _, columns, depths, channels = shape
        real = TensorProto.FLOAT
        seen = helper.make_tensor_value_info("seen", real, ["n", channels, columns, depths])
        shares = helper.make_tensor_value_info("shares", real, ["n", 2, columns, depths])
        graph = helper.make_graph(self.nodes, "wall", [seen], [shares], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        onnx.checker.check_model(model)
        return model

    def _twice(self, at: str) -> str:
        for _ in range(2):
            at = self._node("Relu", [self._convolved(at)])
        return at

    def _convolved(self, at: str) -> str:
        kernel, bias = self.weights[self.next]
        self.next += 1
        names = [self._constant(v) for v in (kernel.transpose(3, 2, 0, 1), bias)]
        pad = kernel.shape[0] // 2
        return self._node("Conv", [at, *names], pads=[pad] * 4)

    def _constant(self, value: Array) -> str:
        name = f"w{len(self.constants)}"
        array = np.ascontiguousarray(value, np.float32)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def _node(self, kind: str, inputs: list[str], **attributes: object) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name


if __name__ == "__main__":
    network = keras.models.load_model(sys.argv[1], compile=False)
    Path(sys.argv[2]).write_bytes(as_onnx(network).SerializeToString())
