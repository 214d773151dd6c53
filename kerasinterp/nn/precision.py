"""Models trained in mixed precision, for use in float32."""

import keras
import numpy as np


def in_float32(model: keras.Model, always_copy: bool = True) -> keras.Model:
    """A copy of `model`, without its optimizers, that computes in float32 whatever it was trained in.

    Variables are float32 in mixed precision too, so nothing is lost. If `always_copy` is false, a model that computes
    in float32 already is returned as it is.
    """
    config = model.get_config()
    float32_config = _float32_config(config)
    if float32_config == config and not always_copy:
        return model
    copy = type(model).from_config(float32_config)
    copy.set_weights([np.asarray(weight, np.float32) for weight in model.get_weights()])
    return copy


def _float32_config(config):
    """The same configuration with every floating dtype policy, however deep, set to float32."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy" and "float" in config["config"]["name"]:
            return {**config, "config": {**config["config"], "name": "float32"}}
        return {key: _float32_config(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(_float32_config(value) for value in config)
    return config
