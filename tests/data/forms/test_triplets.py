import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.data import HANDWRITTEN, NATURAL, Transformations, to_float, triplets
from kerasinterp.errors import InputError
from kerasinterp.ops import colour, geometry

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (10, 28, 28, 1), dtype=np.uint8)
RGB = RNG.integers(0, 256, (10, 32, 32, 3), dtype=np.uint8)


def batches(dataset, count):
    return [{key: value.numpy() for key, value in batch.items()} for batch in dataset.take(count)]


def equal(left, right):
    return all(np.array_equal(left[key], right[key]) for key in left)


@pytest.mark.parametrize(("images", "ranges"), [(GREY, HANDWRITTEN), (RGB, NATURAL)])
def test_shapes_and_range(images, ranges):
    (batch,) = batches(triplets(images, 6, transformations=ranges), 1)
    for key in "abc":
        assert batch[key].shape == (6, *images.shape[1:])
        assert batch[key].min() >= -1.0
        assert batch[key].max() <= 1.0 + 1e-6
    assert batch["alpha"].shape == (6,)


def test_a_batch_is_a_function_of_seed_and_step():
    first = batches(triplets(GREY, 4, seed=1), 6)
    assert all(equal(*pair) for pair in zip(first, batches(triplets(GREY, 4, seed=1), 6), strict=True))
    assert all(
        equal(*pair) for pair in zip(first[4:], batches(triplets(GREY, 4, seed=1, start_step=4), 2), strict=True)
    )
    assert not equal(first[0], batches(triplets(GREY, 4, seed=2), 1)[0])
    assert len(list(triplets(GREY, 4, steps=3))) == 3


def test_each_pass_sees_every_image_once_in_its_own_order():
    marked = np.arange(10, dtype=np.uint8).reshape(-1, 1, 1, 1) * np.ones((1, 4, 4, 1), np.uint8)
    seen = np.concatenate(
        [b["c"][:, 0, 0, 0] for b in batches(triplets(marked, 4, transformations=Transformations()), 5)]
    )
    passes = np.rint((seen + 1) * 127.5).astype(int).reshape(2, 10)
    np.testing.assert_array_equal(np.sort(passes, axis=1), [np.arange(10)] * 2)
    assert not np.array_equal(*passes)


def test_alpha_is_the_mean_of_two_uniforms():
    """A triangular distribution: mean 1/2, variance 1/24; 12,800 draws, four standard errors."""
    alpha = np.concatenate([b["alpha"] for b in batches(triplets(GREY, 256), 50)])
    assert abs(alpha.mean() - 0.5) < 4 * np.sqrt(1 / 24 / len(alpha))
    assert abs(alpha.var() - 1 / 24) < 0.003


def test_c_lies_between_a_and_b():
    """A translated dot: C's place is alpha A + (1 - alpha) B (section 4)."""
    dot = np.zeros((1, 41, 41, 1), np.uint8)
    dot[0, 20, 20] = 255
    (batch,) = batches(triplets(dot, 64, transformations=Transformations(translation=12.0)), 1)

    def centre(images):
        weight = (images[..., 0] + 1.0) / np.sum(images[..., 0] + 1.0, axis=(1, 2), keepdims=True)
        return np.stack([(weight * np.arange(41)).sum((1, 2)), (weight * np.arange(41)[:, None]).sum((1, 2))], 1)

    alpha = batch["alpha"][:, None]
    expected = alpha * centre(batch["a"]) + (1 - alpha) * centre(batch["b"])
    np.testing.assert_allclose(centre(batch["c"]), expected, atol=0.02)
    assert np.abs(centre(batch["a"]) - 20).max() <= 12.0
    assert np.abs(centre(batch["a"]) - centre(batch["b"])).mean() > 2.0


def test_one_transformation_alone():
    only = HANDWRITTEN.only("rotation")
    assert (only.rotation, only.translation, only.scale, only.shear) == (20.0, 0.0, 0.0, 0.0)
    with pytest.raises(InputError, match="rotate"):
        HANDWRITTEN.only("rotate")
    (batch,) = batches(triplets(GREY, 4, transformations=Transformations()), 1)
    np.testing.assert_array_equal(batch["a"], batch["b"])


def test_natural_images_use_half_and_double_ranges():
    assert NATURAL.rotation == HANDWRITTEN.rotation / 2
    assert NATURAL.shear == HANDWRITTEN.shear / 2
    assert NATURAL.translation == 2 * HANDWRITTEN.translation


def test_symmetric_padding_brings_no_black_in():
    white = np.full((2, 16, 16, 3), 255, np.uint8)
    moved = Transformations(translation=6.0, rotation=20.0)
    (black,) = batches(triplets(white, 8, transformations=moved), 1)
    (symmetric,) = batches(triplets(white, 8, transformations=Transformations(20.0, 6.0, padding="symmetric")), 1)
    assert black["a"].min() == -1.0
    np.testing.assert_allclose(symmetric["a"], 1.0, atol=1e-5)


def test_crop_keeps_the_centre():
    (batch,) = batches(triplets(GREY[:1], 1, transformations=Transformations(crop=20)), 1)
    np.testing.assert_allclose(batch["a"][0], to_float(GREY[0, 4:24, 4:24]), atol=1e-6)


def test_affine_against_numpy():
    """T R S_h S of a point, in float64."""
    rng = np.random.default_rng(1)
    rotation, shear, scale = rng.uniform(-20, 20, 5), rng.uniform(-6, 6, 5), rng.uniform(0.8, 1.2, 5)
    translation, size, point = rng.uniform(-4, 4, (5, 2)), (28, 20), np.array([3.0, 7.0])
    transforms = geometry.affine(*(tf.constant(v, tf.float32) for v in (rotation, translation, scale, shear)), size)
    centre = (np.array(size[::-1]) - 1) / 2
    for n, (a0, a1, a2, b0, b1, b2, *_) in enumerate(transforms.numpy().astype(float)):
        angle, slant = np.radians(rotation[n]), np.tan(np.radians(shear[n]))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        moved = turn @ np.array([[1, -slant], [0, 1]]) @ (scale[n] * (point - centre)) + centre + translation[n]
        back = [a0 * moved[0] + a1 * moved[1] + a2, b0 * moved[0] + b1 * moved[1] + b2]
        np.testing.assert_allclose(back, point, atol=1e-4)


def test_jitter_against_numpy():
    rng = np.random.default_rng(2)
    images = rng.uniform(0, 1, (3, 4, 4, 3))
    brightness, contrast, saturation = rng.uniform(0.75, 1.25, (3, 3))
    luma = np.array([0.2989, 0.587, 0.114])
    expected = []
    for image, b, c, s in zip(images, brightness, contrast, saturation, strict=True):
        image = np.clip(b * image, 0, 1)
        mean = (image @ luma).mean()
        image = np.clip(mean + c * (image - mean), 0, 1)
        grey = (image @ luma)[..., None]
        expected.append(np.clip(grey + s * (image - grey), 0, 1))
    factors = [tf.constant(f, tf.float32) for f in (brightness, contrast, saturation, np.zeros(3))]
    found = colour.jitter(tf.constant(2 * images - 1, tf.float32), *factors)
    np.testing.assert_allclose((found + 1) / 2, expected, atol=2e-5)


def test_hue_turns_red_to_green():
    red = tf.constant([1.0, -1.0, -1.0], shape=(1, 1, 1, 3))
    one = tf.ones(1)
    np.testing.assert_allclose(colour.jitter(red, one, one, one, one / 3)[0, 0, 0], [-1, 1, -1], atol=1e-5)


@pytest.mark.parametrize(
    ("images", "options", "said"),
    [
        (GREY.astype(np.float32), {}, "uint8"),
        (GREY[:0], {}, "uint8"),
        (GREY, {"batch_size": 0}, "batch_size"),
        (GREY, {"transformations": Transformations(crop=30)}, "crop"),
    ],
)
def test_bad_input(images, options, said):
    with pytest.raises(InputError, match=said):
        triplets(images, **options)


def test_bad_ranges():
    with pytest.raises(InputError, match="padding"):
        Transformations(padding="zero")
    with pytest.raises(InputError, match="rotation"):
        Transformations(rotation=-1.0)
