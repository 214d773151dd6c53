"""An optimizer for each player, after Keras' ways of compiling a model."""

import copy
from typing import Any

import keras
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.objectives.player import Player, at_share


class Optimized:
    """The part of an objective that compiles it, and applies what its players' gradients are."""

    def compile(self, optimizer: Any = "adam", **kwargs: Any) -> None:
        """Gives each player an optimizer.

        Args:
            optimizer: one for all (each player gets a copy of its own), or a dictionary from player to optimizer. With
                `use_ema`, `fit` ends with the averaged weights, as in Keras.
            kwargs: `jit_compile`, `run_eagerly`, `steps_per_execution`, as in Keras.

        Raises:
            InputError: for an unknown or missing player, losses and metrics (the objective has its own), or
                `jit_compile` of a system that XLA cannot compile (`supports_jit`).
        """
        if {"loss", "metrics", "weighted_metrics", "loss_weights"} & {k for k, v in kwargs.items() if v is not None}:
            raise InputError(
                f"{type(self).__name__} has its own losses and metrics: compile it with an optimizer alone."
            )
        if kwargs.get("jit_compile") is True and not self.supports_jit:
            raise InputError(f"XLA cannot compile a step of {type(self).__name__}: leave jit_compile out.")
        names = [player.name for player in self.players]
        optimizers = dict(optimizer) if isinstance(optimizer, dict) else dict.fromkeys(names, optimizer)
        if set(optimizers) != set(names):
            raise InputError(
                f"Give an optimizer to each of the players {', '.join(names)}; got {', '.join(optimizers)}."
            )
        for player in self.players:
            own = keras.optimizers.get(optimizers[player.name])
            own = type(own).from_config(copy.deepcopy(own.get_config()))
            own.build(self.variables_of(player))
            setattr(self, f"{player.name}_optimizer", own)
        first = self.optimizer_of(self.players[0])
        self._train_functions = {}
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

    def step_of(self, player: Player, gradients: list[tf.Tensor], share: tf.Tensor | None) -> None:
        """Applies a player's gradients, at that share of its learning rate (1 where None)."""
        own, scale = self.optimizer_of(player), self.loss_scales.get(player.name)

        def apply(gradients: list[tf.Tensor], share: tf.Tensor | None = None) -> None:
            with at_share(own, share):
                own.apply(gradients, self.variables_of(player))

        if scale is None:
            apply(gradients, share)
        else:
            scale.apply(apply, gradients, *(() if share is None else (share,)))

    def variables_of(self, player: Player) -> list[keras.Variable]:
        return [variable for network in player.networks for variable in getattr(self, network).trainable_variables]

    def optimizer_of(self, player: Player) -> keras.optimizers.Optimizer:
        return getattr(self, f"{player.name}_optimizer")

    def updates_per_step(self, player: Player) -> int:
        """How often a player's optimizer acts in one training step."""
        return max(self.every.values()) // self.every[player.name]
