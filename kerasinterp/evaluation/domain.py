"""Does a generated image belong to the domain that the model was trained on, or to that of its seeds?"""

import keras
import numpy as np

from kerasinterp.errors import InputError
from kerasinterp.evaluation.classifier import Classifier, train_classifier

SOURCE, TARGET = 0, 1


def train_domain_classifier(source_images: np.ndarray, target_images: np.ndarray, **settings: object) -> Classifier:
    """Trains a two-class classifier: source images (class 0) against target images (class 1).

    Both domains are drawn equally often, whatever their sizes, and `accuracy` is the mean of the two domains' shares
    of held-out images that are recognised. Below about 0.98 its verdicts say more about itself than about a model.

    Args:
        source_images: uint8 (N, H, W, C), the domain that the models were trained on.
        target_images: uint8 (M, H, W, C), the domain of the seeds.
        settings: further arguments of `train_classifier`.

    Raises:
        InputError: as `train_classifier`, or images of two sizes.

    Source: AugIntAE A.1 and A.3.
    """
    source_images, target_images = np.asarray(source_images), np.asarray(target_images)
    if source_images.shape[1:] != target_images.shape[1:]:
        raise InputError(
            f"source images are {source_images.shape[1:]} and target images {target_images.shape[1:]}: give one size."
        )
    labels = np.repeat([SOURCE, TARGET], [len(source_images), len(target_images)])
    return train_classifier(np.concatenate([source_images, target_images]), labels, 2, **settings)


def domain_of_classes(classifier: Classifier, source_classes: int) -> Classifier:
    """A domain classifier made of one that tells classes apart: a domain's probability is the sum of its classes'.

    Args:
        classifier: trained on the source's classes (0 to `source_classes` - 1) and the target's (the others).
        source_classes: how many classes belong to the source domain.

    Returns:
        Its `recalls` are the shares of held-out images of each domain whose likeliest class is of that domain.

    Raises:
        InputError: one of the domains has no class.
    """
    confusion = classifier.confusion
    if not 0 < source_classes < len(confusion):
        raise InputError(f"source_classes is {source_classes} of {len(confusion)} classes: leave a class a domain.")
    target = np.arange(len(confusion)) >= source_classes
    belongs = np.stack([~target, target], axis=1).astype(np.float32)
    total = keras.layers.Dense(2, use_bias=False, trainable=False, name="domain")
    model = keras.Model(classifier.model.input, total(classifier.model.output))
    total.set_weights([belongs])
    return Classifier(model, belongs.T @ confusion @ belongs)


def misclassification(classifier: Classifier, images: np.ndarray) -> float:
    """The share of `images`, in 0..1, that the domain classifier takes for the source domain: table 2's error.

    Args:
        classifier: from `train_domain_classifier`.
        images: (N, H, W, C) generated from target seeds, float in [-1, 1] or uint8.

    Raises:
        InputError: images of another shape or range.
    """
    return float(np.mean(classifier.predict(images) == SOURCE))
