"""SCOLA's, GLO's and CGAN-PD's recipes on toy images in place of data that may not be at hand."""

import numpy as np
import pytest
from kerasinterp.recipes.cganpd import recipe as cganpd
from kerasinterp.recipes.scola import recipe as scola
from PIL import Image

from kerasinterp import training
from kerasinterp.data import Examples
from kerasinterp.recipe import find, recipes

CLASSES = {
    "cifar10": 10,
    "cifar100": 100,
    "stl10": 10,
    "mnist": 10,
    "omniglot": 24,
    "handwritten_az": 26,
    "./tiny-imagenet-200/train": 200,
}
ALL = {one.name: one for one in (*scola.RECIPES, *cganpd.RECIPES)}
NAMED = [f"scola_cifar10_small_{n}" for n in (5, 10, 50, 100)] + ["scola_cifar10_small", "glo_cifar10"]
NAMED += [
    f"scola_{name}_small" for name in ("cifar100", "stl10", "tiny_imagenet", "mnist", "handwritten_az", "omniglot")
]
NAMED += ["scola_cifar10", "scola_cifar10_dcgan", "scola_cifar10_infogan"]
NAMED += [f"cganpd_{kind}cifar10_small" for kind in ("", "diffaugment_")]


def toys(recipe, per_class=6):
    """Images as the recipe's data are, `per_class` of each class, out of order."""
    count = CLASSES[recipe.data.source] * per_class
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(count) % CLASSES[recipe.data.source])
    images = rng.integers(0, 256, (count, *recipe.data.shape), np.uint8)
    return Examples(images, labels, tuple(map(str, range(CLASSES[recipe.data.source]))))


@pytest.fixture
def read(monkeypatch):
    """In place of datasets, toys; with what was asked for."""
    asked = []

    def load_examples(source, split, **options):
        asked.append((source, split, options))
        return toys(next(one for one in ALL.values() if one.data.source == source))

    monkeypatch.setattr(training.data, "load_examples", load_examples)
    return asked


def test_they_are_found():
    assert set(NAMED) <= set(recipes())
    assert set(ALL) <= set(recipes())
    assert find("cganpd_diffaugment_cifar10_small_5").objective_options == {
        "augmentation": ["color", "translation", "cutout"]
    }


@pytest.mark.parametrize("name", [one.name for one in scola.RECIPES if one.data.per_class])
def test_an_epoch_is_a_pass_in_batches_of_128_or_of_all(name):
    """COLA C.2; both rates are halved every 50 of 500 epochs."""
    recipe = find(name)
    count = CLASSES[recipe.data.source] * recipe.data.per_class
    assert (recipe.schedule.images_per_epoch, recipe.schedule.epochs) == (count, 500)
    assert recipe.schedule.batch_size == min(128, count)
    for player, rate in (("generator", 1e-3), ("latents", 1e-2)):
        own = recipe.optimizer(player, first=False)
        assert (own.rate, own.factor) == (rate, 0.5)
        np.testing.assert_allclose(own.cuts, np.arange(50, 500, 50) / 500)


def test_both_rates_of_a_rival_fall_in_a_line_to_zero(read):
    """Over the updates of each player: five times as many of the discriminator's."""
    recipe = find("cganpd_cifar10_small").change(width=2, latent_size=2)
    model = training.build(recipe, toys(recipe))
    for player, updates in zip(model.players, (500_000, 100_000), strict=True):
        rate = model.optimizer_of(player)._learning_rate
        falling = [float(rate(step)) for step in (0, updates // 4, updates)]
        np.testing.assert_allclose(falling, [2e-4, 1.5e-4, 0.0], rtol=1e-5)


@pytest.mark.parametrize("name", sorted(ALL))
def test_toys_are_learned_from(name, read):
    """By networks as wide as the smoke variant's."""
    recipe = find(name, smoke=True)
    examples, batches = training.training_batches(recipe)
    ((source, split, options),) = read
    assert (source, split, options["image_size"]) == (recipe.data.source, "train", recipe.data.size)
    if recipe.data.per_class:
        assert np.bincount(examples.labels).tolist() == [recipe.data.per_class] * CLASSES[source]
    if name in ("scola_stl10_small", "cganpd_stl10_small"):
        model = training.build(recipe, examples)
        assert (model.image_shape, model.latent_shape) == ((48, 48, 3), (10 + 8,))
        assert set(next(iter(batches(start_step=0)))) == {"c", "labels", *(["place"] if name[0] == "s" else [])}


def test_the_generators_of_table_4_3(read):
    """Table 4.2's numbers of parameters are of 64 numbers beside the classes; C.2 has 128 for all of CIFAR-10."""
    for name, printed in (("scola_cifar10", 4.1e6), ("scola_cifar10_dcgan", 4.1e6), ("scola_cifar10_infogan", 8.6e6)):
        recipe = find(name)
        assert recipe.backbone.latent_size == 128
        model = training.build(recipe.change(latent_size=64), toys(recipe))
        count = sum(int(np.prod(variable.shape)) for variable in model.generator.trainable_variables)
        assert count == pytest.approx(printed, abs=5e4)


@pytest.fixture
def folder(tmp_path):
    """As Tiny ImageNet's: a class's images two folders down."""
    rng = np.random.default_rng(0)
    for name in ("n01443537", "n01629819", "n01641577"):
        (tmp_path / "train" / name / "images").mkdir(parents=True)
        for n in range(5):
            pixels = rng.integers(0, 256, (64, 64, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "train" / name / "images" / f"{name}_{n}.JPEG")
        (tmp_path / "train" / name / f"{name}_boxes.txt").write_text("no image")
    return tmp_path / "train"


@pytest.mark.filterwarnings("ignore::kerasinterp.data.notes.Note")
@pytest.mark.parametrize("system", ["scola", "cganpd"])
def test_tiny_imagenet_is_its_folder(system, folder):
    recipe = find(f"{system}_tiny_imagenet_small", smoke=True).change(source=str(folder), per_class=4)
    examples, _ = training.training_batches(recipe)
    assert examples.shape == (64, 64, 3) and len(examples.classes) == 3
    np.testing.assert_array_equal(np.bincount(examples.labels), [4, 4, 4])
    assert training.build(recipe, examples).latent_shape == (3 + 8,)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["scola_stl10_small", "cganpd_stl10_small", "cganpd_diffaugment_cifar10_small", "glo_cifar10"]
)
def test_smoke_variants_train(name, read, tmp_path):
    recipe = find(name, smoke=True).change(width=2)
    run = training.train(recipe.change(images_per_epoch=2 * recipe.schedule.batch_size), tmp_path / "run")
    assert len(run.history.read_text().splitlines()) == 3
    assert run.model.exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::kerasinterp.data.notes.Note")
@pytest.mark.parametrize("system", ["scola", "cganpd"])
def test_tiny_imagenet_s_smoke_variants_train(system, folder, tmp_path):
    recipe = find(f"{system}_tiny_imagenet_small", smoke=True).change(source=str(folder), width=2, per_class=4)
    run = training.train(recipe.change(images_per_epoch=2 * recipe.schedule.batch_size), tmp_path / "run")
    assert run.model.exists()
