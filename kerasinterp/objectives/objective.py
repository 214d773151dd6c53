"""The base of every system: one forward pass, named terms, players that minimise them."""

import contextlib
import copy
import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from kerasinterp.errors import InputError, suggest
from kerasinterp.nn.joint import Joint
from kerasinterp.ops import gradients, losses
from kerasinterp.ops.mixing import Linear


@dataclasses.dataclass(frozen=True)
class Balance:
    """Gradients of two terms, balanced image by image where the images were decoded (AugIntAE eq. 2-3).

    Attributes:
        images: the key of the decoded images among the outputs of `Objective.terms`.
        target: the term whose gradient sets the norm.
        term: the term whose gradient is rescaled to it, and weighted by the objective's `k`.
    """

    images: str
    target: str
    term: str


@dataclasses.dataclass(frozen=True)
class Player:
    """Some networks, trained by one optimizer to minimise the weighted sum of some terms (each a mean over the batch).

    Attributes:
        every: acts on every n-th slice of a batch only (n generator steps to one of a critic's, or the other way).
    """

    name: str
    networks: tuple[str, ...]
    terms: tuple[str, ...]
    balance: Balance | None = None
    every: int = 1


class Objective(keras.Model):
    """An autoencoder whose training is a game of players; `call` reconstructs.

    A system states `players`, and `terms`, which computes every term once from one forward pass. Everything else
    (gradients, optimizers, logs, saving, distribution) is here, once.

    Args:
        mixing: how two latents are mixed, a value of `kerasinterp.ops.mixing`, `Linear()` say; None for the system's.
        seed: for draws within a step; saved with the model, so that a resumed run draws the same values.
        weights: of terms, by name, where they differ from the system's; a term of weight 0 is logged, not minimised.
        every: by player, where it differs from the system's (`Player.every`); the batch is cut into as many slices.
        reconstruction_loss: `absolute` or `squared` error, a mean over pixels, or the `euclidean` norm of all pixels'
            errors; None for the system's.
        networks: the players' networks by name, `encoder` (B, H, W, C) -> latents (B, ...) and `decoder` among them.
    """

    players: tuple[Player, ...] = ()
    measures: tuple[str, ...] = ()  # logged beside the terms, minimised by nobody
    weights_of_terms: dict[str, float] = {}  # 1 where not named
    default_mixing: Any = Linear()
    chooses_weights: bool = False  # `terms` mixes at weights of its own, so the mixing must take any
    reconstruction_loss: str = "absolute"

    def __init__(
        self,
        *,
        mixing: Any = None,
        seed: int = 0,
        weights: dict[str, float] | None = None,
        every: dict[str, int] | None = None,
        reconstruction_loss: str | None = None,
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
        self.complete_networks()
        self._check_shapes()
        self.mixing = self.default_mixing if mixing is None else mixing
        self.mixing.check(self.latent_shape)
        if self.chooses_weights and not self.mixing.at_any_weight:
            raise InputError(
                f"{type(self).__name__} mixes at weights that it chooses, and {type(self.mixing).__name__} mixing "
                "draws its own: use Linear() or, for latent vectors, Spherical()."
            )
        self.seed = int(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.term_weights = dict.fromkeys(self.term_names(), 1.0) | self.weights_of_terms
        self.term_weights |= _known(weights, "term", self.term_names(), float, least=0.0)
        for player in self.players:
            if not any(self.term_weights[term] for term in player.terms):
                raise InputError(f"Every term of player {player.name!r} has weight 0: leave one to be minimised.")
            if player.balance and any(self.term_weights[term] != 1.0 for term in player.terms):
                raise InputError(f"The terms of player {player.name!r} are balanced image by image: give no weights.")
        self.every = {player.name: player.every for player in self.players}
        self.every |= _known(every, "player", list(self.every), int, least=1)
        if any(max(self.every.values()) % number for number in self.every.values()):
            raise InputError(f"The largest number of slices is a multiple of the others, not {self.every}.")
        self.reconstruction_loss = reconstruction_loss or type(self).reconstruction_loss
        if self.reconstruction_loss not in losses.RECONSTRUCTION:
            known = list(losses.RECONSTRUCTION)
            raise InputError(f"reconstruction_loss is {' or '.join(known)}, not {self.reconstruction_loss!r}.")
        self._joint = {}
        self._means = {key: keras.metrics.Mean(name=key) for key in (*self.term_names(), *self.measures)}
        self.built = True

    # What a system states

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        """Every term of every player (B,), every measure, and the images at which a player balances."""
        raise NotImplementedError

    def prepare(self, data: Any) -> dict[str, tf.Tensor]:
        """The batch as a dictionary; plain images (B, H, W, C) become `{"c": images}`, and labels `labels`."""
        if isinstance(data, dict):
            return data
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        batch = images if isinstance(images, dict) else {"c": images}
        return batch if labels is None else batch | {"labels": labels}

    def after_update(self, outputs: dict[str, tf.Tensor]) -> None:
        """Called at the end of each training step with what `terms` returned."""

    def step_shares(self, outputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The share in 0..1 of its learning rate, on all replicas the same, that a player uses in this step."""
        return {}

    def complete_networks(self) -> None:
        """Called once the given networks are attributes, for a system that makes others from them."""

    # What a system computes its terms with

    def reconstruction_error(self, target: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
        """`reconstruction_loss` of each image, (B, ...) -> (B,)."""
        return losses.RECONSTRUCTION[self.reconstruction_loss](target, image)

    def jointly(self, network: str, *batches: tf.Tensor, training: bool) -> list[tf.Tensor]:
        """What a network gives for several batches that share its batch normalisation's statistics."""
        if network not in self._joint:
            self._joint[network] = Joint(getattr(self, network))
        return self._joint[network](*batches, training=training)

    def uniform(self, *shape: int | tf.Tensor) -> tf.Tensor:
        """Draws from U(0, 1)."""
        return keras.random.uniform(shape, seed=self.seed_generator)

    def mean_over_replicas(self, value: tf.Tensor) -> tf.Tensor:
        """The mean of a value that every replica has of its share of the batch; `value` itself on one device."""
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, value)

    # What a user calls

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return tuple(self.encoder.input_shape[1:])

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """(n,) for vectors, (h, w, n) for convolutional latents."""
        return tuple(self.encoder.output_shape[1:])

    @property
    def latent_size(self) -> int:
        return self.latent_shape[-1]

    @property
    def steps(self) -> int:
        """How many updates the autoencoder has had."""
        return int(self.optimizer.iterations.numpy())

    def encode(self, images: tf.Tensor) -> tf.Tensor:
        """(B, H, W, C) in [-1, 1] -> latents (B, *latent_shape)."""
        return self.encoder(images, training=False)

    def decode(self, latents: tf.Tensor) -> tf.Tensor:
        """Latents (B, *latent_shape) -> images (B, H, W, C) in [-1, 1]."""
        return self.decoder(latents, training=False)

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The reconstruction of `images`."""
        return self.decoder(self.encoder(images, training=training), training=training)

    # Training

    def compile(self, optimizer: Any = "adam", **kwargs: Any) -> None:
        """Gives each player an optimizer.

        Args:
            optimizer: one for all (each player gets a copy of its own), or a dictionary from player to optimizer. With
                `use_ema`, `fit` ends with the averaged weights, as in Keras.
            kwargs: `jit_compile`, `run_eagerly`, `steps_per_execution`, as in Keras.

        Raises:
            InputError: for an unknown or missing player, or losses and metrics (the objective has its own).
        """
        if {"loss", "metrics", "weighted_metrics", "loss_weights"} & {k for k, v in kwargs.items() if v is not None}:
            raise InputError(
                f"{type(self).__name__} has its own losses and metrics: compile it with an optimizer alone."
            )
        names = [player.name for player in self.players]
        optimizers = dict(optimizer) if isinstance(optimizer, dict) else dict.fromkeys(names, optimizer)
        if set(optimizers) != set(names):
            raise InputError(
                f"Give an optimizer to each of the players {', '.join(names)}; got {', '.join(optimizers)}."
            )
        for player in self.players:
            layers = [layer for network in player.networks for layer in layers_of(getattr(self, network))]
            if any("float16" in layer.compute_dtype and "bfloat16" not in layer.compute_dtype for layer in layers):
                raise InputError("float16 training needs loss scaling, which is not offered: use mixed_bfloat16.")
            own = keras.optimizers.get(optimizers[player.name])
            own = type(own).from_config(copy.deepcopy(own.get_config()))
            own.build(self.variables_of(player))
            setattr(self, f"{player.name}_optimizer", own)
        first = self.optimizer_of(self.players[0])
        super().compile(optimizer=first, **kwargs)
        # Keras calls it at the end of `fit`, as if the first optimizer had all weights.
        first.finalize_variable_values = lambda _: self.use_averages()

    def use_averages(self) -> None:
        """Puts moving averages in place of the weights, where an optimizer keeps them (`use_ema`); `fit` ends so."""
        for player in self.players:
            own = self.optimizer_of(player)
            if own.iterations.numpy():
                type(own).finalize_variable_values(own, self.variables_of(player))

    def get_compile_config(self) -> dict | None:
        if not self.compiled:
            return None
        return {
            "optimizer": {p.name: keras.optimizers.serialize(self.optimizer_of(p)) for p in self.players},
            "jit_compile": self.jit_compile,
        }

    def compile_from_config(self, config: dict) -> None:
        optimizers = {name: keras.optimizers.deserialize(own) for name, own in config["optimizer"].items()}
        self.compile(optimizers, jit_compile=config.get("jit_compile", "auto"))

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        slices = max(self.every.values())
        for number, batch in enumerate(_slices(self.prepare(data), slices), 1):
            outputs = self._update(batch, [player for player in self.players if number % self.every[player.name] == 0])
        return self._log(outputs)  # everybody acts on the last slice

    def _update(self, batch: dict[str, tf.Tensor], players: list[Player]) -> dict[str, tf.Tensor]:
        with tf.GradientTape(persistent=True) as tape:
            outputs = self.terms(batch, training=True)
        updates = [(player, self._gradients(tape, player, outputs)) for player in players]
        del tape
        shares = self.step_shares(outputs)
        for player, found in updates:
            own = self.optimizer_of(player)
            with _at_share(own, shares[player.name]) if player.name in shares else contextlib.nullcontext():
                own.apply(found, self.variables_of(player))
        self.after_update(outputs)
        return outputs

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        return self._log(self.terms(self.prepare(data), training=False))

    def _gradients(self, tape: tf.GradientTape, player: Player, outputs: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        variables = self.variables_of(player)
        # Every replica sees a share of the batch, and their gradients are added.
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if player.balance is None:
            weights = {term: self.term_weights[term] for term in player.terms if self.term_weights[term]}
            ends = [outputs[term] for term in weights]
            starts = [_mean_gradient(outputs[term]) * weight / replicas for term, weight in weights.items()]
        else:
            ends = outputs[player.balance.images]
            target, term = outputs[player.balance.target], outputs[player.balance.term]
            target, term = (tape.gradient(end, ends, output_gradients=_mean_gradient(end)) for end in (target, term))
            starts = gradients.balance(target, term, self.k) / replicas
        found = tape.gradient(ends, [variable.value for variable in variables], output_gradients=starts)
        for variable, gradient in zip(variables, found, strict=True):
            if gradient is None:
                raise ValueError(f"No term of player {player.name!r} depends on {variable.path}.")
        return found

    # Logs

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self._means.values())

    def _log(self, outputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        for key, mean in self._means.items():
            mean.update_state(outputs[key])
        return self.get_metrics_result()

    # Names and variables

    @classmethod
    def network_names(cls) -> list[str]:
        return list(dict.fromkeys(network for player in cls.players for network in player.networks))

    @classmethod
    def term_names(cls) -> list[str]:
        return list(dict.fromkeys(term for player in cls.players for term in player.terms))

    def variables_of(self, player: Player) -> list[keras.Variable]:
        return [variable for network in player.networks for variable in getattr(self, network).trainable_variables]

    def optimizer_of(self, player: Player) -> keras.optimizers.Optimizer:
        return getattr(self, f"{player.name}_optimizer")

    def _check_shapes(self) -> None:
        """Raises InputError where two networks do not fit."""
        images, latents = self.image_shape, self.latent_shape
        takes = {"decoder": latents, "latent_discriminator": latents, "judge_encoder": images}
        takes |= {"discriminator": images, "critic": images}
        gives = {"decoder": images, "judge_decoder": images}
        for name in self.network_names():
            network = getattr(self, name)
            if not getattr(network, "inputs", None):  # a subclassed model says no shapes
                continue
            given, made = (tuple(ends[0].shape[1:]) for ends in (network.inputs, network.outputs))
            if name in takes and not fits(given, takes[name]):
                raise InputError(
                    f"The {name} takes shape {given}, where the encoder has {takes[name]}: build both with the same "
                    "image_shape and latent_size."
                )
            if name in gives and not fits(made, gives[name]):
                raise InputError(
                    f"The {name} makes images of shape {made}, the encoder takes {gives[name]}: build both with the "
                    "same image_shape."
                )
            if ("discriminator" in name or name == "critic") and made and made[-1] != 1:
                raise InputError(f"The {name} gives {made[-1]} scores an image: build it with one.")

    # Saving

    def get_config(self) -> dict:
        networks = {key: keras.saving.serialize_keras_object(getattr(self, key)) for key in self.network_names()}
        settings = {
            "name": self.name,
            "seed": self.seed,
            "mixing": keras.saving.serialize_keras_object(self.mixing),
            "weights": dict(self.term_weights),
            "every": dict(self.every),
            "reconstruction_loss": self.reconstruction_loss,
        }
        return settings | networks

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "Objective":
        restored = {
            key: keras.saving.deserialize_keras_object(value, custom_objects) if _is_serialised(value) else value
            for key, value in config.items()
        }
        return cls(**restored)

    def save_own_variables(self, store: dict) -> None:
        super().save_own_variables(store)
        store["seed_state"] = self.seed_generator.state.numpy()  # Keras does not save it

    def load_own_variables(self, store: dict) -> None:
        own = {key: store[key] for key in store.keys()}  # noqa: SIM118 (a store is no dictionary)
        self.seed_generator.state.assign(own.pop("seed_state"))
        super().load_own_variables(own)


@contextlib.contextmanager
def _at_share(optimizer: keras.optimizers.Optimizer, share: tf.Tensor) -> Iterator[None]:
    """Within it, the optimizer steps at that share of its learning rate, whether that is a number or a schedule."""
    whole = functools.partial(type(optimizer).update_step, optimizer)
    optimizer.update_step = lambda gradient, variable, rate: whole(
        gradient, variable, tf.cast(share, rate.dtype) * rate
    )
    try:
        yield
    finally:
        optimizer.__dict__.pop("update_step", None)  # another replica may have come and gone meanwhile


def _mean_gradient(term: tf.Tensor) -> tf.Tensor:
    """The gradient of the mean of `term` at `term`."""
    return tf.fill(tf.shape(term), 1.0 / tf.cast(tf.size(term), term.dtype))


def _slices(batch: dict[str, tf.Tensor], count: int) -> list[dict[str, tf.Tensor]]:
    if count == 1:
        return [batch]
    size = next(iter(batch.values())).shape[0]
    if size is not None and size % count:
        raise InputError(f"A batch of {size} cannot be cut into {count} equal slices: choose another batch_size.")
    parts = {key: tf.split(value, count) for key, value in batch.items()}
    return [{key: part[number] for key, part in parts.items()} for number in range(count)]


def _known(given: dict | None, kind: str, names: list[str], to: type, least: float) -> dict:
    """`given` as numbers of type `to`, if all its keys are `names`."""
    for key, value in (given or {}).items():
        if key not in names:
            raise InputError(f"There is no {kind} {key!r}: choose of {', '.join(names)}.{suggest(key, names)}")
        if to(value) < least:
            raise InputError(f"The number given for {key} is {least:g} or more, not {value}.")
    return {key: to(value) for key, value in (given or {}).items()}


def layers_of(network: keras.Model) -> Iterator[keras.Layer]:
    """The layers of a network, and of the networks in it."""
    for layer in network.layers:
        yield from layers_of(layer) if isinstance(layer, keras.Model) else (layer,)


def fits(given: tuple, wanted: tuple) -> bool:
    """Whether the shapes are equal, None being any size."""
    return len(given) == len(wanted) and all(
        None in (one, other) or one == other for one, other in zip(given, wanted, strict=True)
    )


def _is_serialised(value: Any) -> bool:
    return isinstance(value, dict) and "class_name" in value
