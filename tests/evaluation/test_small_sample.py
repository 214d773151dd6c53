"""COLA chapter 5's protocol on toy images."""

import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.data import Examples
from kerasinterp.errors import InputError
from kerasinterp.evaluation import small_sample
from kerasinterp.nn import conv4
from tests.evaluation import toys


def examples(count: int = 20, seed: int = 0) -> Examples:
    return Examples(*toys.images(seed, count), ("left", "right"))


def of(steps, test=None):
    return small_sample.SmallSample(
        test or examples(30, 1), steps=steps, batch_size=32, network=conv4.classifier, width=4
    )


def test_each_way_learns_from_what_it_says():
    """What is made has the classes exchanged: learned from alone nothing is right, and of it nothing is taken."""
    train, told = examples(24), []
    exchanged = Examples(train.images, 1 - train.labels, train.classes)
    found = of(60).measure(
        train, exchanged, ("real", "mix", "made"), others={"true": examples(20, 2)}, told=told.append
    )
    assert set(found) == {"real", "mix", "made", "cas_test", "made true", "cas_test true"}
    assert found["real"] > 0.95 and found["made"] < 0.05 and found["mix"] < 0.95
    assert found["made true"] > 0.95 and found["cas_test true"] > 0.95 and found["cas_test"] < 0.05
    assert told == ["real", "mix", "made", "made true"]


class Stub:
    """In place of a learner: what it learned from, and right answers where the rate is the one."""

    made: list = []

    def __init__(self, image_shape, num_classes, steps, width, network, optimizer):
        self.steps, self.optimizer = steps, optimizer(steps)
        self.rates = [float(self.optimizer._learning_rate(step)) for step in range(steps)]
        self.decay, self.seen = self.optimizer.weight_decay or 0.0, set()
        self.made.append(self)

    def learn(self, batches, number):
        self.seen |= {round(float(value), 3) for images, _ in batches for value in images.numpy().mean(axis=(1, 2, 3))}

    def verdicts(self, images):
        right = self.rates[0] == pytest.approx(0.02) and self.decay > 0
        return (images.mean(axis=(1, 2, 3)) > 0).astype(int) if right else np.zeros(len(images), int)


@pytest.fixture
def stubs(monkeypatch):
    monkeypatch.setattr(small_sample, "Learner", Stub)
    monkeypatch.setattr(Stub, "made", [])
    return Stub.made


def bright(count):
    """Images of one value each; class 1's are light, and no two are alike."""
    values = np.concatenate([np.linspace(10, 100, count), np.linspace(150, 250, count)]).astype(np.uint8)
    return Examples(np.broadcast_to(values[:, None, None, None], (2 * count, 8, 8, 1)).copy(), np.repeat([0, 1], count))


def test_what_is_tuned_is_chosen_on_images_not_learned_from(stubs):
    sample = bright(10)
    found = of(12, sample).measure(sample, sample, ("real_tuned", "mix_tuned"), seed=3)
    assert (found["rate"], found["decay"]) == (0.02, 5e-2) and found["real_tuned"] == 1.0
    *tried, chosen = stubs
    assert [one.steps for one in tried] == [6] * 4 and chosen.steps == 12
    held = small_sample.held_out(sample.labels, 3)
    values = {round(float(one), 3) for one in sample.images[held].mean(axis=(1, 2, 3)) / 127.5 - 1.0}
    assert len(values) == 4 and all(len(one.seen) == 16 and not one.seen & values for one in tried)
    assert len(chosen.seen) == 20
    assert chosen.rates[0] == pytest.approx(0.02) and chosen.rates[6] == pytest.approx(0.01)  # half a cosine


def test_the_papers_way_halves_its_rate_every_sixth(stubs):
    """COLA C.3: 0.1, halved every 30 of 180 epochs."""
    sample = bright(4)
    of(180, sample).measure(sample, sample, ("real",))
    (learner,) = stubs
    assert [learner.rates[30 * n + 15] for n in range(6)] == pytest.approx([0.1 * 0.5**n for n in range(6)])
    assert learner.optimizer.momentum == 0.9 and not learner.decay
    wide = small_sample.SmallSample(sample, steps=200, cuts=(0.3, 0.6, 0.9), factor=0.2)
    wide.measure(sample, sample, ("real",))
    assert [stubs[1].rates[n] for n in (50, 100, 150, 190)] == pytest.approx([0.1 * 0.2**n for n in range(4)])


@pytest.mark.parametrize(("count", "held"), [(2, 1), (5, 1), (9, 1), (10, 2), (21, 4)])
def test_a_fifth_is_held_out_of_each_class(count, held):
    found = small_sample.held_out(np.repeat([0, 4, 5], [count, count, 30]), 1)
    assert found[:count].sum() == found[count : 2 * count].sum() == held and found[2 * count :].sum() == 6
    assert not np.array_equal(found[:count], found[count : 2 * count]) or count < 9


def test_photographs_are_mirrored_and_drawings_are_not():
    ramp = np.linspace(-1, 1, 16, dtype=np.float32)
    for channels in (1, 3):
        images = tf.constant(np.tile(ramp[None, None, :, None], (64, 16, 1, channels)))
        moved = small_sample._shifting((16, 16, channels))(images, tf.constant([1, 2], tf.int64)).numpy()
        falling = (moved[:, 8, 4, 0] > moved[:, 8, 12, 0]).mean()
        assert falling == 0 if channels == 1 else 0.3 < falling < 0.7


def test_of_strongly_transformed_photographs_half_are_mirrored_first(monkeypatch):
    monkeypatch.setattr(small_sample, "transforming", lambda images: lambda batch, seed: batch)
    ramp = np.linspace(-1, 1, 16, dtype=np.float32)
    for channels in (1, 3):
        images = tf.constant(np.tile(ramp[None, None, :, None], (64, 16, 1, channels)))
        moved = small_sample._transforming(images.numpy())(images, tf.constant([1, 2], tf.int64)).numpy()
        mirrored = (moved == images.numpy()[:, :, ::-1]).all(axis=(1, 2, 3))
        same = (moved == images.numpy()).all(axis=(1, 2, 3))
        assert (same | mirrored).all() and (same.all() if channels == 1 else 0.3 < mirrored.mean() < 0.7)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"ways": ("mixed",)}, "'mixed' is no way to learn"),
        ({"made": Examples(examples().images)}, "a class's number for each"),
        ({"made": Examples(examples().images, examples().labels + 1)}, "a class's number for each"),
        ({"made": Examples(examples().images, np.eye(2, dtype=int)[examples().labels])}, "a class's number for each"),
        ({"sample": examples().select(np.array([0, 2, 1])), "ways": ("real_tuned",)}, "has a single image"),
    ],
)
def test_what_does_not_fit_is_refused(given, sentence):
    arguments = {"sample": examples(), "made": examples()} | given
    with pytest.raises(InputError, match=sentence):
        of(4).measure(**arguments)


def test_settings_are_checked():
    with pytest.raises(InputError, match="The test images have no classes"):
        of(4, Examples(examples().images))
    with pytest.raises(InputError, match="steps is 1"):
        of(1)


def test_test_images_may_lack_the_last_class(stubs):
    sample = bright(4)
    test = sample.select(sample.labels == 0)
    test = Examples(test.images, test.labels, ("dark", "light"))
    assert of(12, test).measure(sample, sample, ("real",))["real"] == 1.0
    with pytest.raises(InputError, match="a class's number for each"):
        of(12, Examples(test.images, test.labels)).measure(sample, sample, ("real",))
