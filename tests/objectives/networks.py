"""The smallest networks that an objective takes: linear, so that a test can follow them by hand."""

import inspect

import keras
import numpy as np

from kerasinterp.nn.batch_normalization import BatchNormalization
from kerasinterp.nn.exact_batch_normalization import ExactBatchNormalization
from kerasinterp.nn.net import KINDS, Net

SHAPE = (8, 8, 1)
LATENT = 4
LABELS = 3
EMBEDDING, CONTEXT = 5, 3
SET = 3  # images of a set
COUNT = 6  # images of a batch, and of the dataset of which a table has latents


def linear(inputs: tuple, outputs: tuple, seed: int, normalised: bool = False, name: str | None = None) -> keras.Model:
    """One matrix, without bias; see `apply`. Its results have Keras' floatx, whatever the policy of its matrix."""
    x = given = keras.Input(inputs)
    initializer = keras.initializers.RandomNormal(stddev=0.3, seed=seed)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(int(np.prod(outputs)), kernel_initializer=initializer, use_bias=False)(x)
    x = keras.layers.UnitNormalization(dtype=keras.config.floatx())(x) if normalised else x
    return keras.Model(given, keras.layers.Reshape(outputs, dtype=keras.config.floatx())(x), name=name)


def apply(network: keras.Model, x: np.ndarray) -> np.ndarray:
    """What a linear network gives, in NumPy and float64."""
    x = np.asarray(x, float)
    return (x.reshape(len(x), -1) @ network.weights[0].numpy().astype(float)).reshape(-1, *network.output_shape[1:])


def linear_network(net: Net, name: str, seed: int, normalised: bool = False) -> keras.Model:
    """A network of any kind: a matrix; a second matrix for classes; a table of latents, some longer than 1."""
    ends = {
        "images": (*SHAPE[:2], SHAPE[2] * net.images),
        "latents": (LATENT * net.outputs * net.latents,),
        "scores": (1,),
    }
    ends |= {"labels": (LABELS,), "features": (LATENT,)}
    ends |= {"representations": (LATENT,), "orientations": (4,)}
    ends |= {"embeddings": (EMBEDDING,), "sets_of_embeddings": (None, EMBEDDING)}
    *several, takes, gives = KINDS[net.kind]
    if gives == "contexts" or "contexts" in (*several, takes):
        return of_sets([ends.get(end, (CONTEXT,)) for end in (*several, takes)], ends.get(gives), net, name, seed)
    if several:
        given = [keras.Input(ends[end]) for end in (*several, takes)]
        joined = keras.layers.Concatenate()([keras.layers.Flatten()(x) for x in given])
        return keras.Model(given, linear((joined.shape[-1],), ends[gives], seed)(joined), name=name)
    if takes == "indices":
        places = keras.Input((), dtype="int32")
        initializer = keras.initializers.RandomNormal(stddev=0.7, seed=seed)
        return keras.Model(places, keras.layers.Embedding(COUNT, LATENT, initializer)(places), name=name)
    network = linear(ends[takes], ends[gives], seed, normalised and net == Net("encoder"), name)
    if gives == "features":
        return keras.Model(network.input, keras.layers.Activation("sigmoid")(network.output), name=name)
    if net.classes:
        images = keras.Input(network.input_shape[1:])
        return keras.Model(images, [network(images), linear(ends[takes], (LABELS,), seed + 500)(images)], name=name)
    return network


def of_sets(takes: list[tuple], gives: tuple | None, net: Net, name: str, seed: int) -> keras.Model:
    """Of the mean of a set, or of all that it takes, one behind the other; see `apply`."""
    given = [keras.Input(shape) for shape in takes]
    joined = keras.layers.Concatenate()(given) if len(given) > 1 else given[0]
    if len(takes[0]) > 1:
        joined = keras.layers.GlobalAveragePooling1D()(joined)
    matrix = linear((joined.shape[-1],), gives or (CONTEXT * net.outputs,), seed)
    return keras.Model(given if len(given) > 1 else given[0], matrix(joined), name=name)


def linear_networks(seed: int = 0, normalised: bool = True) -> dict[str, keras.Model]:
    """Networks of the names that are kinds, besides a VAE's and GAIA's."""
    nets = {kind: Net(kind) for kind in KINDS}
    nets |= {"posterior": Net("encoder", outputs=2), "judge_encoder": Net("encoder", space="judged")}
    nets |= {"judge_decoder": Net("decoder", space="judged")}
    return {name: linear_network(net, name, 20 * seed + n, normalised) for n, (name, net) in enumerate(nets.items(), 1)}


def counted(cls: type) -> dict[str, int]:
    """The number of images, for a system that is told it."""
    return {"count": COUNT} if "count" in inspect.signature(cls.__init__).parameters else {}


def make(cls: type, normalised: bool = False, **options):
    """An objective on linear networks; `options` may name networks of one's own."""
    nets = cls.nets().items()
    built = {name: linear_network(net, name, n, normalised) for n, (name, net) in enumerate(nets, 1)}
    return cls(**built | counted(cls) | options)


def make_with_statistics(cls: type, **options):
    """As `make`; what networks give is normalised by their batch, where it may be, so that this shows in every term."""
    kind = ExactBatchNormalization if cls.__name__ == "AEAI" else BatchNormalization
    built = {}
    for number, (name, net) in enumerate(cls.nets().items(), 1):
        built[name] = network = linear_network(net, name, number)
        if net.kind not in ("latent_table", "label_mixer") and net.batch_normalised:
            outputs = [
                kind(momentum=0.5, dtype=keras.config.floatx(), name=f"normalisation_{n}")(x)
                for n, x in enumerate(network.outputs)
            ]
            built[name] = keras.Model(network.input, outputs if len(outputs) > 1 else outputs[0], name=name)
    return cls(**built | counted(cls) | options)


def image_batch(count: int = COUNT, seed: int = 0) -> dict[str, np.ndarray]:
    return {"c": np.random.default_rng(seed).uniform(-1, 1, (count, *SHAPE)).astype(np.float32)}


def triplet_batch(count: int = COUNT, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    batch = {key: rng.uniform(-1, 1, (count, *SHAPE)).astype(np.float32) for key in "abc"}
    return batch | {"alpha": rng.uniform(size=count).astype(np.float32)}


def set_batch(count: int = COUNT, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    images = rng.uniform(-1, 1, (count, SET, *SHAPE)).astype(np.float32)
    return {"c": images, "labels": rng.integers(0, LABELS, count)}


def full_batch(count: int = COUNT, seed: int = 0, alpha: bool = False) -> dict[str, np.ndarray]:
    """All that any objective reads; with `alpha`, IntAE draws none."""
    batch = triplet_batch(count, seed)
    batch["other"] = np.random.default_rng(seed + 2).uniform(-1, 1, batch["c"].shape).astype(np.float32)
    batch["labels"] = np.random.default_rng(seed + 1).integers(0, 2, (count, LABELS)).astype(np.float32)
    batch["place"] = np.arange(count, dtype=np.int32) % COUNT
    if not alpha:
        del batch["alpha"]
    return batch


def batch_for(cls: type, count: int | None = None, seed: int = 0) -> dict[str, np.ndarray]:
    """A batch on which an objective of linear networks trains, and draws what it can draw."""
    slices = max(player.every for player in cls.players)
    count = -(-COUNT // slices) * slices if count is None else count
    if cls.form and cls.form[0] == "sets":
        return set_batch(count, seed)
    batch = full_batch(count, seed, alpha=cls.__name__ == "AugIntAE")
    if any(net.kind == "projection_discriminator" for net in cls.nets().values()):
        batch["labels"] = np.random.default_rng(seed + 1).integers(0, LABELS, count)
    return batch


# Losses in NumPy: one value an image.


def cross_entropy(scores: np.ndarray, label: float | np.ndarray) -> np.ndarray:
    p = 1.0 / (1.0 + np.exp(-scores.reshape(len(scores), -1)))
    return -(label * np.log(p) + (1.0 - label) * np.log(1.0 - p)).mean(axis=1)


def squared(x: np.ndarray) -> np.ndarray:
    return (x.reshape(len(x), -1) ** 2).mean(axis=1)


def absolute(x: np.ndarray) -> np.ndarray:
    return np.abs(x.reshape(len(x), -1)).mean(axis=1)


def euclidean(x: np.ndarray) -> np.ndarray:
    return np.linalg.norm(x.reshape(len(x), -1), axis=1)
