"""AMR's measures of mixed codes: do their images look like data, and do they keep what was mixed?"""

import itertools
import os
import pathlib
from collections.abc import Callable, Mapping

import numpy as np

from kerasinterp.errors import InputError
from kerasinterp.evaluation.distances import gaussian_distance, reliable
from kerasinterp.evaluation.figures import draw_bars, name_rows, panels, save
from kerasinterp.evaluation.paths import as_float, finite

Function = Callable[[np.ndarray], np.ndarray]


def mixes(
    encode: Function,
    decode: Function,
    draw: Callable[[np.ndarray, int], np.ndarray],
    images: np.ndarray,
    features: Function,
    *,
    sets: int = 5,
    seed: int = 0,
) -> dict:
    """Frechet distances of mixes and of reconstructions from the data, and the consistency of the mixes.

    Args:
        encode: images -> codes (N, ...); `functools.partial(generation.encode, model)`, say.
        decode: codes -> images; `functools.partial(generation.decode, model)`.
        draw: (codes, seed) -> mixed codes, at weights drawn from `seed`. It gets the codes in random order, so it may
            mix neighbours or, as `Mixing.draw`, the batch with its reverse.
        images: validation data, (N, ...), float in [-1, 1] or uint8.
        features: images float32 -> (N, D): `Classifier.features`, `inception`, or the values themselves for points.
        sets: of sampled mixes, N mixes each.
        seed: of orders and weights.

    Returns:
        - "fid_mix", "fid_mix_std": mean and deviation over the sets; "fid_mix_sets": one distance a set;
        - "fid_reconstruction": the distance of the reconstructions;
        - "fid_unreliable": whether there are too few images for these distances (`distances.reliable`);
        - "consistency", "consistency_relative": as `consistency`, of all sets' mixes.

    Raises:
        InputError: fewer than one set, or codes, images or features that are not finite or do not fit.

    Source: AMR section 3, tables 1 and 2. There the mean is over three models too.
    """
    if sets < 1:
        raise InputError(f"sets is {sets}: draw at least one set of mixes.")
    images = as_float(images)
    real = features(images)
    codes = finite(encode(images), "codes")
    random = np.random.default_rng(seed)
    distances, kept = [], []
    for _ in range(sets):
        mixed = np.asarray(draw(codes[random.permutation(len(codes))], int(random.integers(2**31))))
        made = finite(decode(mixed), "mixes")
        distances.append(gaussian_distance(real, features(made)))
        kept.append(_consistency(mixed, encode(made)))
    reconstructions = finite(decode(codes), "reconstructions")
    return {
        "fid_mix": float(np.mean(distances)),
        "fid_mix_std": float(np.std(distances)),
        "fid_mix_sets": distances,
        "fid_reconstruction": gaussian_distance(real, features(reconstructions)),
        "fid_unreliable": not reliable(*np.shape(real)),
        **{key: None if None in (values := [one[key] for one in kept]) else float(np.mean(values)) for key in kept[0]},
    }


def consistency(encode: Function, decode: Function, mixed: np.ndarray) -> dict:
    """How far mixed codes move when they are decoded and encoded again.

    Args:
        encode, decode: as `mixes`.
        mixed: codes (N, ...), N at least 2.

    Returns:
        - "consistency": the mean Euclidean distance |h - f(g(h))|;
        - "consistency_relative": the same in units of the codes' root mean squared distance from their mean, so that
          systems whose codes differ in scale compare: 0 is best, about 1.4 is what another mix's code would give. None
          if all codes are equal, as a collapsed model's are.

    Raises:
        InputError: fewer than two codes, or codes of another shape or not finite.

    Source: AMR equation 5 and appendix 5.2.
    """
    return _consistency(mixed, encode(decode(mixed)))


def bernoulli_parameters(mixer: Function, attributes: int) -> dict:
    """What a supervised mixer has learned: its Bernoulli parameters for each combination of binary attributes.

    Args:
        mixer: labels float32 (N, attributes) -> parameters (N, maps) in [0, 1].
        attributes: how many, 1 to 12.

    Returns:
        "attributes": the combinations, "00", "01", ...; "parameters": a list of parameters for each.

    Raises:
        InputError: another number of attributes, or parameters outside [0, 1].

    Source: AMR appendix 5.4.
    """
    if not 1 <= attributes <= 12:
        raise InputError(f"{attributes} attributes have 2**{attributes} combinations: give 1 to 12.")
    labels = np.array(list(itertools.product([0, 1], repeat=attributes)), np.float32)
    parameters = np.asarray(mixer(labels))
    if parameters.ndim != 2 or len(parameters) != len(labels) or not ((parameters >= 0) & (parameters <= 1)).all():
        raise InputError(f"mixer gave {parameters.shape}: it must give (N, maps) in [0, 1] for {len(labels)} labels.")
    names = ["".join(str(int(value)) for value in label) for label in labels]
    return {"attributes": names, "parameters": parameters.astype(float).tolist()}


def draw_mixes(results_by_system: Mapping[str, Mapping], path: str | os.PathLike) -> pathlib.Path:
    """Draws what `mixes` returned as bars with deviations, into a PNG.

    Raises:
        InputError: nothing to draw, or another file type.
    """
    titles = {
        "fid_mix": "Frechet distance, mixes",
        "fid_reconstruction": "Frechet distance, reconstructions",
        "consistency_relative": "consistency loss, relative",
    }
    return draw_bars(results_by_system, path, titles, errors={"fid_mix": "fid_mix_std"})


def draw_bernoulli_parameters(result: Mapping, path: str | os.PathLike) -> pathlib.Path:
    """Draws what `bernoulli_parameters` returned, a row a combination (AMR figure 11), into a PNG.

    Raises:
        InputError: another file type.
    """
    names = result["attributes"]
    figure, (axis,) = panels(["Bernoulli parameters of the mixer"], height=0.3 * len(names) + 1.2)
    figure.set_figwidth(9)
    picture = axis.imshow(result["parameters"], vmin=0, vmax=1, cmap="cividis", aspect="auto", interpolation="nearest")
    name_rows(figure, axis, names)
    axis.set_xlabel("feature map")
    axis.set_ylabel("attributes")
    figure.colorbar(picture, ax=axis)
    return save(figure, path)


def _consistency(mixed: np.ndarray, again: np.ndarray) -> dict:
    mixed, again = finite(np.asarray(mixed), "mixed codes"), finite(np.asarray(again), "codes of decoded mixes")
    if mixed.shape != again.shape or len(mixed) < 2:
        raise InputError(f"codes of shape {mixed.shape} came back as {again.shape}: give two or more, in one shape.")
    mixed, again = (codes.reshape(len(codes), -1).astype(np.float64) for codes in (mixed, again))
    scale = np.sqrt(np.square(mixed - mixed.mean(axis=0)).sum(axis=1).mean())
    moved = float(np.linalg.norm(mixed - again, axis=1).mean())
    return {"consistency": moved, "consistency_relative": moved / float(scale) if scale else None}
