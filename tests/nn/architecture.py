"""Networks as plain values to compare with a paper's table, their initial weights, and convolutions in NumPy."""

import keras
import numpy as np


def described(network: keras.Model) -> list[tuple]:
    """Each layer but the input as (class, what a paper's table says of it)."""
    return [_described(layer) for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)]


def _described(layer: keras.layers.Layer) -> tuple:
    kind = type(layer).__name__
    match layer:
        case keras.layers.Conv2D() | keras.layers.Conv2DTranspose():
            (height, width), (down, right) = layer.kernel_size, layer.strides
            assert (height, down, layer.activation) == (width, right, keras.activations.linear)
            assert layer.padding == "same" or height == 1
            return (kind, layer.filters, height, down, layer.use_bias)
        case keras.layers.Dense():
            assert layer.activation == keras.activations.linear
            return (kind, layer.units, layer.use_bias)
        case keras.layers.BatchNormalization() | keras.layers.GroupNormalization():
            assert layer.center and layer.scale
            return (kind, getattr(layer, "momentum", None), layer.epsilon)
        case keras.layers.LeakyReLU():
            return (kind, layer.negative_slope)
        case keras.layers.MaxPooling2D() | keras.layers.AveragePooling2D():
            return (kind, layer.pool_size)
        case keras.layers.UpSampling2D():
            return (kind, layer.size, layer.interpolation)
        case keras.layers.Reshape():
            return (kind, *layer.target_shape)
        case keras.layers.Activation():
            return (layer.activation.__name__, layer.compute_dtype)
        case _:
            return (kind,)


def kernels(network: keras.Model) -> dict[str, np.ndarray]:
    """The initial kernels by layer, after a look at everything else: biases and shifts are 0, scales 1."""
    found = {}
    for layer in network.layers:
        for variable in layer.weights:
            value = variable.numpy()
            if variable.name == "kernel":
                found[layer.name] = value
            elif variable.name != "direction":  # of the power iteration
                one = variable.name in ("gamma", "moving_variance")
                np.testing.assert_array_equal(value, np.full_like(value, one))
    return found


def check_initial_weights(build, deviation) -> None:
    """Kernels are normal with `deviation(kernel)`, and no two layers or seeds have the same numbers.

    Args:
        build: seed -> a network.
    """
    heads = []
    for seed in (0, 1):
        for name, kernel in kernels(build(seed)).items():
            values = kernel.ravel() / deviation(kernel)
            heads.append(tuple(np.round(values[:4], 4)))
            if values.size > 200:
                assert abs(values.mean()) < 5 / np.sqrt(values.size), name
                assert abs(values.std() - 1) < 5 / np.sqrt(2 * values.size), name
                assert abs(np.mean(values**4) - 3) < 5 * np.sqrt(96 / values.size), name  # neither cut nor uniform
    assert len(set(heads)) == len(heads)


def convolve(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray | float = 0.0) -> np.ndarray:
    """1 x 1 or 3 x 3, stride 1, zeros around."""
    size, (height, width) = len(kernel), x.shape[1:3]
    edge = size // 2
    padded = np.pad(x, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    return bias + sum(padded[:, i : i + height, j : j + width] @ kernel[i, j] for i in range(size) for j in range(size))
