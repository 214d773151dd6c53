"""Convolutions of the GAN backbones (4 x 4 kernels, stride 2) with gradients that are quick on CPUs.

Values and gradients are those of `tf.nn.conv2d` and `tf.nn.conv2d_transpose` with SAME padding. Two kernels of oneDNN
are slow at these shapes and are replaced by matrix products: in bfloat16 the gradient of the weights, which runs at
half the speed of a product (in float32 oneDNN's own is the quicker one); and the sum over many maps into one or three
colours, a fifth slower with AVX2.
"""

import tensorflow as tf

from kerasinterp import processor

_FEW = 8  # with fewer channels than this (images), windows are cheaper as a product with 16 * channels columns
# oneDNN's gradient of the images with AVX2 alone is older than its forward convolution, and an eighth slower than four
# of these. Only gradients are computed so: what a model's outputs are made of does not depend on the processor.
_PHASES = processor.avx2_alone()


@tf.custom_gradient
def conv2d(images: tf.Tensor, kernel: tf.Tensor):
    """(B, 2h, 2w, C) and a kernel (4, 4, C, F) -> (B, h, w, F)."""

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        quicker = _PHASES and upstream.dtype == tf.float32 and kernel.shape[2] >= _FEW
        spread = _spread_in_phases(upstream, kernel) if quicker else _spread(upstream, kernel, tf.shape(images))
        return spread, _weight_gradient(images, upstream, kernel.shape)

    return tf.nn.conv2d(images, kernel, 2, "SAME"), gradient


@tf.custom_gradient
def conv2d_transpose(maps: tf.Tensor, kernel: tf.Tensor):
    """(B, h, w, F) and a kernel (4, 4, C, F) -> (B, 2h, 2w, C)."""

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.nn.conv2d(upstream, kernel, 2, "SAME"), _weight_gradient(upstream, maps, kernel.shape)

    shape = tf.stack([tf.shape(maps)[0], 2 * maps.shape[1], 2 * maps.shape[2], kernel.shape[2]])
    return _spread(maps, kernel, shape), gradient


def _spread(maps: tf.Tensor, kernel: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """Each value of `maps` (B, h, w, F) spread over its window: (B, 2h, 2w, C)."""
    _, height, width, filters = maps.shape
    channels = kernel.shape[2]
    if channels >= _FEW:
        return tf.nn.conv2d_transpose(maps, kernel, shape, 2, "SAME")
    columns = tf.matmul(tf.reshape(maps, [-1, filters]), _to_matrix(kernel), transpose_b=True)
    quarters = tf.split(tf.reshape(columns, [-1, height, width, 16 * channels]), 4, axis=-1)
    cells = tf.add_n(
        [tf.pad(quarters[2 * i + j], [[0, 0], [i, 1 - i], [j, 1 - j], [0, 0]]) for i in (0, 1) for j in (0, 1)]
    )
    return tf.nn.depth_to_space(cells, 2)[:, 1:-1, 1:-1]


def _spread_in_phases(maps: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """As `_spread`: even and odd rows (columns) are each a convolution with every other row (column) of the kernel."""
    phases = [
        tf.nn.conv2d(
            maps,
            tf.transpose(kernel[1 - i :: 2, 1 - j :: 2][::-1, ::-1], [0, 1, 3, 2]),
            1,
            [[0, 0], [1 - i, i], [1 - j, j], [0, 0]],
        )
        for i in (0, 1)
        for j in (0, 1)
    ]
    return tf.nn.depth_to_space(tf.concat(phases, -1), 2)


def _weight_gradient(images: tf.Tensor, upstream: tf.Tensor, shape: tf.TensorShape) -> tf.Tensor:
    """The gradient (4, 4, C, F) from the wide side (B, 2h, 2w, C) and the narrow side (B, h, w, F)."""
    _, _, channels, filters = shape
    if channels < _FEW or images.dtype == tf.float32:
        return tf.raw_ops.Conv2DBackpropFilter(
            input=images, filter_sizes=shape, out_backprop=upstream, strides=[1, 2, 2, 1], padding="SAME"
        )
    # A window is 2 x 2 cells of 2 x 2 pixels: four products with the cells, shifted by none or one. With a row and a
    # column of zeros the narrow side is as large as the cells, and a shift is another first row: nothing is copied.
    cells = tf.nn.space_to_depth(tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]]), 2)
    width = cells.shape[2]
    cells = tf.reshape(cells, [-1, 4 * channels])
    rows = tf.reshape(tf.pad(upstream, [[0, 0], [0, 1], [0, 1], [0, 0]]), [-1, filters])
    count = tf.shape(rows)[0]
    products = [
        tf.matmul(cells[i * width + j :], rows[: count - (i * width + j)], transpose_a=True)
        for i in (0, 1)
        for j in (0, 1)
    ]
    found = tf.reshape(tf.stack(products), [2, 2, 2, 2, channels, filters])
    return tf.reshape(tf.transpose(found, [0, 2, 1, 3, 4, 5]), shape)


def _to_matrix(kernel: tf.Tensor) -> tf.Tensor:
    """(4, 4, C, F) -> (16 C, F), rows ordered as the cells of `_spread`: cell y, x, then pixel y, x, then channel."""
    channels, filters = kernel.shape[2:]
    split = tf.reshape(kernel, [2, 2, 2, 2, channels, filters])
    return tf.reshape(tf.transpose(split, [0, 2, 1, 3, 4, 5]), [16 * channels, filters])
