"""Set before TensorFlow starts: quiet logs, and two devices for the tests of distribution. Of bars: their ends."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def pytest_configure() -> None:
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


@pytest.fixture(scope="session")
def two_devices():
    """One strategy for all tests: TensorFlow takes what two strategies sum over the same devices for one sum."""
    import tensorflow as tf

    devices = tf.config.list_logical_devices("CPU")
    assert len(devices) == 2, "pytest_configure sets them"
    return tf.distribute.MirroredStrategy([device.name for device in devices])


@pytest.fixture(autouse=True)
def bars_end_at_their_totals(monkeypatch):
    """A step within `with progress.bar(...)` that ends without an error did all the units that its bar promised."""
    from tqdm import tqdm

    def leave(self, kind, error, trace):
        self.close()
        assert kind or self.total in (None, self.n), f"{self.desc} ended at {self.n} of {self.total}"

    monkeypatch.setattr(tqdm, "__exit__", leave)
