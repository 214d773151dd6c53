"""AMR's distances of mixes and its consistency loss against a plain computation."""

import json

import numpy as np
import PIL.Image
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import (
    bernoulli_parameters,
    consistency,
    draw_bernoulli_parameters,
    draw_mixes,
    frechet_distance,
    mixes,
)

IMAGES = np.random.default_rng(0).uniform(-1, 1, (60, 2, 2, 1)).astype(np.float32)


def encode(images):
    return images.reshape(len(images), -1)


def decode(codes):
    return 0.5 * codes.reshape(-1, 2, 2, 1)


def draw(codes, seed):
    weights = np.random.default_rng(seed).random((len(codes), 1), np.float32)
    return weights * codes + (1 - weights) * codes[::-1]


def test_distances_are_those_of_each_set_and_of_reconstructions():
    seen = []

    def watched(codes, seed):
        seen.append(draw(codes, seed))
        return seen[-1]

    result = mixes(encode, decode, watched, IMAGES, encode, sets=3)
    real = encode(IMAGES)
    expected = [frechet_distance(real, 0.5 * mixed) for mixed in seen]
    assert len(set(expected)) == 3
    assert result["fid_mix_sets"] == pytest.approx(expected)
    assert result["fid_mix"] == pytest.approx(np.mean(expected))
    assert result["fid_mix_std"] == pytest.approx(np.std(expected))
    assert result["fid_reconstruction"] == pytest.approx(frechet_distance(real, 0.5 * real))
    assert result["consistency"] == pytest.approx(
        np.mean([np.linalg.norm(0.5 * mixed, axis=1).mean() for mixed in seen])
    )
    assert json.loads(json.dumps(result)) == result
    assert mixes(encode, decode, draw, IMAGES, encode, sets=3) == result  # of one seed
    assert mixes(encode, decode, draw, IMAGES, encode, sets=3, seed=1) != result


def test_one_set_is_enough():
    result = mixes(encode, decode, draw, IMAGES, encode, sets=1)
    assert result["fid_mix_sets"] == [result["fid_mix"]] and result["fid_mix_std"] == 0.0 and result["consistency"] > 0


def test_each_set_mixes_all_codes_in_another_order():
    orders = []
    mixes(encode, decode, lambda codes, seed: orders.append(codes) or codes, IMAGES, encode, sets=2)
    assert not np.array_equal(*orders)
    for order in orders:
        np.testing.assert_array_equal(np.sort(order, axis=0), np.sort(encode(IMAGES), axis=0))


def test_five_sets_that_differ_unless_told_otherwise():
    """AMR tables 1 and 2: five sets of samples."""
    seeds = []
    result = mixes(encode, decode, lambda codes, seed: seeds.append(seed) or draw(codes, seed), IMAGES, encode)
    assert len(set(result["fid_mix_sets"])) == len(set(seeds)) == 5
    assert all(0 <= seed < 2**31 for seed in seeds)  # what generators of random numbers take


def test_mixes_are_measured_on_mixes():
    """Codes, mixes and reconstructions that cannot be taken for each other."""
    result = mixes(
        encode, lambda codes: codes.reshape(-1, 2, 2, 1), lambda codes, seed: codes + 3.0, IMAGES, encode, sets=2
    )
    assert result["fid_mix_sets"] == pytest.approx([4 * 3.0**2] * 2)
    assert result["fid_reconstruction"] == pytest.approx(0.0, abs=1e-6)
    assert result["consistency"] == 0.0


@pytest.mark.parametrize(("images", "unreliable"), [(60, False), (8, False), (7, True)])
def test_too_few_images_are_told(images, unreliable):
    assert mixes(encode, decode, draw, IMAGES[:images], encode)["fid_unreliable"] is unreliable


def test_bytes_are_scaled():
    levels = np.random.default_rng(0).integers(0, 256, IMAGES.shape, dtype=np.uint8)
    as_bytes, as_floats = (mixes(encode, decode, draw, one, encode) for one in (levels, levels / 127.5 - 1))
    for measure in ("fid_mix", "fid_reconstruction", "consistency"):
        assert as_bytes[measure] == pytest.approx(as_floats[measure], rel=1e-4)


def test_points_in_the_plane_are_measured_too():
    points = IMAGES[:, 0, :, 0]
    result = mixes(lambda x: x, lambda h: h, lambda codes, seed: codes, points, lambda x: x)
    assert result["fid_mix"] == pytest.approx(0.0, abs=1e-6)
    assert result["consistency"] == 0.0


def test_consistency_is_the_distance_and_its_share_of_the_codes_spread():
    codes = np.random.default_rng(1).normal(size=(40, 3, 2))
    moved = consistency(lambda images: images + 2.0, lambda codes: codes, codes)
    assert moved["consistency"] == pytest.approx(2 * np.sqrt(6))
    flat = codes.reshape(40, 6)
    spread = np.sqrt(np.mean(np.sum((flat - flat.mean(axis=0)) ** 2, axis=1)))
    assert moved["consistency_relative"] == pytest.approx(2 * np.sqrt(6) / spread)
    scaled = consistency(lambda images: images + 20.0, lambda codes: codes, 10 * codes)
    assert scaled["consistency_relative"] == pytest.approx(moved["consistency_relative"])


def test_bad_calls_get_one_sentence():
    with pytest.raises(InputError, match="at least one set"):
        mixes(encode, decode, draw, IMAGES, encode, sets=0)
    with pytest.raises(InputError, match="not finite"):
        mixes(encode, lambda codes: decode(codes) * np.nan, draw, IMAGES, encode)
    with pytest.raises(InputError, match="came back as"):
        consistency(lambda images: images[:, :2], lambda codes: codes, encode(IMAGES))
    for attributes in (0, 13):
        with pytest.raises(InputError, match="1 to 12"):
            bernoulli_parameters(lambda labels: labels, attributes)
    assert len(bernoulli_parameters(lambda labels: labels, 12)["attributes"]) == 2**12
    with pytest.raises(InputError, match="mixed codes hold values"):
        consistency(lambda images: images, lambda codes: codes, np.full((3, 2), np.nan))
    with pytest.raises(InputError, match="two or more"):
        consistency(lambda images: images, lambda codes: codes, np.ones((1, 2)))
    assert consistency(lambda images: images, lambda codes: codes, np.eye(2))["consistency"] == 0.0
    for mixer in (lambda labels: labels[:1], lambda labels: labels[:, 0], lambda labels: labels + 1e-3):
        with pytest.raises(InputError, match=r"in \[0, 1\]"):
            bernoulli_parameters(mixer, 2)
    with pytest.raises(InputError, match=r"in \[0, 1\]"):
        bernoulli_parameters(lambda labels: labels - 1, 2)


def test_figures_are_drawn(tmp_path):
    result = bernoulli_parameters(lambda labels: np.repeat(labels, 4, axis=1), 2)
    assert result["attributes"] == ["00", "01", "10", "11"]
    assert result["parameters"][1] == [0, 0, 0, 0, 1, 1, 1, 1]
    rows = {name: mixes(encode, decode, draw, IMAGES, encode) for name in ("ARAE", "AMR")}
    for path in (
        draw_bernoulli_parameters(result, tmp_path / "parameters.png"),
        draw_mixes(rows, tmp_path / "mixes.png"),
    ):
        with PIL.Image.open(path) as picture:
            assert picture.width > picture.height


def test_a_collapsed_model_has_no_relative_consistency():
    """Codes that are all equal have no scale; what else is measured stays."""
    found = consistency(lambda images: images + 3.0, lambda codes: codes, np.ones((3, 2)))
    assert found == {"consistency": pytest.approx(18**0.5), "consistency_relative": None}
    collapsed = mixes(
        lambda images: np.ones((len(images), 4)), lambda codes: IMAGES[: len(codes)], draw, IMAGES, encode
    )
    assert collapsed["consistency_relative"] is None and np.isfinite(collapsed["fid_mix"])
