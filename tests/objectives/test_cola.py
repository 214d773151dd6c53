import keras
import networks
import numpy as np
import pytest
from objective_test_case import run_objective_test

from kerasinterp import generation, training
from kerasinterp.data import Examples, batches
from kerasinterp.errors import InputError
from kerasinterp.objectives import COLA, GLO, MMDC
from kerasinterp.recipe import Target, find

N, K = networks.COUNT, 2
IMAGES = np.random.default_rng(0).integers(0, 256, (N, *networks.SHAPE), np.uint8)
TARGETS = np.array([[1, 0], [0.6, 0.8], [0, 1], [0, 1], [0.8, 0.6], [1, 0]], np.float32)


def make(**options):
    return networks.make(COLA, classes=K, **options)


def earlier(targets=TARGETS):
    """MMDC of K clusters."""
    size = targets.shape[1]
    head = networks.linear((networks.LATENT,), (size,), 0, name="code_head")
    model = networks.make(MMDC, code_head=head, count=len(targets))
    model.targets.assign(targets)
    return model


def test_contract(tmp_path):
    run_objective_test(make, networks.batch_for(COLA), tmp_path)


@pytest.mark.parametrize("begins_first", [True, False])
def test_codes_begin_as_targets_and_unit_variations(begins_first):
    """Algorithm 1 with step I's output in the place of labels; the images need none."""
    model = make(seed=3)
    steps = [lambda: model.begin(Examples(IMAGES)), lambda: model.take_over(earlier())]
    for step in steps if begins_first else steps[::-1]:
        step()
    z = model.latents.numpy()
    np.testing.assert_allclose(z[:, :K], TARGETS, rtol=1e-6)
    drawn = np.random.default_rng(3).standard_normal((N, networks.LATENT - K), np.float32)
    np.testing.assert_allclose(z[:, K:], drawn / np.linalg.norm(drawn, axis=1, keepdims=True), rtol=1e-5)
    np.testing.assert_array_equal(model.clusters.numpy(), [0, 1, 1, 1, 0, 0])


def test_it_trains_and_samples_each_cluster():
    model = make()
    model.begin(Examples(IMAGES))
    model.take_over(earlier())
    model.compile("adam")
    model.fit(batches(IMAGES, 3, places=True), epochs=1, steps_per_epoch=2, verbose=0)
    after = model.latents.numpy()
    assert np.abs(after[:, :K] - TARGETS).max() > 1e-4
    np.testing.assert_allclose(np.linalg.norm(after[:, :K], axis=1), 1.0, rtol=1e-5)
    drawn = model.prior(40, seed=1).numpy()
    assert drawn[::2, 0].mean() > drawn[1::2, 0].mean() + 0.2  # of cluster 0, of cluster 1


def test_another_number_of_images_or_clusters_is_refused():
    with pytest.raises(InputError, match=r"2 clusters of 5 images \(8, 8, 1\), and COLA 2 of 6 \(8, 8, 1\): give both"):
        make().take_over(earlier(TARGETS[:5]))
    with pytest.raises(InputError, match="MMDC has 3 clusters of 6 images"):
        make().take_over(earlier(np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]))
    with pytest.raises(InputError, match="GLO has no targets of images to begin with: name a run of MMDC by `after`"):
        make().take_over(networks.make(GLO))


@pytest.mark.slow
def test_a_run_begins_with_the_clusters_of_another(tmp_path):
    rng, own = np.random.default_rng(0), tmp_path / "images"
    own.mkdir()
    for number in range(8):
        keras.utils.save_img(own / f"{number}.png", rng.integers(0, 256, (16, 16, 3)), scale=False)
    small = {"source": str(own), "split": "train", "image_size": 16, "width": 2, "images_per_epoch": 8, "batch_size": 4}
    mmdc = find("mmdc_cifar10").change(
        **small, epochs=2, snapshot_every=0, target=Target(), backbone={"latent_size": 3}
    )
    earlier = training.train(mmdc, tmp_path / "mmdc")
    cola = find("cola_cifar10").change(**small, epochs=1, snapshot_every=0, objective_options={"classes": 3})
    run = training.train(cola.change(after=str(tmp_path / "mmdc")), tmp_path / "cola")
    targets = generation.load_model(earlier.model).targets.numpy()
    np.testing.assert_array_equal(generation.load_model(run.model).clusters.numpy(), targets.argmax(axis=1))
    assert generation.sample(generation.load_model(run.model), 4, 0).shape == (4, 16, 16, 3)
    with pytest.raises(InputError, match="begins with a trained model: name its run folder by `after`"):
        training.train(cola.change(after=""), tmp_path / "alone")
