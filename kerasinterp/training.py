"""Runs a recipe into a run folder, and resumes it bit-identically."""

import contextlib
import dataclasses
import functools
import os
import pathlib
import random
import time
import warnings
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context as tensorflow_context
from tensorflow.python.framework import config as tensorflow_config

from kerasinterp import callbacks, data, generation, processor
from kerasinterp.callbacks import steps_of
from kerasinterp.errors import InputError, suggest
from kerasinterp.nn.backbone import Facts
from kerasinterp.nn.precision import in_float32
from kerasinterp.objectives import OBJECTIVES, Objective
from kerasinterp.ops import mixing
from kerasinterp.ops.adam import Adam
from kerasinterp.recipe import Optimizer, Recipe
from kerasinterp.run import Run
from kerasinterp.yardsticks import few_shot


class Interrupted(KeyboardInterrupt):
    """Training was stopped by the user, and saved; the message says how to go on."""


def build(recipe: Recipe, examples: data.Examples | None = None) -> Objective:
    """The recipe's objective, compiled, with weights drawn from its seed.

    Args:
        examples: what it will learn from; by default images of the recipe's shape.

    Raises:
        InputError: if there is no such objective, or its networks do not fit it.
    """
    cls, backbone = _system(recipe), recipe.backbone
    options = dict(recipe.objective_options)
    if recipe.mixing:
        if recipe.mixing not in mixing.BY_NAME:
            known = list(mixing.BY_NAME)
            raise InputError(
                f"Unknown mixing {recipe.mixing!r}: choose of {', '.join(known)}.{suggest(recipe.mixing, known)}"
            )
        options["mixing"] = mixing.BY_NAME[recipe.mixing]
    if unknown := sorted(set(backbone.networks) - set(cls.network_names())):
        raise InputError(f"{cls.__name__} has no network {unknown[0]!r}: it has {', '.join(cls.network_names())}.")
    if unknown := sorted(set(recipe.optimizers) - {"all", "first", "others", *(player.name for player in cls.players)}):
        names = ", ".join(player.name for player in cls.players)
        raise InputError(f"{cls.__name__} has no player {unknown[0]!r}: it has {names}.")
    facts = Facts(
        image_shape=recipe.data.shape if examples is None else examples.shape,
        count=1 if examples is None else len(examples),
        labels=recipe.data.number_of_attributes or (0 if examples is None else len(examples.classes)),
        unit_latents=getattr(options.get("mixing", getattr(cls, "default_mixing", None)), "on_sphere", False),
    )
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if recipe.schedule.precision == "bfloat16" else "float32")
    try:
        networks = {
            name: backbone.build(net, name, 10 * recipe.seed + number, facts)
            for number, (name, net) in enumerate(cls.nets().items(), 1)
        }
        try:
            model = cls(**networks, seed=recipe.seed, **options)
        except TypeError as error:  # an option that the system does not have
            raise InputError(f"{cls.__name__} cannot be built with the recipe's options ({error}).") from error
    finally:
        keras.config.set_dtype_policy(before)
    optimizers = {}
    for player in model.players:
        own = recipe.optimizer(player.name, first=player is model.players[0])
        optimizers[player.name] = _optimizer(own, recipe.schedule.steps * model.updates_per_step(player))
    model.compile(optimizers, jit_compile=recipe.schedule.jit_compile)
    return model


def _system(recipe: Recipe) -> type[Objective]:
    if recipe.objective not in OBJECTIVES:
        known = f"choose of {', '.join(OBJECTIVES)}.{suggest(recipe.objective, OBJECTIVES)}"
        raise InputError(f"Unknown objective {recipe.objective!r}: {known}")
    return OBJECTIVES[recipe.objective]


def _optimizer(own: Optimizer, updates: int) -> keras.optimizers.Optimizer:
    rate = own.rate
    if own.cuts:
        rates = [own.rate * 0.1**n for n in range(len(own.cuts) + 1)]
        cuts = [int(share * updates) for share in own.cuts]
        rate = keras.optimizers.schedules.PiecewiseConstantDecay(cuts, rates)
    common = {"weight_decay": own.decay or None}
    if own.averaging:
        common |= {"use_ema": True, "ema_momentum": own.averaging}
    if own.kind == "sgd":
        return keras.optimizers.SGD(rate, momentum=own.momentum, **common)
    return Adam(rate, beta_1=own.betas[0], beta_2=own.betas[1], **common)


def train(recipe: Recipe, output: str | os.PathLike, *, resume: bool = False) -> Run:
    """Trains `recipe` into the folder `output` (`Run` says what is in it).

    Its `model.keras` is for use: in float32, without optimizers.

    Args:
        resume: go on from the newest checkpoint; the result is the same to the bit as without interruption.

    Raises:
        InputError: if the data cannot be used, the folder holds another run or is being trained into, or a loss is no
            longer finite.
        Interrupted: after Ctrl-C or SIGTERM, when the run is saved.
    """
    run = Run(output)
    _system(recipe)
    with run.claimed(), _reproducible(recipe):
        run.check_free(recipe, resume)
        _train(recipe, run, resume)
    return run


def _train(recipe: Recipe, run: Run, resume: bool) -> None:
    schedule = recipe.schedule
    examples, batches = training_batches(recipe)
    seen = {"count": len(examples), "shape": list(examples.shape), "fingerprint": examples.fingerprint}
    if run.exists:
        run.check_same(recipe, seen)
    strategy = _strategy()
    with strategy.scope():
        model = _newest(run) if resume else None
        if model is None:
            model = build(recipe, examples)
            if recipe.after:
                model.take_over(generation.load_model(Run(recipe.after).model))
    settings = processor.prepare()
    if run.exists and run.written.get("processor", settings) != settings:
        warnings.warn(
            f"{run} was begun with {run.written['processor']} and goes on with {settings}: sums may round otherwise.",
            data.Note,
            stacklevel=2,
        )
    print(f"{len(examples):,} images of {recipe.data.source}")
    run.begin(recipe, seen, settings)  # after all that may refuse: a mistake leaves no run behind
    step = steps_of(model)
    checkpoints = callbacks.Checkpoints(run, schedule)
    checkpoints.set_model(model)
    checkpoints.keep()  # one that was being written when the process was killed
    stop = callbacks.StopOnSignal()
    shown = (*model.term_names()[:1], *model.measures[-1:])
    progress = callbacks.Progress(schedule, step, shown, recipe.objective)
    own = [
        callbacks.StopOnNaN(),
        stop,
        progress,
        callbacks.History(run.history, step, schedule),
        checkpoints,
        keras.callbacks.TensorBoard(run.logs, write_graph=False),
    ]
    if recipe.target.target:
        own.append(callbacks.Samples(run.samples, _sampler(recipe)))
    started = time.perf_counter()
    try:
        while step < schedule.steps and not stop.stopped:
            # A run stopped in the middle of an epoch first ends that epoch.
            epoch, done = divmod(step, schedule.steps_per_epoch)
            model.fit(
                batches(start_step=step),
                initial_epoch=epoch,
                epochs=epoch + 1 if done else schedule.epochs,
                steps_per_epoch=schedule.steps_per_epoch - done,
                callbacks=own,
                verbose=0,
                shuffle=False,
            )
            step = steps_of(model)
            if step < schedule.steps and not stop.stopped and _averages(recipe):
                with strategy.scope():  # `fit` has ended with the averages
                    model = _newest(run)
    finally:
        stop.restore()
        progress.close()
    images, wanted = step * schedule.batch_size, schedule.steps * schedule.batch_size
    if step < schedule.steps:
        raise Interrupted(
            f"Stopped and saved at {images:,} of {wanted:,} images: add --resume to the command to go on."
        )
    model.use_averages()
    callbacks.write_model(in_float32(model), run.model)
    print(f"{recipe.objective}: {wanted:,} images, {time.perf_counter() - started:.0f} s -> {run.model}")


def _averages(recipe: Recipe) -> bool:
    return any(optimizer.averaging for optimizer in recipe.optimizers.values())


@contextlib.contextmanager
def _reproducible(recipe: Recipe) -> Iterator[None]:
    """Within it, the same seed gives the same bytes; what it sets for that is as it was afterwards."""
    numbers = random.getstate(), np.random.get_state(), tensorflow_context.global_seed()
    options = tf.config.optimizer.get_experimental_options()
    determinism = tensorflow_config.is_op_determinism_enabled()
    try:
        if not recipe.schedule.jit_compile:  # Keras does not compile deterministic models
            tf.config.experimental.enable_op_determinism()
            # TensorFlow's graph rewriting is not the same each time, and then equal steps round unequally.
            tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        keras.utils.set_random_seed(recipe.seed)  # determinism asks for it; nothing draws from it
        yield
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False} | options)
        if not determinism:
            tensorflow_config.disable_op_determinism()
        random.setstate(numbers[0])
        np.random.set_state(numbers[1])
        tensorflow_context.set_global_seed(numbers[2])


def _strategy() -> tf.distribute.Strategy:
    return _all_gpus() if len(tf.config.list_physical_devices("GPU")) > 1 else tf.distribute.get_strategy()


@functools.cache
def _all_gpus() -> tf.distribute.Strategy:
    """One a process: TensorFlow takes sums of two strategies over the same devices for one, and their shapes differ."""
    return tf.distribute.MirroredStrategy()


def _newest(run: Run) -> Objective | None:
    """The model of the newest checkpoint that can be read; None if there is none at all."""
    damaged = []
    for step, path in reversed(run.all_checkpoints().items()):
        try:
            model = keras.saving.load_model(path)
            if not isinstance(model, Objective) or not model.compiled or steps_of(model) != step:
                raise ValueError("it is another model's")
        except Exception as error:  # a damaged file raises anything from KeyError to BadZipFile
            damaged.append(f"{path.name} ({' '.join(str(error).split())[:80]})")
            continue
        for one in damaged:
            warnings.warn(f"{one} cannot be read: going on from {path.name}.", data.Note, stacklevel=2)
        return model
    if damaged:
        raise InputError(
            f"No checkpoint of {run} can be read, {damaged[0]} among them: remove {run.checkpoints} to begin anew."
        )
    return None


# Data


def training_batches(recipe: Recipe) -> tuple[data.Examples, Callable[..., tf.data.Dataset]]:
    """What the recipe learns from, and its batches from a given `start_step` on."""
    own, batch = recipe.data, {"batch_size": recipe.schedule.batch_size, "seed": recipe.seed}
    examples = _examples(recipe)
    if own.form == "triplets":
        ranges = data.Transformations(**own.form_options)
        return examples, functools.partial(data.triplets, examples.images, transformations=ranges, **batch)
    form = {"pairs": data.pairs, "sets": data.sets}.get(own.form, data.batches)
    try:
        return examples, functools.partial(form, examples, **own.form_options, **batch)
    except TypeError as error:
        raise InputError(f"{own.form_options} are no options of {own.form} ({error}).") from error


def _examples(recipe: Recipe) -> data.Examples:
    own = recipe.data
    if (own.form == "points") != (own.source == "spiral"):
        kinds = ("images", "points of the plane")
        has = own.source == "spiral"
        raise InputError(
            f"{recipe.name} is for {kinds[not has]}, not for {kinds[has]}: choose another recipe or dataset."
        )
    if own.form == "points":
        return data.Examples(data.spiral.points(10_000, seed=recipe.seed))
    named = bool(own.attributes) and not isinstance(own.attributes, dict)
    labels = own.attributes if named else bool(own.attributes) or own.form in ("pairs", "sets")
    options = {"image_size": own.size, "channels": own.channels, "invert": own.invert, **own.source_options}
    examples = data.load_examples(own.source, own.split, labels=labels, **options)
    if isinstance(own.attributes, dict):
        examples = _with_attributes(recipe, examples)
    if not own.invert and (note := data.ink_note(examples.images)):
        warnings.warn(note, data.Note, stacklevel=2)
    return examples if own.share == 1.0 else examples.select(recipe.trained_on(len(examples)))


def _with_attributes(recipe: Recipe, examples: data.Examples) -> data.Examples:
    """The examples with the attributes of their classes, by the classes' names, as labels."""
    rows = recipe.data.attributes
    unknown = [name for name in examples.classes if name not in rows]
    if unknown or len(examples.classes) < 2:
        has = f"the classes {', '.join(examples.classes[:8])}" if examples.classes else "no classes"
        raise InputError(
            f"{recipe.objective} learns from labelled images, and {recipe.name} has attributes for {', '.join(rows)}: "
            f"{recipe.data.source} has {has}. Put the images of each of these classes in a folder of its name, or "
            "choose another recipe."
        )
    found = np.array([rows[name] for name in examples.classes], np.float32)[examples.labels]
    return dataclasses.replace(examples, labels=found, classes=())


def _sampler(recipe: Recipe) -> Callable[[Objective, pathlib.Path], None]:
    """Draws the same pairs of the target after each epoch: two images of a class each."""
    images, labels = few_shot.target_images(recipe)
    pairs = few_shot.same_class_pairs(labels, 8, seed=0)

    def draw(model: Objective, path: pathlib.Path) -> None:
        first, second = (data.to_float(images[side]) for side in pairs.T)
        generation.save_interpolations(path, first, second, {type(model).__name__: model})

    return draw
