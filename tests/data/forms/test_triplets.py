import colorsys
import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf

from kerasinterp.data import HANDWRITTEN, NATURAL, Examples, Note, Transformations, to_float, triplets, usual_ranges
from kerasinterp.data.forms.triplets import _triplet, transformed_at_random
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


def test_weights_parameters_and_ends_are_drawn_apart(monkeypatch):
    """By seeds of their own, and none is another step's or another run's."""
    drawn, uniform = [], tf.random.stateless_uniform

    def noted(shape, seed, *others):
        drawn.append(tuple(seed.numpy()))
        return uniform(shape, seed, *others)

    monkeypatch.setattr(tf.random, "stateless_uniform", noted)
    images = to_float(tf.constant(GREY[:4]))
    for run, step in ((0, 0), (0, 1), (1, 0), (0, 2**32)):
        _triplet(images, HANDWRITTEN, 0.5, tf.constant([run, step], tf.int64))
    assert len(set(drawn)) == len(drawn) == 4 * 3


def test_of_a_share_of_the_triplets_c_is_a():
    images = np.random.default_rng(0).integers(0, 256, (8, 12, 12, 1), dtype=np.uint8)
    plain = next(iter(triplets(images, 400, steps=1).as_numpy_iterator()))
    ends = next(iter(triplets(images, 400, ends=0.3, steps=1).as_numpy_iterator()))
    at_ends = ends["alpha"] == 1.0
    assert abs(at_ends.mean() - 0.3) < 0.08 and not (plain["alpha"] == 1.0).any()
    np.testing.assert_allclose(ends["c"][at_ends], ends["a"][at_ends], atol=1e-4)
    for key in plain:  # nothing else is drawn otherwise
        np.testing.assert_array_equal(ends[key][~at_ends], plain[key][~at_ends])
    np.testing.assert_array_equal(ends["b"], plain["b"])
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(InputError, match="ends, a share of the triplets, is from 0 to 1, not"):
            triplets(images, 4, ends=share)


def test_alpha_is_the_mean_of_two_uniforms():
    """A triangular distribution: mean 1/2, variance 1/24; 12,800 draws, four standard errors."""
    dot = np.zeros((1, 1, 1, 1), np.uint8)
    alpha = np.concatenate([b["alpha"] for b in batches(triplets(dot, 256, transformations=Transformations()), 50)])
    assert abs(alpha.mean() - 0.5) < 4 * np.sqrt(1 / 24 / len(alpha))
    assert abs(alpha.var() - 1 / 24) < 0.003
    assert abs((alpha < 0.25).mean() - 1 / 8) < 0.012 and abs((alpha > 0.75).mean() - 1 / 8) < 0.012


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


def test_examples_are_taken_as_their_images():
    one, other = (batches(triplets(what, 4, seed=2), 1)[0] for what in (GREY, Examples(GREY, np.arange(10))))
    assert equal(one, other)


def test_images_that_are_not_square_turn_about_their_centre():
    tall = np.zeros((1, 41, 21, 1), np.uint8)
    tall[0, 20, 10] = 255
    (batch,) = batches(triplets(tall, 8, transformations=HANDWRITTEN.only("rotation", "scale")), 1)
    weight = batch["a"][..., 0] + 1.0
    assert np.abs((weight * np.arange(41)[:, None]).sum((1, 2)) / weight.sum((1, 2)) - 20).max() < 1e-3
    assert np.abs((weight * np.arange(21)).sum((1, 2)) / weight.sum((1, 2)) - 10).max() < 1e-3


def test_one_transformation_alone():
    only = HANDWRITTEN.only("rotation")
    assert (only.rotation, only.translation, only.scale, only.shear) == (20.0, 0.0, 0.0, 0.0)
    with pytest.raises(InputError, match="rotate"):
        HANDWRITTEN.only("rotate")
    (batch,) = batches(triplets(GREY, 4, transformations=Transformations()), 1)
    np.testing.assert_array_equal(batch["a"], batch["b"])


def test_the_paper_s_ranges():
    """AugIntAE A.1."""
    geometric = {"rotation": 20.0, "translation": 4.0, "scale": 0.2, "shear": 6.0}
    off = dict.fromkeys(("brightness", "contrast", "saturation", "hue"), 0.0)
    assert dataclasses.asdict(HANDWRITTEN) == geometric | off | {"padding": "constant", "crop": None}
    geometric = {"rotation": 10.0, "translation": 8.0, "scale": 0.2, "shear": 3.0}
    colours = {"brightness": 0.25, "contrast": 0.25, "saturation": 0.25, "hue": 0.05}
    assert dataclasses.asdict(NATURAL) == geometric | colours | {"padding": "symmetric", "crop": None}


# Three blurred dots, one a channel: where they go tells the whole transformation.
SIDE, PLACES = 64, np.array([[-10.0, -6.0], [10.0, -6.0], [-2.0, 10.0]])  # x and y from the centre
GRID = np.arange(SIDE) - (SIDE - 1) / 2
DOTS = np.stack([np.exp(-((GRID - x) ** 2 + (GRID[:, None] - y) ** 2) / 8) for x, y in PLACES], axis=-1)
DOTS = np.rint(255 * DOTS).astype(np.uint8)[np.newaxis]


def _moves(ranges, count=200):
    """What A, B and C were drawn with, measured: degrees, pixels x and y, factor, degrees (count, 5); and alpha."""
    ranges = dataclasses.replace(ranges.only("rotation", "translation", "scale", "shear"), padding="constant")
    (batch,) = batches(triplets(DOTS, count, transformations=ranges, seed=3), 1)
    return (*(_measured(batch[key]) for key in "abc"), batch["alpha"])


def _measured(dots):
    """How the dots were moved: degrees, pixels x and y, factor, degrees (count, 5)."""
    weight = dots.astype(np.float64) + 1
    weight /= weight.sum((1, 2), keepdims=True)
    x, y = (weight * GRID[:, None]).sum((1, 2)), (weight * GRID[:, None, None]).sum((1, 2))
    known = np.concatenate([PLACES, np.ones((3, 1))], axis=1)
    # [x y] of the three dots = known @ [[xx yx] [xy yy] [tx ty]]
    matrix = np.linalg.solve(known, np.stack([x, y], axis=-1))
    (xx, yx), (xy, yy), (tx, ty) = (matrix[:, row].T for row in range(3))
    angle, scale = np.arctan2(yx, xx), np.hypot(xx, yx)
    slant = -(np.cos(angle) * xy + np.sin(angle) * yy) / scale
    return np.stack([np.degrees(angle), tx, ty, scale, np.degrees(np.arctan(slant))], axis=1)


def _is_uniform(values, size):
    """Within +-size up to the measurement's error, and spread evenly there: 400 draws."""
    share = np.sort(values / size)
    assert np.abs(share).max() < 1.02
    even = np.linspace(-1, 1, len(share))
    assert np.abs(share - even).max() < 0.16  # Kolmogorov's distance, doubled: below in 99 of 100
    assert share[0] < -0.96 and share[-1] > 0.96


@pytest.mark.parametrize(
    ("ranges", "sizes"), [(HANDWRITTEN, (20.0, 4.0, 4.0, 0.2, 6.0)), (NATURAL, (10.0, 8.0, 8.0, 0.2, 3.0))]
)
def test_what_images_are_moved_by(ranges, sizes):
    a, b, c, alpha = _moves(ranges)
    for place, size in enumerate(sizes):
        _is_uniform(np.concatenate([a[:, place], b[:, place]]) - (place == 3), size)
    # The five, and those of A and B, are drawn apart.
    related = np.corrcoef(np.concatenate([a, b], axis=1).T) - np.eye(10)
    assert np.abs(related).max() < 0.25
    # C's are alpha A's + (1 - alpha) B's (section 4).
    expected = alpha[:, None] * a + (1 - alpha[:, None]) * b
    assert np.abs((c - expected) / sizes).max() < 0.12


def test_images_are_transformed_at_random_each_in_its_own_way():
    """Uniform in the ranges, drawn apart, and a function of the seed alone."""
    ranges = dataclasses.replace(HANDWRITTEN, padding="constant")
    dots = tf.constant(np.tile(to_float(DOTS), (400, 1, 1, 1)))
    made = transformed_at_random(dots, ranges, tf.constant([1, 5], tf.int64)).numpy()
    found = _measured(made)
    for place, size in enumerate((20.0, 4.0, 4.0, 0.2, 6.0)):
        _is_uniform(found[:, place] - (place == 3), size)
    assert np.abs(np.corrcoef(found.T) - np.eye(5)).max() < 0.25
    np.testing.assert_array_equal(made, transformed_at_random(dots, ranges, tf.constant([1, 5], tf.int64)))
    for seed in ([1, 6], [2, 5]):
        assert not np.array_equal(made, transformed_at_random(dots, ranges, tf.constant(seed, tf.int64)))
    np.testing.assert_array_equal(transformed_at_random(dots, Transformations(), tf.constant([1, 5], tf.int64)), dots)


@functools.cache
def _colours(name, size, draws=200):
    """The factor (of hue, the turn) that A and B were drawn with: (2 draws,)."""
    # Two pixels, their mean a middle grey, coloured a little.
    image = np.array([[[[90, 100, 110], [140, 130, 120]]]], np.uint8)
    (batch,) = batches(triplets(image, draws, transformations=Transformations(**{name: size}), seed=5), 1)
    made = 255 * (np.concatenate([batch["a"], batch["b"]])[:, 0].astype(np.float64) + 1) / 2
    image = image[0, 0].astype(np.float64)
    luma = np.array([0.2989, 0.587, 0.114])
    match name:
        case "brightness":
            return (made / image).mean((1, 2))
        case "contrast":
            return (made[:, 1] - made[:, 0]) @ luma / ((image[1] - image[0]) @ luma)
        case "saturation":
            return (made[:, 0, 2] - made[:, 0, 0]) / (image[0, 2] - image[0, 0])
    turns = np.array([colorsys.rgb_to_hsv(*pixel)[0] for pixel in made[:, 0] / 255])
    return (turns - colorsys.rgb_to_hsv(*image[0] / 255)[0] + 0.5) % 1.0 + 0.5


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "hue"])
def test_what_colours_are_changed_by(name):
    size = getattr(NATURAL, name)
    _is_uniform(_colours(name, size) - 1, size)


def test_colours_are_changed_apart():
    drawn = [_colours(name, getattr(NATURAL, name)) for name in ("brightness", "contrast", "saturation", "hue")]
    assert np.abs(np.corrcoef(drawn) - np.eye(4)).max() < 0.25


def test_grey_images_keep_their_colours():
    (batch,) = batches(triplets(GREY, 4, transformations=NATURAL.only("brightness", "contrast")), 1)
    (still,) = batches(triplets(GREY, 4, transformations=Transformations()), 1)
    np.testing.assert_array_equal(batch["a"], still["a"])


def _moved_ramps(padding):
    """Rows that grow by 1 a pixel, moved by up to 6 pixels, and by how much: (N, 64) and (N,)."""
    ramp = np.tile(np.arange(100, 164, dtype=np.uint8)[None, None, :, None], (1, 64, 1, 1))
    ranges = Transformations(translation=6.0, padding=padding)
    (batch,) = batches(triplets(ramp, 40, transformations=ranges, seed=1), 1)
    rows = 255 * (batch["a"][:, 32, :, 0].astype(np.float64) + 1) / 2 - 100
    return rows, 32 - rows[:, 32]


def test_symmetric_padding_mirrors_the_image():
    rows, moves = _moved_ramps("symmetric")
    for row, move in zip(rows, moves, strict=True):
        source = np.arange(64) - move
        source = np.abs(source + 0.5) - 0.5  # mirrored at the left edge, half a pixel outside the first centre
        source = 63.5 - np.abs(63.5 - source)  # and at the right one
        np.testing.assert_allclose(row, np.clip(source, 0, 63), atol=0.05)
    assert moves.min() < -4 and moves.max() > 4


def test_constant_padding_is_black():
    rows, moves = _moved_ramps("constant")
    for row, move in zip(rows, moves, strict=True):
        outside = np.abs(np.arange(64) - move - 31.5) > 32.5
        assert (row[outside] == -100).all()
        assert (row[~outside][1:-1] > -1).all()
    assert moves.min() < -4 and moves.max() > 4


def test_black_corners_in_white_paper_are_told():
    white = np.full((2, 16, 16, 3), 255, np.uint8)
    with pytest.warns(Note, match="black corners.*invert"):
        (black,) = batches(triplets(white, 8, transformations=Transformations(translation=6.0)), 1)
    assert black["a"].min() == -1.0
    # Nobody is told where nothing comes in, or nothing black, or twice in a run.
    for silent in (Transformations(padding="symmetric", translation=6.0), Transformations(brightness=0.1)):
        triplets(white, 8, transformations=silent)
    triplets(white, 8, start_step=1)
    triplets(255 - white, 8)


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
        (GREY, {"seed": 2**64}, "seed"),
        (np.zeros((4, 2), np.float32), {}, "not points"),
    ],
)
def test_bad_input(images, options, said):
    with pytest.raises(InputError, match=said):
        triplets(images, **options)


def test_the_default_batch():
    assert triplets(GREY).element_spec["a"].shape == (128, 28, 28, 1)


def test_bad_ranges():
    with pytest.raises(InputError, match="padding"):
        Transformations(padding="zero")
    with pytest.raises(InputError, match="rotation"):
        Transformations(rotation=-1.0)


def test_ranges_in_pixels_grow_with_the_images():
    assert HANDWRITTEN.enlarged(2.0) == dataclasses.replace(HANDWRITTEN, translation=8.0)
    cropped = Transformations(translation=3.0, crop=21)
    assert cropped.enlarged(1 / 3) == Transformations(translation=1.0, crop=7)
    assert usual_ranges((28, 28, 1)) == HANDWRITTEN and usual_ranges((64, 64, 3)) == NATURAL
    assert usual_ranges((48, 64, 3)) == dataclasses.replace(NATURAL, translation=6.0)
    assert usual_ranges((64, 56, 1)) == dataclasses.replace(HANDWRITTEN, translation=8.0)
