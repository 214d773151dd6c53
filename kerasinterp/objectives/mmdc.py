"""Multi-modal deep clustering."""

import dataclasses
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.data.examples import Examples
from kerasinterp.errors import InputError
from kerasinterp.nn.net import Net
from kerasinterp.objectives.batch import needs_places
from kerasinterp.objectives.objective import Objective
from kerasinterp.objectives.player import Player
from kerasinterp.ops import assignment, losses, replicas
from kerasinterp.ops.mixing import on_sphere
from kerasinterp.ops.parts import in_parts
from kerasinterp.ops.views import DRAWS, OF_PHOTOGRAPHS, Views, quarters
from kerasinterp.typed import as_type


@keras.saving.register_keras_serializable("kerasinterp")
class MMDC(Objective):
    """Images learn places among targets on the unit sphere, and so form clusters (COLA 3.1; Shiran & Weinshall, 2021).

        t_i = (e_k + s n) / |.| in R^K,  e_k a one-hot mean, each as often,  n ~ N(0, I);  given to images at random
        t_i <- t_pi(i),  pi = argmin sum_b |E(x_i) - t_pi(i)| in a batch b (eq. 3.2);  min over E:  |E(v(x_i)) - t_i|^2
        in the epochs between:  min over E:  cross-entropy of which of its four orientations an image has (RotNet)

    E(x) has length 1, x is a plain view, v(x) a random one. Each player has its own optimizer for the trunk too.

    Args:
        count: N, how many images there are; a recipe takes it from the data. K is the latents' size.
        deviation: s, 0 as in guysrn/mmdc.
        views: what v may be, or a dictionary of it; RotNet turns crops.
        refined_after: after so many epochs of clustering, and after each later one, targets are the one-hot means of
            what k-means finds in all images' codes, and are no longer assigned in batches; 0 for never.
        trunk: images -> representations, from which code_head makes codes (B, K), and orientation_head logits (B, 4).
    """

    players = (
        Player("clusters", networks=("trunk", "code_head"), terms=("assignment",), turn=(1, 2)),
        Player("orientations", networks=("trunk", "orientation_head"), terms=("orientation",), turn=(0, 2)),
    )
    networks = {"code_head": Net("latent_head")}
    form = ("images", {"places": True})

    def __init__(
        self,
        *,
        count: int = 1,
        deviation: float = 0.0,
        views: Views = OF_PHOTOGRAPHS,
        refined_after: int = 0,
        **others: Any,
    ):
        super().__init__(**others)
        self.supports_jit = False  # Keras'; of the assignment
        if len(self.image_shape) != 3 or len(set(self.image_shape[:2])) > 1:
            raise InputError(f"MMDC turns images by quarters: give square ones, not {self.image_shape}.")
        if count < 1 or deviation < 0.0 or refined_after < 0:
            raise InputError("MMDC's count is 1 or more, deviation and refined_after are 0 or more.")
        self.views, self.deviation, self.refined_after = as_type(Views, views, "views"), deviation, refined_after
        targets = assignment.targets(count, self.latent_shape[-1], deviation, self.seed)
        same = {"shape": targets.shape, "initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
        self.targets = self.add_weight(name="targets", **same)
        self.targets.assign(targets)
        self.codes = self.add_weight(name="codes", **same)  # of each image when it was last seen
        self.rounds = self.add_weight(**same | {"shape": (), "dtype": "int64"}, name="rounds")

    def begin(self, examples: Examples) -> None:
        if len(examples) != (count := self.targets.shape[0]):
            raise InputError(f"MMDC is for {count} images, and here are {len(examples)}: build it with their count.")

    def terms(self, batch: dict[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        needs_places(batch, self)
        images, idle, found = batch["c"], self.idle(training), {}
        draws = self.uniform(tf.shape(images)[0], DRAWS)
        if "assignment" not in idle:
            codes = tf.stop_gradient(self(images, training=training))
            own = tf.cast(tf.gather(self.targets.value, batch["place"]), codes.dtype)
            found |= {"codes": codes, "place": batch["place"]}
            found["targets"] = tf.where(self.refines(), own, assignment.of_batch(codes, own, batch["place"]))
            varied = self.embed(self.views.varied(images, draws), training)
            found["assignment"] = losses.squared_error(found["targets"], varied)
        if "orientation" not in idle:
            turned = quarters(self.views.cropped(images, draws))
            logits = self.orientation_head(self.trunk(turned, training=training), training=training)
            found["orientation"] = losses.orientation_error(logits)
        return found

    def after_update(self, outputs: dict[str, tf.Tensor]) -> None:
        for name in ("targets", "codes") if "place" in outputs else ():
            rows = tf.IndexedSlices(*(replicas.whole(outputs[key]) for key in (name, "place")))
            getattr(self, name).value.scatter_update(rows)

    def after_epoch(self) -> None:
        self.rounds.assign_add(int("assignment" not in self.idle()))
        if self.refines() and "assignment" not in self.idle():
            self.targets.assign(assignment.refined(self.codes.numpy(), self.targets.numpy()))

    def refines(self) -> tf.Tensor:
        """Whether targets come from k-means."""
        return (self.refined_after > 0) & (self.rounds.value >= self.refined_after)

    def embed(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """E: views (B, H, W, C) in [-1, 1] -> codes of length 1 (B, K)."""
        return on_sphere(self.code_head(self.trunk(images, training=training), training=training))

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.embed(self.views.plain(images), training)

    def clusters_of(self, images: np.ndarray) -> np.ndarray:
        """The clusters, int64 (N,) in 0 .. K - 1, of images float32 (N, H, W, C) in [-1, 1]."""
        return in_parts(tf.function(self), images).argmax(axis=1)

    def get_config(self) -> dict:
        own = {"count": self.targets.shape[0], "deviation": self.deviation, "refined_after": self.refined_after}
        return super().get_config() | own | {"views": dataclasses.asdict(self.views)}
