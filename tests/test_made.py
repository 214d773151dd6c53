"""What data, ops and generation draw and make of given inputs and seeds, as `made.json` has it.

Of images some pixels or the means of their parts are held. `python -m tests.test_made` writes the file anew after a
change that is meant: look at the pictures first.
"""

import pathlib
import tempfile
import types
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerasinterp import data, generation
from kerasinterp.data import Transformations, photo
from kerasinterp.data.forms import pairs, sets, triplets
from kerasinterp.data.generated import glyphs, pole
from kerasinterp.evaluation import usual_transformations
from kerasinterp.ops import diff_augment, mixing, views
from tests import held
from tests.evaluation import toys

PATH = pathlib.Path(__file__).with_name("made.json")
SIDE = 12


def numbers(*shape: int, seed: int = 0, low: float = -1.0) -> np.ndarray:
    return np.random.default_rng([seed, 1]).uniform(low, 1.0, shape).astype(np.float32)


def pixels(count: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    """uint8 (count, 12, 12, channels) that are smooth, so that a little turn changes them a little."""
    coarse = np.random.default_rng([seed, 2]).integers(0, 256, (count, 4, 4, channels), dtype=np.uint8)
    return tf.image.resize(coarse, (SIDE, SIDE)).numpy().astype(np.uint8)


def parts(image: np.ndarray, across: int = 7) -> np.ndarray:
    """The means of `across` x `across` parts of an image."""
    rows = np.array_split(np.asarray(image, np.float64), across)
    return np.array([[part.mean() for part in np.array_split(row, across, axis=1)] for row in rows])


def some(values: Any, count: int = 24) -> np.ndarray:
    """So many of the values, evenly spread."""
    flat = np.ravel(np.asarray(values, np.float64))
    return flat[np.linspace(0, len(flat) - 1, min(count, len(flat))).astype(int)]


def paper(height: int, width: int, stroke: float, dark: bool = False, uneven: float = 0.0) -> np.ndarray:
    """A slanted hook of a pen on paper, uint8 (height, width, 1)."""
    y, x = np.mgrid[:height, :width] / min(height, width)
    line = np.abs(x - 0.3 - 0.35 * y)
    bar = np.hypot(np.maximum(np.abs(x - 0.62) - 0.16, 0.0), y - 0.75)
    ink = np.where((y > 0.22) & (y < 0.76), line, 1.0)
    ink = np.clip((stroke / min(height, width) - np.minimum(ink, bar)) * min(height, width) + 0.5, 0.0, 1.0)
    light = 0.85 - uneven * x + 0.02 * np.sin(40 * y)
    grey = 0.1 + 0.8 * ink if dark else light * (1.0 - 0.8 * ink)
    return np.rint(255 * grey).astype(np.uint8)[..., np.newaxis]


def of_photos() -> dict:
    beside = paper(220, 300, 8.0, uneven=0.3)
    beside[:, :20] = 30  # a table's edge
    beside[5:8, 200:203] = 20  # dirt
    drawings = {
        "thick": paper(200, 260, 12.0),
        "thin": paper(240, 200, 1.5),
        "uneven": paper(300, 420, 7.0, uneven=0.5),
        "dark": paper(200, 200, 9.0, dark=True),
        "beside a table": beside,
        "large": paper(1000, 1300, 20.0),
        "small": paper(40, 36, 2.0),
        "small and dark": paper(28, 28, 1.5, dark=True),
        "slim": np.pad(paper(160, 160, 3.0)[:, 60:90], ((20, 20), (80, 80), (0, 0)), mode="edge"),
    }
    found = {}
    for name, drawing in drawings.items():
        made, done = photo.centred_ink(drawing, (32, 28) if name == "uneven" else (28, 28))
        found[name] = {"done": done, "parts": parts(made[..., 0])}
    return found


def of_generated() -> dict:
    scene = pole.render(np.array([50.0, 70.0]), np.array([20.0, 200.0]), 16)
    letters = glyphs.render("DejaVuSans", "g", 1.2) | {"B": glyphs.render("DejaVuSerif", "B")["regular"]}
    return {
        "pole": {"parts": [parts(image.mean(axis=-1)) for image in scene], "colours": scene.mean(axis=(0, 1, 2))},
        "lines": {"parts": [parts(image[..., 0]) for image in data.lines.render(np.array([0.3, 2.0]), 16, 1.5)]},
        "spiral": {"points": data.spiral.points(6, seed=2), "curve": data.spiral.curve(np.array([0.5, 4.0]))},
        "glyphs": {name: parts(image, 5) for name, image in letters.items()},
    }


def of_batches() -> dict:
    images, labels = pixels(10), np.arange(10) % 3
    coloured = pixels(6, 3, seed=1)
    wide = Transformations(30.0, 2.0, 0.3, 8.0)
    natural = Transformations(10.0, 2.0, 0.2, 3.0, 0.25, 0.25, 0.25, 0.05, padding="symmetric", crop=8)
    oblong = tf.image.resize(coloured, (SIDE, 18)).numpy().astype(np.uint8)
    datasets = {
        "images": data.batches(images, 4, labels=labels, seed=3, start_step=1, steps=3),
        "pairs": pairs.pairs(images, 4, labels=labels, seed=3, steps=2),
        "sets": sets.sets(images, 3, 2, labels=labels, seed=3, steps=2),
        "triplets": data.triplets(images, batch_size=3, transformations=wide, ends=0.4, seed=4, steps=2),
        "natural triplets": data.triplets(
            coloured, batch_size=2, transformations=natural, seed=5, start_step=7, steps=1
        ),
        "oblong triplets": data.triplets(oblong, batch_size=2, transformations=natural, seed=6, steps=1),
        "augmented": generation.augment(images, labels, "pixels", (0.2, 0.4), 0.5, batch_size=4, seed=2, steps=2),
    }
    found = {}
    for name, dataset in datasets.items():
        for step, batch in enumerate(dataset):
            named = batch if isinstance(batch, dict) else dict(zip(("images", "labels"), batch, strict=True))
            found[f"{name}, {step}"] = {key: some(value) for key, value in named.items()}
    return found


def of_transformations() -> dict:
    images, draws = map(tf.constant, (numbers(3, SIDE, SIDE, 3), numbers(3, views.DRAWS, low=0.0)))
    several = views.Views(crops=(0.6, 0.8), rotation=20.0, flip=True)
    ranges = usual_transformations(pixels(3))
    return {
        "views": {
            "plain": some(several.plain(images)),
            "cropped": some(several.cropped(images, draws)),
            "varied": some(several.varied(images, draws)),
            "photographs": some(views.OF_PHOTOGRAPHS.varied(images, draws)),
            "digits": some(views.OF_DIGITS.varied(images[..., :1], draws)),
            "shifted": some(views.shifted(images, draws[:, :3], 2, flip=True)),
            "quarters": some(views.quarters(images)),
        },
        "diff_augment": {
            name: some(change(images, draws[:, :count])) for name, (change, count) in diff_augment.KINDS.items()
        },
        "at random": {
            "images": some(triplets.transformed_at_random(images[..., :1], ranges, tf.constant([3, 1], tf.int64)))
        },
        "usual": vars(ranges),
    }


def of_mixing() -> dict:
    latents, maps = tf.constant(numbers(4, 5)), tf.constant(numbers(3, 2, 2, 4))
    weights = tf.constant([0.1, 0.5, 0.8, 1.0])
    found = {}
    for name, way in mixing.BY_NAME.items():
        found[name] = {
            "drawn": way.draw(latents, keras.random.SeedGenerator(3)),
            "between": way(latents, latents[::-1], weights),
        }
        if name != "spherical":
            found[name]["maps"] = way.draw(maps, keras.random.SeedGenerator(4))
    return found


def with_a_prior() -> types.SimpleNamespace:
    model = toys.blurred()

    def prior(count: int, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).uniform(-0.5, 0.5, (count, SIDE * SIDE)).astype(np.float32)

    model.prior = prior
    return model


def of_generation() -> dict:
    model, seeds = with_a_prior(), pixels(4, seed=3)
    return {
        "few-shot": {"images": some(generation.few_shot(model, seeds, 5, seed=2), 40)},
        "midpoints": {"images": some(generation.midpoints(model, seeds), 40)},
        "samples": {"images": some(generation.sample(model, 3, seed=2))},
        "paths": {
            "straight": some(generation.interpolate(model, seeds[:2], seeds[2:], (0.0, 0.3, 1.0))),
            "faded": some(generation.pixel_fade(seeds[:2], seeds[2:], (0.0, 0.3, 1.0))),
            "bilinear": some(generation.bilinear(model, seeds, 3)),
            "reconstructed": some(generation.reconstruct(model, seeds)),
        },
        "pairs": dict(zip(("first", "second", "weights"), generation.samples.pairs_and_weights(5, 7, 3), strict=True)),
    }


def of_pictures() -> dict:
    model, images = toys.blurred(), pixels(9, seed=4)
    both = {"blurred": model, "half": toys.scaled(0.5)}
    made = {"fade": np.stack([images[:5], images[4:]]), "blurred": np.stack([images[4:], images[:5]])}
    drawings = {
        "grid": lambda path: generation.save_grid(path, [images[:3], images[3:8]], ["one", "two"]),
        "larger grid": lambda path: generation.save_grid(path, [pixels(3, 3)], scale=3),
        "paths": lambda path: generation.save_interpolations(path, images[:2], images[2:4], both),
        "few-shot": lambda path: generation.save_few_shot(path, np.stack([images[:3], images[3:6]]), made, columns=2),
        "corners": lambda path: generation.save_corners(path, images[:4], both, 3, columns=1),
    }
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, draw in drawings.items():
            with Image.open(draw(pathlib.Path(folder, f"{name.replace(' ', '_')}.png"))) as picture:
                found[name] = {"size": picture.size, "parts": parts(np.asarray(picture.convert("L")), 10)}
    return found


MADE = held.cases(globals())


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_is_what_was_made(name):
    grey = {"abs": 0.7} if name in ("photos", "generated", "pictures") else {}  # of 255, by means of parts
    held.check_numbers(PATH, name, MADE[name](), **grey)


if __name__ == "__main__":
    held.write(PATH, {name: held.flat(make()) for name, make in MADE.items()})
