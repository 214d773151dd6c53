"""Which networks each term's gradient reaches, as the papers' equations say, and that it is the term's slope."""

import networks
import pytest
from objective_test_case import gradients_of_terms

from kerasinterp import objectives
from kerasinterp.objectives import OBJECTIVES
from kerasinterp.ops.mixing import Bernoulli, Linear, PerFeature, Spherical

BOTH = {"encoder", "decoder"}
JUDGE = {"discriminator"}

# Of each term, at the networks of the player that minimises it; a new system brings its own row.
REACHED = {
    "AAE": {
        "reconstruction": BOTH,
        "fooling": {"encoder"},
        "prior": {"latent_discriminator"},
        "code": {"latent_discriminator"},
    },
    # ACAI eq. 2-3: the autoencoder is told by the critic what its interpolations gave away.
    "ACAI": {"reconstruction": BOTH, "fooling": BOTH, "coefficient": {"critic"}, "blend": {"critic"}},
    "AE": {"reconstruction": BOTH, "adversarial": BOTH, "real": JUDGE, "fake": JUDGE},
    # AEAI eq. 1: each of the four losses is a function of encoder and decoder.
    "AEAI": {
        "reconstruction": BOTH,
        "adversarial": BOTH,
        "cycle": BOTH,
        "smoothness": BOTH,
        "real": JUDGE,
        "fake": JUDGE,
    },
    # AMR eq. 5
    "AMR": {
        "reconstruction": BOTH,
        "fooling": BOTH,
        "fooling_mix": BOTH,
        "consistency": BOTH,
        "real": JUDGE,
        "fake": JUDGE,
        "fake_mix": JUDGE,
    },
    "ARAE": {"reconstruction": BOTH, "fooling": BOTH, "real": JUDGE, "fake": JUDGE},
    # Gulrajani et al., algorithm 1
    "DAGAN": {"penalty": {"critic"}, "difference": {"critic"}, "fooling": BOTH},
    "CGANPD": {"real": JUDGE, "fake": JUDGE, "fooling": {"generator"}},  # Miyato and Koyama
    "DenoisingAE": {"reconstruction": BOTH},
    "GAIA": {"generation": BOTH, "distances": {"encoder"}, "judgement": {"judge_encoder", "judge_decoder"}},
    "GLO": {"reconstruction": {"generator", "table"}},
    "Inversion": {"code": {"encoder"}},  # AugIntAE A.2: the generator is fixed
    "MMDC": {"assignment": {"trunk", "code_head"}, "orientation": {"trunk", "orientation_head"}},  # C.1
    # Edwards and Storkey: p(z|c) has no part in what is decoded, nor z in the context's divergence.
    "NeuralStatistician": {
        "reconstruction": {"image_encoder", "statistic_network", "inference_network", "observation_decoder"},
        "context_divergence": {"image_encoder", "statistic_network"},
        "latent_divergence": {"image_encoder", "statistic_network", "inference_network", "latent_decoder"},
    },
    "PlainAE": {"reconstruction": BOTH},
    # AMR eq. 6: the mixer has no part in what is reconstructed or mixed without labels.
    "SupervisedAMR": {
        "reconstruction": BOTH,
        "fooling": BOTH,
        "fooling_mix": BOTH,
        "consistency": BOTH | {"mixer"},
        "fooling_class": BOTH | {"mixer"},
        "class_of_mix": BOTH | {"mixer"},
        "real": JUDGE,
        "fake": JUDGE,
        "fake_mix": JUDGE,
        "fake_class": JUDGE,
        "class": JUDGE,
    },
    "VAE": {"reconstruction": {"posterior", "decoder"}, "divergence": {"posterior"}},
    "WGANGP": {"penalty": {"critic"}, "difference": {"critic"}, "fooling": {"generator"}},
}
REACHED |= {"SCOLA": REACHED["GLO"], "COLA": REACHED["GLO"]}  # COLA eq. 3.3
REACHED |= {"IntAE": REACHED["AE"], "AugIntAE": REACHED["AE"], "BetaVAE": REACHED["VAE"]}
# Constants of a step: GAIA's w, p and balance; supervised AMR's sampled mask, less the mixer's probabilities.
HELD = {"GAIA": "self._squashed", "SupervisedAMR": "stop_gradient"}


def check(name, **options):
    cls = OBJECTIVES[name]
    found = gradients_of_terms(lambda: networks.make(cls, **options), networks.batch_for(cls), HELD.get(name, ""))
    assert found == REACHED[name]


@pytest.mark.parametrize("name", REACHED)
def test_gradients_reach_what_the_papers_say(name):
    check(name)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("AEAI", {"points": 2}),
        ("AEAI", {"mixing": Spherical()}),
        ("AEAI", {"reconstruction_loss": "absolute"}),
        ("AMR", {"mixing": Bernoulli()}),
        ("AMR", {"mixing": PerFeature()}),
        ("SupervisedAMR", {"mixing": Linear()}),
        ("AE", {"joint": False}),
        ("CGANPD", {"augmentation": ("color", "translation", "cutout")}),
        ("IntAE", {"mixing": Linear(), "reconstruction_loss": "squared"}),
        ("ACAI", {"mixing": Spherical()}),
    ],
)
def test_gradients_with_other_options(name, options):
    check(name, **options)


def test_soft_masks_hold_nothing():
    cls = objectives.SupervisedAMR
    found = gradients_of_terms(lambda: networks.make(cls, soft=True), networks.batch_for(cls))
    assert found == REACHED["SupervisedAMR"]
