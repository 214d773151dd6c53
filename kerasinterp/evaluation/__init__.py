"""Measures of generated images: distances, domain misclassification, pixel errors, and a report of them all."""

from kerasinterp.evaluation.classifier import Classifier, train_classifier
from kerasinterp.evaluation.distances import frechet_distance, kernel_distance, sliced_wasserstein
from kerasinterp.evaluation.domain import domain_of_classes, misclassification, train_domain_classifier
from kerasinterp.evaluation.evaluate import Judges, evaluate, train_judges
from kerasinterp.evaluation.inception import inception
from kerasinterp.evaluation.pixels import l2_error, squared_error_255
from kerasinterp.evaluation.report import write_report

__all__ = [
    "Classifier",
    "Judges",
    "domain_of_classes",
    "evaluate",
    "frechet_distance",
    "inception",
    "kernel_distance",
    "l2_error",
    "misclassification",
    "sliced_wasserstein",
    "squared_error_255",
    "train_classifier",
    "train_domain_classifier",
    "train_judges",
    "write_report",
]
