"""What the replicas of `tf.distribute` do together, so that their shares count as one batch; on one device, nothing.

Replica r of R holds rows r b ... (r + 1) b of a batch of R b. All is differentiable, and called by all replicas alike.
"""

import functools

import keras
import tensorflow as tf

_APART = 2_654_435_761  # an odd number (Knuth's multiplicative hash): replicas' seeds are far from other seeds
UNEQUAL = "devices have unequal shares of a batch: batch with drop_remainder=True, by a multiple of their number"


def count() -> int:
    """How many replicas there are: 1 on one device, and outside of a replica."""
    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


def mean(value: tf.Tensor) -> tf.Tensor:
    """The mean of a value that every replica has of its share."""
    if count() == 1:
        return value
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, value)


def whole(value: tf.Tensor) -> tf.Tensor:
    """The whole batch (R b, ...), of each replica's share (b, ...).

    Raises:
        tf.errors.InvalidArgumentError: with `UNEQUAL`, when it runs.
    """
    if count() == 1:
        return value
    # One tensor that all replicas share would count once.
    found = tf.distribute.get_replica_context().all_gather(tf.identity(value), axis=0)
    equal = tf.shape(found)[0] == count() * tf.shape(value)[0]
    with tf.control_dependencies([tf.debugging.Assert(equal, [UNEQUAL])]):
        return tf.identity(found)


def share(value: tf.Tensor, axis: int = 0) -> tf.Tensor:
    """This replica's share of a whole batch, which lies along `axis`."""
    if count() == 1:
        return value
    rows = tf.shape(value)[axis] // count()
    return tf.gather(value, _number() * rows + tf.range(rows), axis=axis)


def redealt(value: tf.Tensor, parts: int) -> tf.Tensor:
    """Shares (b, ...) dealt out anew: part k of a share is then the replica's share of part k of the whole batch.

    If `parts` do not divide b, what remains of each share comes last.
    """
    if count() == 1:
        return value
    rows = tf.shape(value)[0]
    size, rest = rows // parts, rows % parts
    starts = [(part * count() + _number()) * size for part in range(parts)]
    chosen = [start + tf.range(size) for start in starts]
    chosen.append(count() * parts * size + _number() * rest + tf.range(rest))
    found = tf.gather(whole(value), tf.concat(chosen, 0))
    return tf.ensure_shape(found, value.shape)


def reverse(value: tf.Tensor) -> tf.Tensor:
    """This replica's share of the whole batch in reverse order."""
    return share(tf.reverse(whole(value), [0]))


def roll(value: tf.Tensor, shift: int) -> tf.Tensor:
    """This replica's share of the whole batch, rolled by `shift` rows."""
    return share(tf.roll(whole(value), shift, axis=0))


def uniform(
    shape: tuple[int | tf.Tensor, ...],
    seed: keras.random.SeedGenerator,
    minval: float = 0.0,
    maxval: float = 1.0,
    axis: int = 0,
) -> tf.Tensor:
    """Draws from U(minval, maxval): this replica's share, along `axis`, of what one device would draw."""
    return share(keras.random.uniform(_whole_shape(shape, axis), minval, maxval, seed=seed), axis)


def normal(shape: tuple[int | tf.Tensor, ...], seed: keras.random.SeedGenerator, axis: int = 0) -> tf.Tensor:
    """Draws from N(0, 1): this replica's share, along `axis`, of what one device would draw."""
    return share(keras.random.normal(_whole_shape(shape, axis), seed=seed), axis)


def draw_apart(layer: keras.Layer) -> None:
    """Lets a layer that draws for itself (dropout, noise) draw other values on each replica.

    Keras' generators count alike on all replicas. On one device, and on the first, the values are Keras' own.
    """
    for generator in getattr(layer, "_seed_generators", ()):
        generator.next = functools.partial(_next_apart, generator)


def _next_apart(generator: keras.random.SeedGenerator, ordered: bool = True) -> tf.Tensor:
    seed = type(generator).next(generator, ordered)
    return seed if count() == 1 else seed + _APART * tf.stack([tf.cast(_number(), seed.dtype), 0])


def _whole_shape(shape: tuple, axis: int) -> tuple:
    return tuple(size * count() if place == axis else size for place, size in enumerate(shape))


def _number() -> tf.Tensor:
    return tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.int32)
