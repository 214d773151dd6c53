"""The adversarial mixup resynthesiser that mixes by attributes."""

import keras
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.nn.net import Net, fits
from kerasinterp.objectives.autoencoder import Autoencoder
from kerasinterp.objectives.player import Player
from kerasinterp.ops import losses, mixing, replicas


@keras.saving.register_keras_serializable("kerasinterp")
class SupervisedAMR(Autoencoder):
    """A mixer learns which features of two latents make an image of given attributes (AMR eq. 6, beside eq. 5).

        y_mix = a y + (1 - a) y',  a ~ U(0, 1);  m ~ Bernoulli(mixer(y_mix));  h_mix = m E(x) + (1 - m) E(x')
        autoencoder, mixer: eq. 5, + BCE(D(G(h_mix)), 1) + cls(p(y|G(h_mix)), y_mix) + beta |h_mix - E(G(h_mix))|_2
        discriminator:      eq. 5, + BCE(D(G(h_mix)), 0) + cls(p(y|x), y)

    The mix without labels (eq. 5) is by Bernoulli masks. No gradient passes a sampled mask: that of m is given to the
    mixer's probabilities, straight through (ours; the paper does not say). The classifier is a second output of the
    discriminator and learns from real images (Odena et al., 2017).

    Args:
        discriminator: images -> [scores (B, 1), attributes' logits (B, k)].
        mixer: attributes (B, k) in 0..1 -> the probability (B, features) that a feature comes from the first image.
        soft: mix by the probabilities themselves, which gave the paper better pictures (section 3.1).

    Trains on labelled batches: images and attributes (B, k), 0 or 1.
    """

    players = (
        Player(
            "autoencoder",
            networks=("encoder", "decoder", "mixer"),
            terms=("reconstruction", "fooling", "fooling_mix", "consistency", "fooling_class", "class_of_mix"),
        ),
        Player("discriminator", networks=("discriminator",), terms=("real", "fake", "fake_mix", "fake_class", "class")),
    )
    networks = {"mixer": Net("label_mixer"), "discriminator": Net("discriminator", classes=True)}
    reads_labels = True
    weights_of_terms = {"reconstruction": 10.0, "consistency": 1.0}
    reconstruction_loss = "euclidean"  # as AMR
    default_mixing = mixing.Bernoulli()

    def __init__(self, *, soft: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.soft = bool(soft)
        if len(self.discriminator.outputs) != 2:
            raise InputError("SupervisedAMR's discriminator has two outputs: build it with classes=k.")
        attributes, features = self.discriminator.outputs[1].shape[-1], self.latent_shape[-1]
        if (self.mixer.input_shape[-1], self.mixer.output_shape[-1]) != (attributes, features):
            raise InputError(
                f"The mixer takes {self.mixer.input_shape[-1]} attributes and gives {self.mixer.output_shape[-1]} "
                f"probabilities; here are {attributes} attributes and {features} features: build it for them."
            )

    def mix_by_labels(self, first: tf.Tensor, second: tf.Tensor, labels: tf.Tensor, training: bool) -> tf.Tensor:
        """Mix_sup of eq. 6: two latents (B, ..., features) and attributes (B, k) in 0..1."""
        p = tf.cast(self.mixer(labels, training=training), tf.float32)
        if not self.soft:
            drawn = tf.cast(self.uniform(*tf.unstack(tf.shape(p))) < p, tf.float32)
            p += tf.stop_gradient(drawn - p)
        shape = [-1] + [1] * (first.shape.rank - 2) + [p.shape[-1]]
        return mixing.masked(tf.reshape(p, shape), first, second)

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        if "labels" not in batch:
            raise InputError("SupervisedAMR trains on images and their attributes: pass both to fit.")
        if not fits(batch["labels"].shape[1:], self.mixer.input_shape[1:]):
            raise InputError(
                f"SupervisedAMR's attributes are (B, {self.mixer.input_shape[-1]}), 0 or 1, not (B, "
                f"{str(tuple(batch['labels'].shape[1:]))[1:]}: turn classes into attributes, one-hot say."
            )
        images, labels = batch["c"], tf.cast(batch["labels"], tf.float32)
        latents = self.encoder(images, training=training)
        alpha = self.uniform(tf.shape(images)[0], 1)
        labels_mixed = alpha * labels + (1.0 - alpha) * replicas.reverse(labels)
        mixed = self.mixing.draw(latents, self.seed_generator)
        by_labels = self.mix_by_labels(latents, replicas.reverse(latents), labels_mixed, training)
        decoded = self.decoder(tf.concat([latents, mixed, by_labels], 0), training=training)
        scores, classes = self.discriminator(tf.concat([images, decoded], 0), training=training)
        real, fake, fake_mix, fake_class = tf.split(scores, 4)
        class_of_image, _, _, class_of_mix = tf.split(classes, 4)
        reconstructed, mixes = decoded[: tf.shape(images)[0]], decoded[tf.shape(images)[0] :]
        again = losses.distance(tf.concat([mixed, by_labels], 0), self.encoder(mixes, training=training))
        return {
            "reconstruction": self.reconstruction_error(images, reconstructed),
            "fooling": losses.cross_entropy(fake, 1.0),
            "fooling_mix": losses.cross_entropy(fake_mix, 1.0),
            "fooling_class": losses.cross_entropy(fake_class, 1.0),
            "class_of_mix": losses.cross_entropy(class_of_mix, labels_mixed),
            "consistency": tf.add_n(tf.split(again, 2)),  # eq. 5's and eq. 6's
            "real": losses.cross_entropy(real, 1.0),
            "fake": losses.cross_entropy(fake, 0.0),
            "fake_mix": losses.cross_entropy(fake_mix, 0.0),
            "fake_class": losses.cross_entropy(fake_class, 0.0),
            "class": losses.cross_entropy(class_of_image, labels),
        }

    def get_config(self) -> dict:
        return super().get_config() | {"soft": self.soft}
