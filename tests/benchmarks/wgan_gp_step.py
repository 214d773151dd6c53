"""Times WGAN-GP's training step at 28 x 28 against the same in PyTorch, side by side, and prints the figures as JSON.

    python tests/benchmarks/wgan_gp_step.py --threads 1

A step is five of the critic, each with its gradient penalty, and one of the generator, on 5 x 64 images, with InfoGAN's
networks. Two processes take turns, as in `step.py`, which tells what is a quiet block.
"""

import argparse
import json
import os
import statistics
import time

from step import ENOUGH, QUIET, Worker, _sample, _serve

from kerasinterp import processor

SLICES, BATCH, LATENT = 5, 64, 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=10, help="pairs of blocks to measure")
    parser.add_argument("--steps", type=int, default=2, help="timed steps in a block")
    parser.add_argument("--minutes", type=float, default=5.0, help="stop after this time, with what there is")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of either side")
    parser.add_argument("--worker", choices=("keras", "torch"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        _serve({"keras": _keras_blocks, "torch": _torch_blocks}[options.worker](options.threads))
        return
    deadline = time.monotonic() + 60 * options.minutes
    workers = [Worker(name, options.threads, __file__) for name in ("keras", "torch")]
    settings = {worker.name: worker.ask("settings")["value"] for worker in workers}
    for worker in workers:
        worker.ask("step")  # builds and traces
    samples = []
    while len(samples) < options.blocks and time.monotonic() < deadline:
        group = [(worker, "step", options.steps) for worker in workers]
        samples.append(_sample(group if len(samples) % 2 else group[::-1]))
    for worker in workers:
        worker.close()
    quiet = [sample for sample in samples if sample["others"] <= QUIET]
    kept = quiet if len(quiet) >= min(ENOUGH, options.blocks) else samples

    def ratio(kind: str) -> float:
        return statistics.median(sample[kind]["torch_step"] / sample[kind]["keras_step"] for sample in kept)

    figures = {
        "ratio_float32": ratio("wall"),
        "ratio_float32_processor_time": ratio("cpu"),
        "images_per_processor_second": {
            name: SLICES * BATCH / statistics.median(sample["cpu"][f"{name}_step"] for sample in kept)
            for name in settings
        },
        "quiet": kept is quiet,
        "blocks": len(kept),
        "threads": options.threads,
        "processor": processor.describe(),
        "features": processor.features(),
        "settings": settings,
    }
    print(json.dumps(figures, indent=1))


def _keras_blocks(threads: int):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    settings = processor.prepare()
    import numpy as np
    import tensorflow as tf

    from kerasinterp.nn import infogan
    from kerasinterp.objectives import WGANGP
    from kerasinterp.ops.adam import Adam

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.experimental.enable_op_determinism()  # as `kerasinterp train`
    tf.random.set_seed(0)
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    model = WGANGP(critic=infogan.critic(seed=1), generator=infogan.decoder(latent_size=LATENT, seed=2))
    model.compile(Adam(1e-3, beta_1=0.0, beta_2=0.9))
    model.make_train_function()
    images = np.random.default_rng(0).uniform(-1, 1, (SLICES * BATCH, 28, 28, 1)).astype(np.float32)
    batches = iter(tf.data.Dataset.from_tensors({"c": images}).repeat())

    def block(name: str):
        if name == "settings":
            return {"version": tf.__version__, **settings}
        return lambda: float(model.train_function(batches)["loss"])

    return block


def _torch_blocks(threads: int):
    import torch
    from torch_step import WGANGPStep

    torch.set_num_threads(threads)
    images = torch.rand(SLICES * BATCH, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    formats = {}
    for channels_last in (False, True):
        step = WGANGPStep(channels_last, LATENT)
        step(images)
        began = time.process_time()
        step(images)
        formats[channels_last] = (time.process_time() - began, step)
    fastest = min(formats, key=lambda key: formats[key][0])

    def block(name: str):
        if name == "settings":
            return {"version": torch.__version__, "channels_last": fastest}
        return lambda: float(formats[fastest][1](images))

    return block


if __name__ == "__main__":
    main()
