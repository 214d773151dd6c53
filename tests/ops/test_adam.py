import keras
import numpy as np
import pytest

from kerasinterp.ops.adam import Adam


@pytest.mark.parametrize("rate", [0.01, keras.optimizers.schedules.PiecewiseConstantDecay([3], [0.01, 0.001])])
def test_the_fused_kernel_is_keras_adam(rate):
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=(6, 4, 3)).astype(np.float32)
    ends = []
    for cls in (keras.optimizers.Adam, Adam):
        variable, optimizer = keras.Variable(start), cls(rate)
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        ends.append(variable.numpy())
    np.testing.assert_allclose(ends[1], ends[0], rtol=1e-5, atol=1e-6)
    assert np.abs(ends[0] - start).max() > 0.01
