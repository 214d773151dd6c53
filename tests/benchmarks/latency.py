"""Times encode, decode and interpolate of one image (and of a batch) in Keras, SavedModel and LiteRT.

    python tests/benchmarks/latency.py --json latency.json

The networks are InfoGAN's at 28 x 28, untrained. Milliseconds a call, medians; the calls of all runtimes alternate.
`interpolate` takes two images in Keras and SavedModel, two latents in LiteRT, as the exported signatures do.
"""

import argparse
import json
import os
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from kerasinterp.exporting import export_saved_model, export_tflite
from kerasinterp.generation import interpolate
from kerasinterp.nn import infogan
from kerasinterp.objectives import AugIntAE

LITERT = ("float32", "float16", "dynamic", "int8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=pathlib.Path, help="where the figures are written; otherwise they are printed")
    parser.add_argument("--batch", type=int, default=64, help="the larger batch beside 1")
    parser.add_argument("--calls", type=int, default=30, help="timed calls of each")
    options = parser.parse_args()
    figures = {f"batch_{batch}": measure(batch, options.calls) for batch in (1, options.batch)}
    text = json.dumps({"unit": "milliseconds a call", "cores": os.cpu_count(), **figures}, indent=1) + "\n"
    if options.json:
        options.json.write_text(text)
    print(text)


def measure(batch: int, calls: int) -> dict[str, dict[str, float]]:
    """Runtime -> signature -> median milliseconds."""
    model = AugIntAE(infogan.encoder(seed=1), infogan.decoder(seed=2), infogan.discriminator(seed=3))
    random = np.random.default_rng(0)
    a, b = (random.uniform(-1, 1, (batch, 28, 28, 1)).astype("float32") for _ in range(2))
    inputs = {"images": a, "image_a": a, "image_b": b, "alpha": np.full(batch, 0.5, "float32")}
    latent_a, latent_b = (model.encode(images).numpy() for images in (a, b))
    inputs |= {"latent": latent_a, "latent_a": latent_a, "latent_b": latent_b}
    with tempfile.TemporaryDirectory() as folder:
        runtimes = {"keras": _keras(model, inputs), "saved_model": _saved_model(model, inputs, folder)}
        for precision in LITERT:
            if precision != "dynamic" or batch == 1:  # exported for batch 1: larger ones are far slower
                runtimes[f"litert_{precision}"] = _litert(model, inputs, folder, precision)
        return _alternated(runtimes, calls)


def _keras(model: AugIntAE, inputs: dict) -> dict[str, Callable]:
    encode, decode = (tf.function(f, reduce_retracing=True) for f in (model.encode, model.decode))
    images, latents = tf.constant(inputs["images"]), tf.constant(inputs["latent"])
    return {
        "encode": lambda: encode(images).numpy(),
        "decode": lambda: decode(latents).numpy(),
        "interpolate": lambda: interpolate(model, inputs["image_a"], inputs["image_b"], [0.5]),
    }


def _saved_model(model: AugIntAE, inputs: dict, folder: str) -> dict[str, Callable]:
    loaded = tf.saved_model.load(str(export_saved_model(model, f"{folder}/saved_model")))

    def call(name: str) -> Callable:
        signature = loaded.signatures[name]
        given = {key: tf.constant(inputs[key]) for key in signature.structured_input_signature[1]}
        # The loaded model must outlive its signatures.
        return lambda keep=loaded: [value.numpy() for value in signature(**given).values()]

    return {name: call(name) for name in ("encode", "decode", "interpolate")}


def _litert(model: AugIntAE, inputs: dict, folder: str, precision: str) -> dict[str, Callable]:
    representative = inputs["images"] if precision == "int8" else None
    path = export_tflite(model, f"{folder}/{precision}.tflite", precision, representative_images=representative)
    interpreter = Interpreter(str(path), num_threads=os.cpu_count())

    def call(name: str, keys: list[str]) -> Callable:
        runner = interpreter.get_signature_runner(name)
        given = {key: inputs[key] for key in keys}
        return lambda: runner(**given)

    return {name: call(name, found["inputs"]) for name, found in interpreter.get_signature_list().items()}


def _alternated(runtimes: dict[str, dict[str, Callable]], calls: int) -> dict[str, dict[str, float]]:
    seconds = {(runtime, name): [] for runtime, found in runtimes.items() for name in found}
    for turn in range(calls + 3):
        for runtime, name in seconds:
            began = time.perf_counter()
            runtimes[runtime][name]()
            if turn >= 3:
                seconds[runtime, name].append(time.perf_counter() - began)
    figures = {runtime: {} for runtime in runtimes}
    for (runtime, name), values in seconds.items():
        figures[runtime][name] = round(1000 * statistics.median(values), 3)
    return figures


if __name__ == "__main__":
    main()
