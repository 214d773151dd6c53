"""Stochastic gradient descent whose `clipvalue` cuts the gradient of the whole batch."""

import keras

from kerasinterp.ops.clipping import ClipsWhole


@keras.saving.register_keras_serializable("kerasinterp")
class SGD(ClipsWhole, keras.optimizers.SGD):
    """Keras' SGD; of `clipvalue`, see `ClipsWhole`."""
