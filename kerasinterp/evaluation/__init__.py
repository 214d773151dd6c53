"""Measures of generated images, of interpolations and of codes, each a function and a figure, and a report of some."""

from kerasinterp.evaluation.augmentation import Augmentation, draw_augmentation, table_of_augmentation
from kerasinterp.evaluation.classifier import Classifier, train_classifier
from kerasinterp.evaluation.clusters import clustering_accuracy, normalised_mutual_information
from kerasinterp.evaluation.codes import cluster_distance, clustering, draw_codes, probe
from kerasinterp.evaluation.conditions import admissibility, draw_admissibility, near, pixel_distance
from kerasinterp.evaluation.distances import (
    frechet_distance,
    kernel_distance,
    kernel_distance_and_deviation,
    sliced_wasserstein,
)
from kerasinterp.evaluation.diversity import diversity_novelty
from kerasinterp.evaluation.domain import domain_of_classes, misclassification, train_domain_classifier
from kerasinterp.evaluation.few_shot import FewShot, Judges, evaluate, train_judges
from kerasinterp.evaluation.few_shot_figure import draw_few_shot, draw_usefulness
from kerasinterp.evaluation.fidelity import SeedSets
from kerasinterp.evaluation.frequencies import draw_noise, frequencies_of, noise, noise_errors
from kerasinterp.evaluation.inception_v3 import inception
from kerasinterp.evaluation.line_interpolations import draw_lines, lines
from kerasinterp.evaluation.manifold import density_coverage, precision_recall
from kerasinterp.evaluation.mixed_codes import (
    bernoulli_parameters,
    consistency,
    draw_bernoulli_parameters,
    draw_mixes,
    mixes,
)
from kerasinterp.evaluation.pixels import l2_error, squared_error_255
from kerasinterp.evaluation.sample_size import (
    draw_sample_size,
    hoeffding_bound,
    most_real,
    sufficient_for_confidence,
    sufficient_for_error,
)
from kerasinterp.evaluation.seed_sets import augmented_of_sets, fade_of_sets, few_shot_of_sets, usual_transformations
from kerasinterp.evaluation.turning import draw_turning, turning_between, turning_error
from kerasinterp.evaluation.usefulness import Usefulness
from kerasinterp.evaluation.views import departure, draw_departure, draw_in_between, draw_retrieval, in_between

__all__ = [
    "Augmentation",
    "Classifier",
    "FewShot",
    "Judges",
    "SeedSets",
    "Usefulness",
    "admissibility",
    "augmented_of_sets",
    "bernoulli_parameters",
    "cluster_distance",
    "clustering",
    "clustering_accuracy",
    "consistency",
    "density_coverage",
    "departure",
    "diversity_novelty",
    "domain_of_classes",
    "draw_admissibility",
    "draw_augmentation",
    "draw_bernoulli_parameters",
    "draw_codes",
    "draw_departure",
    "draw_few_shot",
    "draw_in_between",
    "draw_lines",
    "draw_mixes",
    "draw_noise",
    "draw_retrieval",
    "draw_sample_size",
    "draw_turning",
    "draw_usefulness",
    "evaluate",
    "fade_of_sets",
    "few_shot_of_sets",
    "frechet_distance",
    "frequencies_of",
    "hoeffding_bound",
    "in_between",
    "inception",
    "kernel_distance",
    "kernel_distance_and_deviation",
    "l2_error",
    "lines",
    "misclassification",
    "mixes",
    "most_real",
    "near",
    "noise",
    "noise_errors",
    "normalised_mutual_information",
    "pixel_distance",
    "precision_recall",
    "probe",
    "sliced_wasserstein",
    "squared_error_255",
    "sufficient_for_confidence",
    "sufficient_for_error",
    "table_of_augmentation",
    "train_classifier",
    "train_domain_classifier",
    "train_judges",
    "turning_between",
    "turning_error",
    "usual_transformations",
]
