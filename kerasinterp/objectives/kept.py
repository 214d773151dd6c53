"""What an objective is in files: Keras's, with all that a resumed run needs, and presets after keras-hub's way."""

import os
from typing import Any, TypeVar

import keras

from kerasinterp.presets import storing

_Kept = TypeVar("_Kept", bound="Kept")


class Kept:
    """The part of an objective that saves and loads it."""

    @classmethod
    def from_preset(cls: type[_Kept], preset: str | os.PathLike) -> _Kept:
        """A trained model: to generate, interpolate, export and evaluate, or to be compiled and trained on.

        Args:
            preset: the name of a preset that ships with the package (`kerasinterp presets` lists them), or the folder
                of one.

        Raises:
            InputError: no such preset, one of another class or format, or a folder that is incomplete or damaged.
        """
        return storing.load(preset, cls)

    def save_to_preset(self, preset_dir: str | os.PathLike) -> None:
        """Writes the model as a preset, in place of one that is there: all weights, in float16.

        Networks that only training needs are kept too; optimizers and the state of random draws are not.

        Args:
            preset_dir: the folder.

        Raises:
            InputError: a folder with anything but a preset in it; weights that are not finite, that float16 cannot
                hold, or that are more than 5 MB.
        """
        storing.save(self, preset_dir)

    def get_config(self) -> dict:
        networks = {key: keras.saving.serialize_keras_object(getattr(self, key)) for key in self.network_names()}
        settings = {"name": self.name, "seed": self.seed, "weights": dict(self.term_weights), "every": dict(self.every)}
        settings["turns"] = {player.name: list(player.turn) for player in self.players}
        return settings | networks

    @classmethod
    def from_config(cls: type[_Kept], config: dict, custom_objects: dict | None = None) -> _Kept:
        restored = {
            key: keras.saving.deserialize_keras_object(value, custom_objects) if _is_serialised(value) else value
            for key, value in config.items()
        }
        return cls(**restored)

    def save_own_variables(self, store: dict) -> None:
        for variable in self._trainable_variables + self._non_trainable_variables:
            store[variable.name] = variable.numpy()
        store["seed_state"] = self.seed_generator.state.numpy()  # Keras does not save it
        for name, scale in self.loss_scales.items():
            store[f"loss_scale_of_{name}"] = scale.state

    def load_own_variables(self, store: dict) -> None:
        own = {key: store[key] for key in store.keys()}  # noqa: SIM118 (a store is no dictionary)
        self.seed_generator.state.assign(own.pop("seed_state"))
        for name, scale in self.loss_scales.items():
            scale.state = own[f"loss_scale_of_{name}"]
        # Version 0.1 numbered them, and had no step.
        rest = [v for v in self._trainable_variables + self._non_trainable_variables if v is not self.step]
        for number, variable in enumerate(rest):
            variable.assign(own[variable.name] if variable.name in own else own[f"{number}"])
        if "step" in own:
            self.step.assign(own["step"])


def _is_serialised(value: Any) -> bool:
    return isinstance(value, dict) and "class_name" in value
