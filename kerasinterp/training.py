"""Runs a recipe into a run folder, and resumes it bit-identically."""

import dataclasses
import functools
import importlib
import json
import pathlib
import platform
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

import kerasinterp
from kerasinterp import callbacks, data, evaluation, generation
from kerasinterp.data import Transformations
from kerasinterp.errors import InputError, suggest
from kerasinterp.files import written_whole
from kerasinterp.nn import mlp
from kerasinterp.nn.precision import in_float32
from kerasinterp.objectives import OBJECTIVES, Objective
from kerasinterp.ops import mixing
from kerasinterp.ops.adam import Adam
from kerasinterp.recipe import Recipe, of_run


class Interrupted(KeyboardInterrupt):
    """Training was stopped by the user, and saved; the message says how to go on."""


def build(recipe: Recipe) -> Objective:
    """The recipe's objective, compiled, with weights drawn from its seed.

    Raises:
        InputError: if there is no such objective, or its networks do not fit it.
    """
    cls = _system(recipe)
    options = dict(recipe.objective_options)
    if recipe.mixing:
        options["mixing"] = mixing.BY_NAME[recipe.mixing]
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if recipe.precision == "bfloat16" else "float32")
    try:
        networks = {name: _network(recipe, cls, name) for name in cls.network_names()}
        model = cls(**networks, seed=recipe.seed, **options)
    finally:
        keras.config.set_dtype_policy(before)
    model.compile(
        {player.name: _optimizer(recipe, player.name) for player in cls.players}, jit_compile=recipe.jit_compile
    )
    return model


def _optimizer(recipe: Recipe, player: str) -> Adam:
    own = recipe.adversary_learning_rate
    rate = recipe.learning_rate if own is None or player == "autoencoder" else own
    beta_1, beta_2 = recipe.adam_betas
    averages = {"use_ema": True, "ema_momentum": recipe.averaging} if recipe.averaging else {}
    return Adam(_learning_rate(recipe, rate), beta_1=beta_1, beta_2=beta_2, **averages)


def _system(recipe: Recipe) -> type[Objective]:
    if recipe.objective not in OBJECTIVES:
        known = f"choose of {', '.join(OBJECTIVES)}.{suggest(recipe.objective, OBJECTIVES)}"
        raise InputError(f"Unknown objective {recipe.objective!r}: {known}")
    return OBJECTIVES[recipe.objective]


def _network(recipe: Recipe, cls: type[Objective], name: str) -> keras.Model:
    """The network that a system calls `name`, of the recipe's backbone."""
    if name == "discriminator" and (other := recipe.discriminator_backbone):
        recipe = dataclasses.replace(recipe, backbone=other, scales=recipe.scales if other == "acai" else None)
    backbone = importlib.import_module(f"kerasinterp.nn.{recipe.backbone}")
    points = recipe.backbone == "mlp"
    shape = (2,) if points else (recipe.image_size, recipe.image_size, recipe.channels)
    names = ("encoder", "decoder", "discriminator", "critic", "latent_discriminator", "posterior")
    names += ("judge_encoder", "judge_decoder", "mixer")
    if name not in names:
        raise InputError(f"{cls.__name__} asks for a network {name!r}, and recipes build {', '.join(names)}.")
    settings = {"seed": 10 * recipe.seed + 1 + names.index(name), "name": name}
    mlps = {"latent_discriminator", "mixer"}
    if name not in mlps:
        settings["width"] = recipe.width
    # A residual discriminator has its own depth.
    if recipe.scales is not None and name not in mlps and (recipe.backbone, name) != ("resnet", "discriminator"):
        settings["scales"] = recipe.scales
    latent, labels = recipe.latent_size, recipe.number_of_attributes
    if recipe.backbone in ("infogan", "dcgan") and name in ("encoder", "judge_encoder", "posterior"):
        # AugIntAE A.1 normalises latents for its SLERP; a prior or linear mixes leave the sphere.
        sphere = mixing.Spherical in (type(cls.default_mixing), type(mixing.BY_NAME.get(recipe.mixing)))
        settings["normalised"] = sphere and name != "posterior"
    match name:
        case "encoder" | "judge_encoder":
            return backbone.encoder(shape, latent, **settings)
        case "decoder" | "judge_decoder":
            return backbone.decoder(shape, latent, **settings)
        case "posterior":
            return backbone.encoder(shape, 2 * latent, **settings)
        case "critic" if hasattr(backbone, "critic"):
            own = {"channels": latent} if recipe.backbone == "acai" else {}  # as the encoder's
            return backbone.critic(shape, **settings, **own)
        case "latent_discriminator":
            return mlp.latent_discriminator(_network(recipe, cls, "encoder").output_shape[1:], **settings)
        case "mixer":
            if not labels:
                raise InputError(f"{cls.__name__} learns with attributes, and {recipe.name} names none.")
            return mlp.label_mixer(labels, latent, **settings)
    two_outputs = {"classes": labels} if "mixer" in cls.network_names() else {}
    if two_outputs and recipe.backbone != "resnet":
        raise InputError(f"{cls.__name__} needs a discriminator that classifies: the backbone resnet has it.")
    return backbone.discriminator(shape, **settings, **two_outputs)


def _learning_rate(recipe: Recipe, rate: float) -> float | keras.optimizers.schedules.LearningRateSchedule:
    total = recipe.epochs * recipe.steps_per_epoch
    cuts = [int(share * total) for share in recipe.learning_rate_cuts]
    if not cuts:
        return rate
    rates = [rate * 0.1**n for n in range(len(cuts) + 1)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(cuts, rates)


def train(recipe: Recipe, output: str | pathlib.Path, *, resume: bool = False, report: bool = True) -> pathlib.Path:
    """Trains `recipe` into the folder `output`, and evaluates it.

    The folder then holds `recipe.json` (recipe and versions), `history.csv`, `logs/` (TensorBoard), `samples/`,
    `checkpoints/` (the newest two, with optimizers), `snapshots/` (if the recipe asks), `model.keras` (for use: in
    float32, without optimizers), and `report.json` with a picture.

    Args:
        resume: go on from the newest checkpoint; the result is the same to the bit as without interruption.
        report: evaluate the model on the recipe's target at the end.

    Returns:
        The folder.

    Raises:
        InputError: if the data cannot be used, the folder holds another run, or a loss is no longer finite.
        Interrupted: after Ctrl-C, when the run is saved.
    """
    output = pathlib.Path(output)
    _system(recipe)
    checkpoints = callbacks.Checkpoints(output / "checkpoints", recipe.snapshot_every)
    _check_run(recipe, output, resume)
    if not recipe.jit_compile:  # Keras does not compile deterministic models
        tf.config.experimental.enable_op_determinism()
        # TensorFlow's graph rewriting is not the same each time, and then equal steps round unequally.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    keras.utils.set_random_seed(recipe.seed)  # determinism asks for it; nothing draws from it

    batches = _batches(recipe)
    strategy = _strategy()
    with strategy.scope():
        model = _newest(checkpoints) if resume else None
        model = model or build(recipe)
    _begin_run(recipe, output, checkpoints)  # after all that may refuse: a mistake leaves no run behind
    step, per_epoch = model.steps, recipe.steps_per_epoch
    interrupt = callbacks.StopOnInterrupt()
    total = recipe.epochs * per_epoch
    progress = callbacks.Progress(total, step, recipe.batch_size, ("reconstruction", "k"), recipe.objective)
    own = [
        callbacks.StopOnNaN(),
        interrupt,
        progress,
        callbacks.History(output / "history.csv", step // per_epoch, recipe.batch_size),
        checkpoints,
        keras.callbacks.TensorBoard(output / "logs", write_graph=False),
    ]
    if recipe.target:
        own.append(callbacks.Samples(output / "samples", _sampler(recipe)))
    started = time.perf_counter()
    try:
        while step < total and not interrupt.interrupted:
            # A run stopped in the middle of an epoch first ends that epoch.
            rest = per_epoch - step % per_epoch
            epoch = step // per_epoch
            until = epoch + 1 if rest < per_epoch else recipe.epochs
            model.fit(
                batches(start_step=step),
                initial_epoch=epoch,
                epochs=until,
                steps_per_epoch=rest,
                callbacks=own,
                verbose=0,
                shuffle=False,
            )
            step = model.steps
            if step < total and not interrupt.interrupted and recipe.averaging:
                with strategy.scope():  # `fit` has ended with the averages
                    model = _newest(checkpoints)
    finally:
        interrupt.restore()
        progress.close()
    seen, wanted = step * recipe.batch_size, total * recipe.batch_size
    if step < total:
        raise Interrupted(f"Stopped and saved at {seen:,} of {wanted:,} images: add --resume to the command to go on.")
    model.use_averages()
    model = in_float32(model)
    callbacks.write_model(model, output / "model.keras")
    print(f"{recipe.objective}: {wanted:,} images, {time.perf_counter() - started:.0f} s -> {output / 'model.keras'}")
    if report and recipe.target:
        evaluate_run(recipe, output, model)
    return output


def _strategy() -> tf.distribute.Strategy:
    return _all_gpus() if len(tf.config.list_physical_devices("GPU")) > 1 else tf.distribute.get_strategy()


@functools.cache
def _all_gpus() -> tf.distribute.Strategy:
    """One a process: TensorFlow takes sums of two strategies over the same devices for one, and their shapes differ."""
    return tf.distribute.MirroredStrategy()


def evaluate_run(recipe: Recipe, output: pathlib.Path, model: Objective) -> dict:
    """Measures the trained model on the recipe's target, into `report.json` and `report.png`."""
    # The classifiers are shared by the runs beside this one.
    judges, source, target = judges_and_images(recipe, output.parent / "classifiers")
    report = evaluation.evaluate(
        {recipe.objective: model}, *source, *target, samples=recipe.evaluation_samples, judges=judges
    )
    evaluation.write_report(report, output)
    return report


def judges_and_images(
    recipe: Recipe, cache_dir: pathlib.Path
) -> tuple[evaluation.Judges, tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The recipe's classifiers, and its source and target as uint8 images and labels."""
    source = _images(recipe, recipe.source, recipe.source_split, labels=True)
    target = target_images(recipe)
    judges = evaluation.train_judges(
        *source,
        *target,
        steps=recipe.judge_steps,
        domain_by_class=recipe.domain_by_class,
        precision="mixed_bfloat16" if recipe.precision == "bfloat16" else "float32",
        cache_dir=cache_dir,
    )
    return judges, source, target


def _check_run(recipe: Recipe, output: pathlib.Path, resume: bool) -> None:
    """Raises InputError if the folder holds a run that is not to be resumed, or another one."""
    if (output / "recipe.json").exists():
        if not resume:
            raise InputError(
                f"{output} already holds a run: add --resume to go on with it, or choose another --output."
            )
        _check_same(recipe, output)
    elif resume and output.exists() and any(output.iterdir()):
        raise InputError(f"{output} holds no run to resume (no recipe.json): choose the folder of a run.")


def _begin_run(recipe: Recipe, output: pathlib.Path, checkpoints: callbacks.Checkpoints) -> None:
    """Writes `recipe.json`, and removes what a killed process left."""
    for left_over in output.rglob(".partial-*"):
        left_over.unlink()
    try:
        checkpoints.directory.mkdir(parents=True, exist_ok=True)
        versions = {
            "kerasinterp": kerasinterp.__version__,
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        }
        with written_whole(output / "recipe.json") as partial:
            partial.write_text(json.dumps({"recipe": _settings(recipe), "versions": versions}, indent=1) + "\n")
    except OSError as error:
        raise InputError(f"Cannot write to {output} ({error.strerror}): choose another --output.") from error


def _settings(recipe: Recipe) -> dict:
    """The recipe as `recipe.json` gives it back."""
    return json.loads(json.dumps(dataclasses.asdict(recipe)))


def _check_same(recipe: Recipe, output: pathlib.Path) -> None:
    """Raises InputError if the run in `output` was begun with other settings than those that may change."""
    settings = _settings(recipe)
    # A run of an earlier version has not every field yet.
    before = _settings(of_run(output))
    free = {"epochs", "snapshot_every", "summary", "judge_steps", "domain_by_class", "evaluation_samples"}
    free |= {name for name in settings if name.startswith("target")}
    if recipe.learning_rate_cuts:
        free.discard("epochs")  # they decide when the step size is cut
    changed = [name for name in settings if name not in free and settings[name] != before[name]]
    if changed:
        name = changed[0]
        raise InputError(
            f"{output} was begun with {name} = {before[name]!r}, not {settings[name]!r}: resume it with "
            "the same, or choose another --output."
        )


def is_finished(recipe: Recipe, output: pathlib.Path) -> bool:
    """Whether `output` holds the whole run of `recipe`, its final model included.

    Raises:
        InputError: it holds a run of other settings, or one that was trained for longer.
    """
    if not (output / "recipe.json").exists():
        return False
    _check_same(recipe, output)
    newest = callbacks.Checkpoints(output / "checkpoints", 0).all()[-1:]
    steps = int(newest[0].stem.removeprefix("step-")) if newest else 0
    total = recipe.epochs * recipe.steps_per_epoch
    if steps > total:
        raise InputError(f"{output} was trained for more than {recipe.epochs} epochs: choose another --output.")
    final = output / "model.keras"
    # A final model older than the newest checkpoint is that of fewer epochs.
    return steps == total and final.exists() and final.stat().st_mtime_ns >= newest[0].stat().st_mtime_ns


def _newest(checkpoints: callbacks.Checkpoints) -> Objective | None:
    found = checkpoints.all()
    return keras.saving.load_model(found[-1]) if found else None


def _sampler(recipe: Recipe):
    """Draws the same pairs of the target after each epoch: two images of a class each."""
    images, labels = target_images(recipe)
    pairs = same_class_pairs(labels, 8, seed=0)

    def draw(model: Objective, path: pathlib.Path) -> None:
        first, second = (data.to_float(images[side]) for side in pairs.T)
        generation.save_interpolations(path, first, second, {type(model).__name__: model})

    return draw


def target_images(recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """The recipe's target as uint8 images and labels, without the classes that it leaves out."""
    images, labels = _images(recipe, recipe.target, recipe.target_split, labels=True)
    kept = ~np.isin(labels, recipe.target_without)
    return images[kept], labels[kept]


def _batches(recipe: Recipe) -> Callable[..., tf.data.Dataset]:
    """The training batches from a given `start_step` on: triplets, or images, with attributes if there are any."""
    settings = {"batch_size": recipe.batch_size, "seed": recipe.seed}
    kinds = ("images", "points of the plane")
    takes, has = recipe.backbone == "mlp", recipe.source == "spiral"
    if takes != has:
        raise InputError(
            f"{recipe.name} is for {kinds[takes]}, not for {kinds[has]}: choose another recipe or dataset."
        )
    if has:
        return functools.partial(data.batches, data.spiral.points(10_000, seed=recipe.seed), **settings)
    asked = recipe.attributes if recipe.named_attributes else bool(recipe.attributes)
    found = _images(recipe, recipe.source, recipe.source_split, labels=asked, **recipe.source_options)
    images, labels = found if recipe.attributes else (found, None)
    if recipe.source_share < 1.0:
        kept = trained_on(recipe, len(images))
        images, labels = images[kept], None if labels is None else labels[kept]
    if recipe.transformations is not None:
        settings["transformations"] = Transformations(**recipe.transformations)
        return functools.partial(data.triplets, images, **settings)
    if labels is not None and not recipe.named_attributes:
        rows = len(recipe.attributes)
        if len(np.unique(labels)) < 2 or labels.max() >= rows:
            raise InputError(
                f"{recipe.objective} learns from labelled images, and {recipe.name} has attributes for {rows} classes: "
                f"{recipe.source} has labels {labels.min()} to {labels.max()}. Put the images of a class in a folder "
                "of its own, or choose another recipe."
            )
        labels = np.array(recipe.attributes)[labels]
    if labels is not None:
        settings["labels"] = labels
    return functools.partial(data.batches, images, **settings)


def trained_on(recipe: Recipe, count: int) -> np.ndarray:
    """Which of the source's `count` images are trained on, bool (count,): a random `source_share`, drawn by `seed`."""
    kept = np.zeros(count, bool)
    size = max(1, round(recipe.source_share * count))
    kept[np.random.default_rng(recipe.seed).choice(count, size, replace=False)] = True
    return kept


def _images(recipe: Recipe, what: str, split: str, **options: object):
    return data.images(what, split=split, image_size=recipe.image_size, channels=recipe.channels, **options)


def same_class_pairs(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Indices (count, 2) of two different images of one class, the classes in turn, drawn by `seed`."""
    rng = np.random.default_rng(seed)
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    classes = [members for members in classes if len(members) > 1]
    if not classes:
        raise InputError("The target has no class with two images: pairs are made within a class.")
    order = rng.permutation(len(classes))
    return np.stack([rng.choice(classes[order[n % len(order)]], 2, replace=False) for n in range(count)])
