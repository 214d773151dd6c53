"""Runs a recipe into a run folder, and resumes it bit-identically."""

import contextlib
import dataclasses
import functools
import inspect
import math
import os
import pathlib
import tempfile
import time
import typing
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import kerasinterp
from kerasinterp import callbacks, data, generation, processor
from kerasinterp.callbacks import steps_of
from kerasinterp.cluster import Cluster
from kerasinterp.data import notes
from kerasinterp.data.memory import bytes_of, for_images, told
from kerasinterp.errors import InputError, suggest
from kerasinterp.evaluation.classifier import Classifier, train_classifier
from kerasinterp.evaluation.learner import RATE
from kerasinterp.files import regular
from kerasinterp.generation.checks import check_memory, codes_images, needs, takes_seeds
from kerasinterp.nn import cifar_resnet
from kerasinterp.nn.backbone import Facts
from kerasinterp.nn.perceptual import FITTED, FixedNetwork
from kerasinterp.nn.precision import in_float32
from kerasinterp.objectives import OBJECTIVES, Objective
from kerasinterp.objectives.objective import takes_nothing_over
from kerasinterp.ops import mixing
from kerasinterp.ops.adam import Adam
from kerasinterp.ops.sgd import SGD
from kerasinterp.recipe import POLICIES, Data, Optimizer, Recipe
from kerasinterp.reproducible import reproducible
from kerasinterp.run import Run
from kerasinterp.typed import as_type
from kerasinterp.yardsticks import few_shot


class Interrupted(KeyboardInterrupt):
    """Training was stopped by the user, and saved; the message says how to go on."""


def build(recipe: Recipe, examples: data.Examples | None = None) -> Objective:
    """The recipe's objective, compiled, with weights drawn from its seed.

    Args:
        examples: what it will learn from; by default images of the recipe's shape, of two classes if it needs some.

    Raises:
        InputError: if there is no such objective, or its networks do not fit it.
    """
    cls, backbone = system(recipe), recipe.backbone
    options = _options(cls, recipe)
    if unknown := sorted(set(backbone.networks) - set(cls.network_names())):
        raise InputError(f"{cls.__name__} has no network {unknown[0]!r}: it has {', '.join(cls.network_names())}.")
    if unused := backbone.unused(cls.nets()):
        raise InputError(f"The backbone's option {unused[0]!r} has no effect on {cls.__name__}: leave it out.")
    if unknown := sorted(set(recipe.optimizers) - {"all", "first", "others", *(player.name for player in cls.players)}):
        names = ", ".join(player.name for player in cls.players)
        raise InputError(f"{cls.__name__} has no player {unknown[0]!r}: it has {names}.")
    of_data = (2 if cls.needs_classes else 0) if examples is None else len(examples.classes)
    labels = recipe.data.number_of_attributes or of_data
    if "classes" in _all_arguments(cls):
        labels = options.setdefault("classes", labels or 1)
    if "count" in _all_arguments(cls):
        options.setdefault("count", 1 if examples is None else len(examples))
    facts = Facts(
        image_shape=recipe.data.shape if examples is None else examples.shape,
        count=1 if examples is None else len(examples),
        labels=labels,
        unit_latents=getattr(options.get("mixing", getattr(cls, "default_mixing", None)), "on_sphere", False),
    )
    fixed = {name: own for name, own in options.items() if isinstance(own, FixedNetwork)}
    options |= {name: _fixed_network(own, facts.image_shape, recipe, examples) for name, own in fixed.items()}
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(POLICIES[recipe.schedule.precision])
    try:
        networks = {
            name: backbone.build(net, name, 10 * recipe.seed + number, facts)
            for number, (name, net) in enumerate(cls.nets().items(), 1)
        }
        model = cls(**networks, seed=recipe.seed, **options)
    except (MemoryError, tf.errors.ResourceExhaustedError):
        raise InputError("The networks do not fit in memory: choose a smaller width or latent_size.") from None
    finally:
        keras.config.set_dtype_policy(before)
    if recipe.schedule.batch_size % (slices := max(model.every.values())):
        raise InputError(
            f"A batch of {recipe.schedule.batch_size} cannot be cut into {slices} equal slices: choose another "
            "batch_size, or another every."
        )
    optimizers = {}
    for player in model.players:
        own = recipe.optimizer(player.name, first=player is model.players[0])
        steps = recipe.schedule.steps_per_epoch * sum(map(player.acts_in, range(recipe.schedule.epochs)))
        optimizers[player.name] = _optimizer(own, steps * model.updates_per_step(player))
    model.compile(optimizers, jit_compile=recipe.schedule.jit_compile)
    return model


def _fixed_network(
    own: FixedNetwork, shape: tuple[int, ...], recipe: Recipe, examples: data.Examples | None
) -> keras.Model:
    """Fitted on images that are learned from, spread over all; without any it is of random weights."""
    if examples is None:
        return FixedNetwork("resnet32", "random").build(shape)
    if (learns := own == FixedNetwork("resnet32", "trained")) and (examples.labels is None or examples.labels.ndim > 1):
        raise InputError(
            f"A trained {own.network} learns from classes, and {recipe.objective} is given none: choose other weights, "
            "such as the file of a classifier."
        )
    trained = train_resnet32(examples, seed=recipe.seed).model if learns else None
    some = np.unique(np.linspace(0, len(examples) - 1, max(1, FITTED // math.prod(shape[:2]))).astype(int))
    return own.build(shape, data.to_float(examples.images[some]), trained, recipe.seed)


def train_resnet32(examples: data.Examples, steps: int = 2000, seed: int = 0) -> Classifier:
    """A classifier whose features a perceptual loss may compare (COLA 5.3.1), trained under the usual settings."""
    return train_classifier(
        np.asarray(examples.images),
        examples.labels,
        int(examples.labels.max()) + 1,
        steps=steps,
        width=16,
        peak_rate=RATE,
        seed=seed,
        network=functools.partial(cifar_resnet.classifier, depth=32),
        verbose=1,
    )


def system(recipe: Recipe) -> type[Objective]:
    """The class that the recipe's objective names.

    Raises:
        InputError: there is none.
    """
    return _system(recipe.objective)


def _system(name: str) -> type[Objective]:
    if name not in OBJECTIVES:
        raise InputError(f"Unknown objective {name!r}: choose of {', '.join(OBJECTIVES)}.{suggest(name, OBJECTIVES)}")
    return OBJECTIVES[name]


def with_objective(recipe: Recipe, name: str) -> Recipe:
    """The recipe with the system of that name, on the form of data that it needs; what its own system alone has stays
    behind.

    Its networks see as many images at once: a system that cuts a batch into slices gets so many times as large ones.

    Raises:
        InputError: there is no such system.
    """
    if name == recipe.objective:
        return recipe
    cls, common = _system(name), common_options(recipe.objective, name)
    players = {"all", "first", "others", *(player.name for player in cls.players)}
    # Its `every` stays behind, and the batch is that of a slice times the new system's slices, in whole examples.
    every = {player.name: player.every for player in system(recipe).players}
    every |= recipe.objective_options.get("every", {})
    seen, slices = _in_form(recipe.data, cls), max(player.every for player in cls.players)
    backbone = dataclasses.replace(
        recipe.backbone,
        networks={key: own for key, own in recipe.backbone.networks.items() if key in cls.network_names()},
    )
    unused = backbone.unused(cls.nets())
    options = {key: value for key, value in backbone.options.items() if key not in unused}
    slice_ = max(1, recipe.schedule.batch_size // max(every.values()) // seen.at_once) * seen.at_once
    return dataclasses.replace(
        recipe.change(batch_size=slice_ * slices),
        objective=name,
        data=seen,
        after="" if cls.take_over is Objective.take_over else recipe.after,
        objective_options={key: value for key, value in recipe.objective_options.items() if key in common},
        mixing=recipe.mixing if "mixing" in _all_arguments(cls) else "",
        backbone=dataclasses.replace(backbone, options=options),
        optimizers={key: own for key, own in recipe.optimizers.items() if key in players},
    )


def _in_form(own: Data, cls: type[Objective]) -> Data:
    """The data in the form that a system needs; one that needs none gets plain images, or triplets if they are there.

    Triplets that are not there yet have the ranges usual for such images.
    """
    if cls.form is None:
        # Pairs and sets are what another system needs; of triplets all see the same distribution (AugIntAE A.1).
        return dataclasses.replace(own, form="images", form_options={}) if own.form in ("pairs", "sets") else own
    form, options = cls.form
    if own.form == form:
        return dataclasses.replace(own, form_options={**options, **own.form_options})
    if form == "triplets" and len(own.shape) == 3:
        options = data.usual_ranges(own.shape).changed_from_none()
    return dataclasses.replace(own, form=form, form_options=dict(options))


def check(recipe: Recipe) -> None:
    """Raises InputError, before any image is read, if there is no such system, or no networks or memory for its images.

    So it does where a system begins with a trained model, and none is named.

    A size that the networks cannot make gets the nearest that they can (`errors.SizeError`).
    """
    nets = system(recipe).nets()
    if system(recipe).follows and not recipe.after:
        raise InputError(f"{recipe.objective} begins with a trained model: name its run folder by `after` (--after).")
    if recipe.after and system(recipe).take_over is Objective.take_over:
        raise takes_nothing_over(system(recipe))
    if rest := recipe.schedule.batch_size % (size := recipe.data.at_once):
        nearest = [one for one in (recipe.schedule.batch_size - rest, recipe.schedule.batch_size - rest + size) if one]
        raise InputError(
            f"A batch of {recipe.schedule.batch_size} images is no whole number of sets of {size}: choose a batch_size "
            f"of {' or '.join(map(str, nearest))}."
        )
    if not recipe.data.source:
        raise InputError(f"{recipe.name} is for images of your own: give a folder of them, or a dataset, by --data.")
    check_memory(recipe.schedule.batch_size, recipe.data.shape)
    if recipe.data.form != "points":
        recipe.backbone.check(nets, recipe.data.shape)


def _options(cls: type[Objective], recipe: Recipe) -> dict[str, Any]:
    """The arguments of a system that its recipe gives."""
    known = _all_arguments(cls)
    own = [name for name in known if name not in (*cls.network_names(), "mixing", "seed", "name")]
    for name in recipe.objective_options:
        if name not in own:
            hint = suggest(name, own)
            raise InputError(f"{cls.__name__} has no option {name!r}: it has {', '.join(own)}.{hint}")
    kinds = {name: FixedNetwork if kind == (keras.Model | None) else kind for name, kind in known.items()}
    options = {name: as_type(kinds[name], value, name) for name, value in recipe.objective_options.items()}
    if recipe.mixing:
        if "mixing" not in known:
            raise InputError(f"{cls.__name__} mixes no latents: leave mixing out.")
        if recipe.mixing not in mixing.BY_NAME:
            names = list(mixing.BY_NAME)
            raise InputError(
                f"Unknown mixing {recipe.mixing!r}: choose of {', '.join(names)}.{suggest(recipe.mixing, names)}"
            )
        options["mixing"] = mixing.BY_NAME[recipe.mixing]
    return options


def common_options(one: str, other: str) -> set[str]:
    """The options that two systems have from a common ancestor, and so mean the same thing in both.

    Those of `Objective` itself are not among them: weights are of terms, which differ.
    """
    ancestors = set(_system(one).__mro__) & set(_system(other).__mro__) - {Objective}
    return {name for base in ancestors for name in _arguments(base)}


def _all_arguments(cls: type[Objective]) -> dict[str, Any]:
    """Those of a system and of what it is made from."""
    known: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        known |= _arguments(base)
    return known


def _arguments(cls: type) -> dict[str, Any]:
    """The named arguments that an objective's own constructor adds, and their types."""
    if not issubclass(cls, Objective) or "__init__" not in vars(cls):
        return {}
    parameters = inspect.signature(cls.__init__).parameters.values()
    named = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    hints = typing.get_type_hints(cls.__init__)
    return {name: hints[name] for name in named if name in hints}  # not self


def _optimizer(own: Optimizer, updates: int) -> keras.optimizers.Optimizer:
    rate = own.rate
    if own.cuts:
        rates = [own.rate * own.factor**n for n in range(len(own.cuts) + 1)]
        cuts = [int(share * updates) for share in own.cuts]
        rate = keras.optimizers.schedules.PiecewiseConstantDecay(cuts, rates)
    if own.to_zero:
        rate = keras.optimizers.schedules.PolynomialDecay(own.rate, updates, 0.0)
    common = {"weight_decay": own.decay or None, "clipvalue": own.clip or None}
    if own.averaging:
        common |= {"use_ema": True, "ema_momentum": own.averaging}
    if own.kind == "sgd":
        return SGD(rate, momentum=own.momentum, **common)
    return Adam(rate, beta_1=own.betas[0], beta_2=own.betas[1], **common)


def finished(recipe: Recipe, output: str | os.PathLike) -> Run:
    """The recipe's run in a folder, which is begun, gone on with, or done; errors as `train`."""
    run = Run(output)
    if not run.is_finished(recipe):
        train(recipe, run.folder, resume=run.exists)
    return run


def train(recipe: Recipe, output: str | os.PathLike, *, resume: bool = False, memory: int | str | None = None) -> Run:
    """Trains `recipe` into the folder `output` (`Run` says what is in it).

    Its `model.keras` is for use: in float32, without optimizers.

    All GPUs of the machine share each batch. On several machines (`TF_CONFIG`) the same call on each trains one model;
    the first, the chief, alone writes.

    Args:
        resume: go on from the newest checkpoint; the result is the same to the bit as without interruption.
        memory: as `training_batches`; the result is the same whatever it is.

    Raises:
        InputError: if the data cannot be used, the folder holds another run or is being trained into, or a loss is no
            longer finite; on several machines, if one does not come or is lost.
        Interrupted: after Ctrl-C or SIGTERM, when the run is saved.
    """
    run, cluster = Run(output), Cluster.from_environment()
    system(recipe)
    with contextlib.ExitStack() as held:

        def hold() -> bytes:
            held.enter_context(run.claimed())
            run.check_free(recipe, resume)
            return b""

        if cluster:
            cluster.join(
                {
                    "recipe": dataclasses.asdict(recipe),
                    "--resume": resume,
                    "version of kerasinterp": kerasinterp.__version__,
                    "number of GPUs": len(tf.config.list_physical_devices("GPU")),
                }
            )
            held.enter_context(cluster.training())
            cluster.from_chief(hold)
        else:
            hold()
        held.enter_context(reproducible(recipe.seed, deterministic=not recipe.schedule.jit_compile))
        _train(recipe, run, resume, memory, cluster)
    return run


def _train(recipe: Recipe, run: Run, resume: bool, memory: int | str | None, cluster: Cluster | None) -> None:
    schedule, writes = recipe.schedule, cluster is None or cluster.is_chief
    strategy = cluster.strategy if cluster else _strategy()
    devices = strategy.num_replicas_in_sync
    if recipe.after and not resume and not (model := Run(recipe.after).model).exists():
        raise InputError(f"there is no model file {model}.")
    _check_shares(schedule.batch_size, devices, at_once=recipe.data.at_once)
    if schedule.jit_compile and devices > 1:
        raise InputError(f"jit_compile is for one device, and here are {devices}: leave it out.")
    with _noted() as told:
        examples, batches = training_batches(recipe, memory)
    seen = {"count": len(examples), "shape": list(examples.shape), "fingerprint": examples.fingerprint, "notes": told}
    if writes and run.exists:
        run.check_same(recipe, seen)
    if cluster:
        cluster.check_same("images", seen["fingerprint"])
    model = _newest(run, recipe, strategy, cluster) if resume else None
    if model is None:
        with strategy.scope():
            model = build(recipe, examples)
            model.begin(examples)
            if recipe.after:
                model.take_over(generation.load_model(Run(recipe.after).model))
    _check_shares(schedule.batch_size, devices, max(model.every.values()), recipe.data.at_once)
    step = steps_of(model)

    def from_step(step: int) -> Any:
        dataset = batches(start_step=step)
        return cluster.share(dataset) if cluster else dataset

    dataset = from_step(step)
    settings = processor.prepare()
    if run.exists and (begun_with := run.written.get("processor", settings)) != settings:
        notes.note(f"{run} was begun with {begun_with} and goes on with {settings}: sums may round otherwise.")
    print(f"{_images_told(recipe, examples)}, on {_told(strategy, cluster)}")
    print(_training_told(recipe, model, step))
    stop = callbacks.StopOnSignal(cluster.anybody if cluster else None)
    own = [callbacks.StopOnNaN(), stop]
    if writes:
        history = callbacks.History(run.history, step, schedule)
        samples = [callbacks.Samples(run.samples, _sampler(recipe, model))] if recipe.target.target else []
        run.begin(recipe, seen, settings)  # after all that may refuse: a mistake leaves no run behind
        checkpoints = callbacks.Checkpoints(run, schedule)
        checkpoints.set_model(model)
        checkpoints.keep()  # one that was being written when the process was killed
        shown = (*model.term_names()[:1], *model.measures[-1:])
        progress = callbacks.Progress(schedule, step, shown, recipe.objective)
        own += [progress, history, checkpoints, keras.callbacks.TensorBoard(run.logs, write_graph=False), *samples]
    started = time.perf_counter()
    try:
        while step < schedule.steps and not stop.stopped:
            # A run stopped in the middle of an epoch first ends that epoch.
            epoch, done = divmod(step, schedule.steps_per_epoch)
            model.fit(
                dataset,
                initial_epoch=epoch,
                epochs=epoch + 1 if done else schedule.epochs,
                steps_per_epoch=schedule.steps_per_epoch - done,
                callbacks=own,
                verbose=0,
                shuffle=False,
            )
            step = steps_of(model)
            if step < schedule.steps and not stop.stopped:
                dataset = from_step(step)
                if _averages(recipe):  # `fit` has ended with them
                    model = _newest(run, recipe, strategy, cluster)
    finally:
        stop.restore()
        if writes:
            progress.close()
    images, wanted = step * schedule.batch_size, schedule.steps * schedule.batch_size
    if step < schedule.steps:
        raise Interrupted(
            f"Stopped and saved at {images:,} of {wanted:,} images: add --resume to the command to go on."
        )
    model.use_averages()
    if writes:
        callbacks.write_model(in_float32(model), run.model)
    place = run.model if writes else "written by the chief"
    print(f"{recipe.objective}: {wanted:,} images, {time.perf_counter() - started:.0f} s -> {place}")


def _averages(recipe: Recipe) -> bool:
    return any(optimizer.averaging for optimizer in recipe.optimizers.values())


def _strategy() -> tf.distribute.Strategy:
    return _all_gpus() if len(tf.config.list_physical_devices("GPU")) > 1 else tf.distribute.get_strategy()


@functools.cache
def _all_gpus() -> tf.distribute.Strategy:
    """One a process: TensorFlow takes sums of two strategies over the same devices for one, and their shapes differ."""
    return tf.distribute.MirroredStrategy()


def _images_told(recipe: Recipe, examples: data.Examples) -> str:
    """What is learned from, in words: `600 images of photos (20 classes), 48 x 64 in colour`."""
    own, classes = recipe.data, len(examples.classes) if not recipe.data.attributes else 0
    if not classes and pathlib.Path(own.source).is_dir() and own.source not in data.sources():
        with contextlib.suppress(InputError):  # images beside its classes
            classes = len(own.source_options.get("classes") or data.classes_of(own.source))
    kinds = f" ({classes:,} classes)" if classes > 1 else ""
    if own.form == "points":
        return f"{len(examples):,} points of {own.source}"
    height, width, channels = examples.shape
    look = f"{height} x {width} in {'colour' if channels == 3 else 'grey'}"
    return f"{len(examples):,} images of {own.source}{kinds}, {look}"


def _training_told(recipe: Recipe, model: Objective, step: int) -> str:
    """What learns, and for how long: `AugIntAE: 420,571 weights, float32; 65,536 images in batches of 32`."""
    schedule, weights = recipe.schedule, sum(math.prod(one.shape) for one in model.trainable_variables)
    done = f", of which {step * schedule.batch_size:,} are done" if step else ""
    return (
        f"{recipe.objective}: {weights:,} weights, {schedule.precision}; {schedule.steps * schedule.batch_size:,} "
        f"images in batches of {schedule.batch_size}{done}"
    )


def _told(strategy: tf.distribute.Strategy, cluster: Cluster | None) -> str:
    """What is trained on, in words."""
    number = strategy.num_replicas_in_sync
    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    told = f"{number} {kind}{'s' if number > 1 else ''}" if kind == "GPU" or number > 1 else processor.describe()
    if cluster:
        told += f" of {len(cluster.addresses)} workers, this being {'the chief' if cluster.is_chief else cluster.name}"
    return told


def _check_shares(size: int, devices: int, slices: int = 1, at_once: int = 1) -> None:
    """Raises InputError if the devices cannot have equal shares, in whole examples, of a batch, or of its slices."""
    if rest := size % (least := devices * slices * at_once):
        nearest = " or ".join(f"{one}" for one in (size - rest, size - rest + least) if one)
        cut = f" of sets of {at_once}" if at_once > 1 else ""
        cut += f" cut into {slices} slices" if slices > 1 else ""
        raise InputError(
            f"{devices} devices cannot share a batch of {size}{cut} equally: choose a batch_size of {nearest}."
        )


def _newest(
    run: Run, recipe: Recipe, strategy: tf.distribute.Strategy, cluster: Cluster | None = None
) -> Objective | None:
    """The model of the newest checkpoint that can be read; None if there is none at all.

    Newer ones are put aside, so that none counts as a checkpoint. On several machines it is the chief's.
    """
    if cluster is None:
        with strategy.scope():
            return _newest_of(run, recipe)

    def content() -> bytes:  # found by the chief alone: within the scope all must make the same variables
        found = _newest_of(run, recipe)
        return b"" if found is None else run.checkpoint(steps_of(found)).read_bytes()

    if not (whole := cluster.from_chief(content)):
        return None
    with tempfile.TemporaryDirectory() as folder, strategy.scope():
        path = pathlib.Path(folder, "checkpoint.keras")
        path.write_bytes(whole)
        return keras.saving.load_model(path)


def _newest_of(run: Run, recipe: Recipe) -> Objective | None:
    damaged = {}
    for step, path in reversed(run.all_checkpoints().items()):
        try:
            model = keras.saving.load_model(regular(path))
            if type(model) is not system(recipe) or model.image_shape != recipe.data.shape or model.seed != recipe.seed:
                raise ValueError("it is another model's")
            if not model.compiled or steps_of(model) != step:
                raise ValueError("it is not what its name says, or has no optimizers")
        except Exception as error:  # a damaged file raises anything from KeyError to BadZipFile
            damaged[path] = " ".join(str(error).split())[:80]
            continue
        for one, why in damaged.items():
            one.rename(one.with_name(f"{one.name}.damaged"))
            notes.note(f"{one} cannot be read ({why}): going on from {path.name}; it is kept as {one.name}.damaged.")
        return model
    if damaged:
        newest, why = next(iter(damaged.items()))
        raise InputError(
            f"No checkpoint of {run} can be read, {newest.name} ({why}) among them: remove {run.checkpoints} to begin "
            "anew."
        )
    return None


# Data


@contextlib.contextmanager
def _noted() -> Iterator[list[str]]:
    """Yields a list that then has the notes that were given within, which are given once more at the end."""
    found: list[str] = []
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        yield found
    for one in given:
        warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    found += [str(one.message) for one in given if issubclass(one.category, notes.Note)]


def training_batches(
    recipe: Recipe, memory: int | str | None = None
) -> tuple[data.Examples, Callable[..., tf.data.Dataset]]:
    """What the recipe learns from, and its batches from a given `start_step` on.

    Args:
        memory: the most that the images may hold, as `data.load_examples` has it; by default a quarter of the
            machine's. Those that would take more are read from a file, see there.

    Raises:
        InputError: as `data.load_examples`; no batch fits in the memory, or options that the form has not.
    """
    check(recipe)
    own, images = recipe.data, recipe.schedule.batch_size
    memory = for_images() if memory is None else bytes_of(memory)
    if (least := images * math.prod(own.shape)) > memory:
        raise InputError(
            f"memory is {told(memory)}, and one batch of {images} images takes {told(least)}: allow more, "
            "or choose a smaller batch_size."
        )
    examples = learned_from(recipe, memory)
    if own.form != "points" and not own.invert and (text := data.ink_note(examples.images)):
        notes.note(text)
    return examples, batches_of(recipe, examples)


def batches_of(recipe: Recipe, examples: data.Examples) -> Callable[..., tf.data.Dataset]:
    """The batches that the recipe makes of such examples, from a given `start_step` on.

    Raises:
        InputError: options that the form has not.
    """
    own = recipe.data
    batch = {"batch_size": recipe.schedule.batch_size // own.at_once, "seed": recipe.seed}
    form = {"pairs": data.pairs, "sets": data.sets, "triplets": data.triplets}.get(own.form, data.batches)
    kinds = typing.get_type_hints(form)
    if own.form == "triplets":
        del kinds["transformations"]  # given by their own names
        kinds |= typing.get_type_hints(data.Transformations)
    known = [
        name for name in kinds if name not in (*batch, "images", "examples", "labels", "start_step", "steps", "return")
    ]
    for name in own.form_options:
        if name not in known:
            raise InputError(f"The form {own.form} has no option {name!r}.{suggest(name, known)}")
    if own.form == "sets" and "size" not in own.form_options:
        raise InputError('The form sets needs a size, of each set: form_options={"size": 5}, say.')
    options = {name: as_type(kinds[name], value, name) for name, value in own.form_options.items()}
    if own.form == "triplets":
        others = {name: options.pop(name) for name in [*options] if name not in data.Transformations.__annotations__}
        ranges = data.Transformations(**options)
        return functools.partial(data.triplets, examples.images, transformations=ranges, **others, **batch)
    return functools.partial(form, examples, **options, **batch)


def learned_from(recipe: Recipe, memory: int, **choices: object) -> data.Examples:
    """The images that the recipe's models see, its `share` or `per_class` of them, with the labels that it needs.

    Classes that a system learns from are those that there are images of, numbered from 0.

    Args:
        memory: as `data.load_examples`.
        choices: further arguments of `data.load_examples`, where `source_options` has no other.

    Raises:
        InputError: as `data.load_examples`; points for a recipe of images, or the other way round.
    """
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
    classes = system(recipe).needs_classes
    numbered = bool(own.attributes) or own.form in ("pairs", "sets") or own.per_class > 0 or classes
    labels = own.attributes if named else numbered
    options = {"labels": labels, "image_size": own.size, "channels": own.channels, "invert": own.invert}
    if given_twice := sorted(options.keys() & own.source_options):
        raise InputError(f"{given_twice[0]} is a setting of its own: leave it out of source_options.")
    examples = data.load_examples(own.source, own.split, memory=memory, **options, **{**choices, **own.source_options})
    if isinstance(own.attributes, dict):
        examples = _with_attributes(recipe, examples)
    if own.share < 1.0 or own.per_class:
        examples = examples.select(recipe.trained_on(len(examples), examples.labels))
    return _with_classes(recipe, examples) if classes else examples


def _with_classes(recipe: Recipe, examples: data.Examples) -> data.Examples:
    """The examples with their labels numbering the classes that there are."""
    if examples.labels is None or examples.labels.ndim != 1 or len(known := np.unique(examples.labels)) < 2:
        raise InputError(
            f"{recipe.objective} learns from classes, and {recipe.data.source} has not two of them: put the images of "
            "each class in a folder of its name."
        )
    names = tuple(examples.classes[one] for one in known)
    return dataclasses.replace(examples, labels=np.searchsorted(known, examples.labels), classes=names)


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


def _sampler(recipe: Recipe, model: Objective) -> Callable[[Objective, pathlib.Path], None]:
    """Draws the same after each epoch: between pairs of the target, else from sets of seeds, else from the prior."""
    if not takes_seeds(model):
        needs(model, "prior")
        return lambda model, path: few_shot.draw_samples({type(model).__name__: model}, path)
    images, labels = few_shot.target_images(recipe)
    if not codes_images(model):
        shots = recipe.target.shots
        return lambda model, path: few_shot.draw_few_shot(images, labels, shots, {type(model).__name__: model}, path)
    pairs = few_shot.same_class_sets(labels, 8, 2, seed=0)
    return lambda model, path: few_shot.draw_pairs(images, pairs, {type(model).__name__: model}, path)
