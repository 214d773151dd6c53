"""The VAE with a heavier prior."""

import keras

from kerasinterp.objectives.vae import VAE


@keras.saving.register_keras_serializable("kerasinterp")
class BetaVAE(VAE):
    """The VAE whose divergence weighs beta (Higgins et al., 2017); beta is `weights["divergence"]`."""

    weights_of_terms = {"reconstruction": 0.5, "divergence": 4.0}  # the value of Higgins et al.'s CelebA and 3D faces
