"""Trained models outside Keras: a SavedModel, a LiteRT (TFLite) file, a TF Serving directory.

None of them needs Keras or kerasinterp to run. Their signatures are what a model offers: an encoder, a decoder (or a
generator), a way to mix latents. A file or folder appears under its name only when it is whole.
"""

from kerasinterp.exporting.formats import export_as as export_as
from kerasinterp.exporting.image_files import from_files as _from_files  # noqa: F401
from kerasinterp.exporting.saved_model import export_saved_model as export_saved_model
from kerasinterp.exporting.serving import export_serving as export_serving
from kerasinterp.exporting.tflite import PRECISIONS as PRECISIONS
from kerasinterp.exporting.tflite import export_tflite as export_tflite
