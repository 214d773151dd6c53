"""What AEAI's smoothness term costs, in passes through the decoder, as JSON.

    python tests/benchmarks/smoothness.py --json smoothness.json

A pass is forward and backward: decode a batch, and take the gradient of a mean square at the decoder's weights. The
term adds one Jacobian-vector product and its part of the gradient. The two alternate; medians.
"""

import argparse
import json
import os
import pathlib
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf

from kerasinterp.nn import acai, resnet, vgg


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=pathlib.Path, help="where the figures are written; otherwise they are printed")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--calls", type=int, default=30, help="timed calls of each")
    options = parser.parse_args()
    shape = (32, 32, 3)
    decoders = {
        "vgg": vgg.decoder(shape, 256, 16),
        "resnet": resnet.decoder(shape, 32, 16),
        "acai": acai.decoder(shape, 16, 16),
    }
    figures = {name: measure(decoder, options.batch, options.calls) for name, decoder in decoders.items()}
    text = json.dumps(figures, indent=1) + "\n"
    if options.json:
        options.json.write_text(text)
    print(text)


def measure(decoder: keras.Model, batch: int, calls: int) -> dict[str, float]:
    """Milliseconds of a pass without and with the term, and the further passes that it costs."""
    latents, course = tf.random.normal((2, batch, *decoder.input_shape[1:]), seed=0)
    weights = [variable.value for variable in decoder.trainable_variables]

    @tf.function
    def plain():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(decoder(latents, training=True)))
        return tape.gradient(loss, weights)

    @tf.function
    def smooth():
        with tf.GradientTape() as tape:
            with tf.autodiff.ForwardAccumulator(latents, course) as forward:
                images = decoder(latents, training=True)
            loss = tf.reduce_mean(tf.square(images)) + 0.1 * tf.reduce_mean(tf.square(forward.jvp(images)))
        return tape.gradient(loss, weights)

    seconds = {plain: [], smooth: []}
    for call in range(calls + 2):
        for function, kept in seconds.items():
            took = _seconds(function)
            if call > 1:  # the first ones trace
                kept.append(took)
    one, both = (statistics.median(kept) for kept in seconds.values())
    return {"pass_ms": 1000 * one, "with_smoothness_ms": 1000 * both, "further_passes": both / one - 1.0}


def _seconds(function: Callable) -> float:
    began = time.perf_counter()
    function()[0].numpy()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
