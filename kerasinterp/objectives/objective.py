"""The base of every system: a game of players on networks, with named terms from one forward pass a step."""

import inspect
from typing import Any

import keras
import tensorflow as tf

from kerasinterp.data.examples import Examples
from kerasinterp.errors import InputError, suggest
from kerasinterp.nn.joint import Joint
from kerasinterp.nn.layers import layers_of
from kerasinterp.nn.net import Net, common_shapes
from kerasinterp.objectives import epochs
from kerasinterp.objectives.batch import as_images, in_one_sentence, slices, weigh_nothing
from kerasinterp.objectives.kept import Kept
from kerasinterp.objectives.optimized import Optimized
from kerasinterp.objectives.player import Player, in_turns, mean_gradient
from kerasinterp.ops import replicas
from kerasinterp.ops.loss_scale import LossScale


class Objective(Kept, Optimized, keras.Model):
    """A game of players on networks.

    A system states `players`, what its `networks` are, and `terms`, which computes every term once from one forward
    pass. Everything else (gradients, optimizers, logs, saving, distribution) is here, once. `Autoencoder` and
    `Generator` are the two kinds of systems.

    On several replicas of `tf.distribute` it trains as on one device with the same batch: what it draws, mixes and
    normalises is the whole batch's. Layers that draw for themselves, such as dropout, draw other values on each.

    Logs: every term and measure by name, and `loss`, the weighted sum that the first player minimises. An epoch in
    which not all players act (`Player.turn`) has the terms, and the loss, of those who do.

    Args:
        seed: for draws within a step; saved with the model, so that a resumed run draws the same values.
        weights: of terms, by name, where they differ from the system's; a term of weight 0 is logged, not minimised.
        every: by player, where it differs from the system's (`Player.every`); the batch is cut into as many slices.
        turns: by player, where it differs from the system's (`Player.turn`).
        networks: the players' networks, and the fixed ones, by name.

    Raises:
        InputError: networks that are missing or do not fit, unknown terms or players, or weights that leave a player
            nothing to minimise.
    """

    players: tuple[Player, ...] = ()
    networks: dict[str, Net] = {}  # what each network is, where its name is not its kind already
    fixed: tuple[str, ...] = ()  # networks that nobody trains
    measures: tuple[str, ...] = ()  # logged beside the terms, minimised by nobody
    weights_of_terms: dict[str, float] = {}  # 1 where not named
    reads_labels: bool = False  # `terms` reads batch["labels"]
    needs_classes: bool = False  # it learns from labelled images: a recipe's are read with their classes
    form: tuple[str, dict] | None = None  # of data, and its options, without which it cannot train; else any images
    follows: bool = False  # it begins with a trained model: a recipe for it has an `after`

    def __init__(
        self,
        *,
        seed: int = 0,
        weights: dict[str, float] | None = None,
        every: dict[str, int] | None = None,
        turns: dict[str, tuple[int, int]] | None = None,
        name: str | None = None,
        **networks: keras.Model,
    ):
        # float32: the networks have policies of their own, and the images must not be rounded before they arrive.
        super().__init__(name=name, dtype="float32")
        expected = self.network_names()
        if set(networks) != set(expected):
            raise InputError(
                f"{type(self).__name__} needs the networks {', '.join(expected)}; got {', '.join(networks)}."
            )
        for key in expected:
            setattr(self, key, networks[key])
        for key in self.fixed:
            networks[key].trainable = False
        self.complete_networks()
        self.shapes = common_shapes(self.nets(), networks)
        self.seed = int(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        layers = [layer for key in expected for layer in layers_of(networks[key])]
        for layer in layers:
            replicas.draw_apart(layer)
        half = any(layer.compute_dtype == "float16" for layer in layers)
        self.loss_scales = {player.name: LossScale() for player in self.players} if half else {}
        self.step = self.add_weight(
            shape=(), initializer="zeros", dtype="int64", trainable=False, name="step", aggregation="only_first_replica"
        )
        self.term_weights = dict.fromkeys(self.term_names(), 1.0) | self.weights_of_terms
        self.term_weights |= _known(weights, "term", self.term_names(), float, least=0.0)
        for player in self.players:
            if not any(self.term_weights[term] for term in player.terms):
                raise InputError(f"Every term of player {player.name!r} has weight 0: leave one to be minimised.")
        self.every = {player.name: player.every for player in self.players}
        self.every |= _known(every, "player", list(self.every), int, least=1)
        if any(max(self.every.values()) % number for number in self.every.values()):
            raise InputError(f"The largest number of slices is a multiple of the others, not {self.every}.")
        self.players = in_turns(self.players, turns or {})
        self._acting = self.players
        self._train_functions = {}
        self._joint = {}
        self._means = {key: keras.metrics.Mean(name=key) for key in (*self.term_names(), *self.measures)}
        self.built = True

    # What a system states

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        """Every term of every player (B,), and every measure; those that are `idle` may be left out."""
        raise NotImplementedError

    def complete_networks(self) -> None:
        """Called once the given networks are attributes, for a system that makes others from them."""

    def after_update(self, outputs: dict[str, tf.Tensor]) -> None:
        """Called at the end of each update with what `terms` returned."""

    def after_epoch(self) -> None:
        """Called after each whole epoch of `fit`, before callbacks save the model."""

    def begin(self, examples: Examples) -> None:
        """Called once, before the first step, with what it will learn from."""

    def take_over(self, earlier: keras.Model) -> None:
        """Begins where `earlier`, a trained model of another system, ended (a recipe's `after`)."""
        raise takes_nothing_over(type(self))

    def step_shares(self, outputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The share in 0..1 of its learning rate, on all replicas the same, that a player uses in this step."""
        return {}

    def gradients(self, tape: tf.GradientTape, player: Player, outputs: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        """Those of a player's weighted terms at its variables."""
        terms = [term for term in player.terms if self.term_weights[term]]
        starts = [mean_gradient(outputs[term]) * self.term_weights[term] for term in terms]
        return self.gradients_from(tape, player, outputs, [outputs[term] for term in terms], starts)

    # What a system computes its terms with

    def idle(self, training: bool = True) -> set[str]:
        """The terms that need no computing: in training, those that nobody minimises who acts in this epoch."""
        acting = {term for player in self._acting for term in player.terms}
        return set(self.term_names()) - acting if training else set()

    def jointly(self, network: str, *batches: tf.Tensor, training: bool) -> list[tf.Tensor]:
        """What a network gives for several batches that share its batch normalisation's statistics."""
        if network not in self._joint:
            self._joint[network] = Joint(getattr(self, network))
        return self._joint[network](*batches, training=training)

    def uniform(self, *shape: int | tf.Tensor, axis: int = 0) -> tf.Tensor:
        """Draws from U(0, 1); of several replicas each has its share of the batch's, along `axis`."""
        return replicas.uniform(shape, self.seed_generator, axis=axis)

    def normal(self, *shape: int | tf.Tensor, axis: int = 0) -> tf.Tensor:
        """Draws from N(0, 1), as `uniform`."""
        return replicas.normal(shape, self.seed_generator, axis=axis)

    def gradients_from(
        self, tape: tf.GradientTape, player: Player, outputs: dict, ends: list[tf.Tensor], starts: list[tf.Tensor]
    ) -> list[tf.Tensor]:
        """The gradients at a player's variables of what has the gradients `starts` at `ends`, and of its penalties."""
        penalties = outputs[_penalties_of(player)]
        ends, starts = [*ends, *penalties], [*starts, *map(tf.ones_like, penalties)]
        # Every replica sees a share of the batch, and their gradients are added.
        starts = [start / tf.distribute.get_strategy().num_replicas_in_sync for start in starts]
        variables = self.variables_of(player)
        found = self.gradient(tape, player, ends, [variable.value for variable in variables], starts)
        for variable, gradient in zip(variables, found, strict=True):
            if gradient is None:
                raise ValueError(f"No term of player {player.name!r} depends on {variable.path}.")
        return found

    def gradient(
        self, tape: tf.GradientTape, player: Player, ends: list[tf.Tensor], sources: list, starts: list[tf.Tensor]
    ) -> list[tf.Tensor]:
        """`tape.gradient` for a player, under its loss scale where networks compute in float16."""
        scale = self.loss_scales.get(player.name)
        if scale is None:
            return tape.gradient(ends, sources, output_gradients=starts)
        return scale.gradient(tape, ends, sources, starts)

    # Training

    def fit(self, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        """As Keras': `x` is a dataset of batches (`kerasinterp.data`), or images, uint8 or float in [-1, 1].

        Raises:
            InputError: images of another range, targets that the system does not learn from, or weights of samples or
                classes, which no term takes.
        """
        call = inspect.signature(super().fit).bind(*args, **kwargs)
        # Keras drops weights of samples that have no targets.
        weigh_nothing(type(self).__name__, *(call.arguments.get(key) for key in ("sample_weight", "class_weight")))
        call.arguments["callbacks"] = epochs.around(call.arguments.get("callbacks"), self)
        with in_one_sentence():
            return super().fit(*call.args, **call.kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        weigh_nothing(type(self).__name__, kwargs.get("sample_weight"))
        with in_one_sentence():
            return super().evaluate(*args, **kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        with in_one_sentence():
            return super().predict(*args, **kwargs)

    def begin_epoch(self, epoch: int) -> None:
        """Chooses who acts in that epoch (`Player.turn`)."""
        acting = tuple(player for player in self.players if player.acts_in(epoch))
        if acting != self._acting:
            self._train_functions[self._acting] = self.train_function
            self._acting, self.train_function = acting, self._train_functions.get(acting)
            self.make_train_function()

    def prepare(self, data: Any) -> dict[str, tf.Tensor]:
        """The batch as a dictionary; plain images (B, H, W, C) become `{"c": images}`, and labels `labels`.

        Images, whatever their name, become float32 in [-1, 1].
        """
        data, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        batch = dict(data) if isinstance(data, dict) else {"c": data}
        kind = type(self).__name__
        weigh_nothing(kind, weights)
        if labels is not None:
            if not self.reads_labels:
                raise InputError(f"{kind} learns from images alone, and was given targets too: leave y out.")
            batch["labels"] = labels
        return {key: as_images(value) for key, value in batch.items()}

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        for number, batch in enumerate(slices(self.prepare(data), max(self.every.values())), 1):
            outputs = self._update(batch, [player for player in self._acting if number % self.every[player.name] == 0])
        self.step.assign_add(1)
        return self._log(outputs, self.idle())  # everybody acts on the last slice

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Keras would take a batch to build by, and on several machines fail; an objective is built from the start."""

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        return self._log(self._outputs(self.prepare(data), training=False), self.idle(training=False))

    def _outputs(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        outputs = dict(self.terms(batch, training))
        for player in self.players:  # what the networks' own regularisers ask for
            outputs[_penalties_of(player)] = [x for name in player.networks for x in getattr(self, name).losses]
        return outputs

    def _update(self, batch: dict[str, tf.Tensor], players: list[Player]) -> dict[str, tf.Tensor]:
        with tf.GradientTape(persistent=True) as tape:
            outputs = self._outputs(batch, training=True)
        updates = [(player, self.gradients(tape, player, outputs)) for player in players]
        del tape
        shares = self.step_shares(outputs)
        for player, found in updates:
            self.step_of(player, found, shares.get(player.name))
        self.after_update(outputs)
        return outputs

    # Logs

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [*([self._loss_tracker] if self.compiled else []), *self._means.values()]

    def _log(self, outputs: dict[str, tf.Tensor], idle: set[str]) -> dict[str, tf.Tensor]:
        for key, mean in self._means.items():
            if key not in idle:
                mean.update_state(outputs[key])
        first = next(player for player in self.players if not idle.intersection(player.terms))
        loss = sum(self.term_weights[term] * tf.reduce_mean(outputs[term]) for term in first.terms)
        count = tf.size(outputs[first.terms[0]])  # an epoch's last batch may be smaller
        self._loss_tracker.update_state(loss + sum(outputs[_penalties_of(first)]), sample_weight=count)
        logs = self.get_metrics_result()
        if isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy):
            logs = {key: value[tf.newaxis] for key, value in logs.items()}  # Keras takes the mean along this axis
        return logs

    # Names, shapes and variables

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(H, W, C), or (n,) for points."""
        return self.shapes["images"]

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """(n,) for vectors, (h, w, n) for convolutional latents."""
        return self.shapes["latents"]

    @classmethod
    def network_names(cls) -> list[str]:
        return list(dict.fromkeys((*(name for player in cls.players for name in player.networks), *cls.fixed)))

    @classmethod
    def nets(cls) -> dict[str, Net]:
        """What each network is, by name."""
        return {name: cls.networks.get(name) or Net(name) for name in cls.network_names()}

    @classmethod
    def term_names(cls) -> list[str]:
        return list(dict.fromkeys(term for player in cls.players for term in player.terms))


def takes_nothing_over(cls: type[Objective]) -> InputError:
    return InputError(f"{cls.__name__} takes over nothing from an earlier run: leave `after` out.")


def _penalties_of(player: Player) -> str:
    return f"{player.name}'s regularisers"


def _known(given: dict | None, kind: str, names: list[str], to: type, least: float) -> dict:
    """`given` as numbers of type `to`, if all its keys are `names`."""
    for key, value in (given or {}).items():
        if key not in names:
            raise InputError(f"There is no {kind} {key!r}: choose of {', '.join(names)}.{suggest(key, names)}")
        if to(value) < least:
            raise InputError(f"The number given for {key} is {least:g} or more, not {value}.")
    return {key: to(value) for key, value in (given or {}).items()}
