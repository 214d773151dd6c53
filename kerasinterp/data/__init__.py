"""Images from datasets, folders and arrays, data with known in-betweens, and the batches that objectives learn from."""

import sys

# Before any module of the package imports TensorFlow, which may import Keras: with that, the objectives are registered,
# which need these modules.
from kerasinterp import _keras  # noqa: F401
from kerasinterp.data.convert import as_array, check_range, check_values, from_array, to_float, to_uint8
from kerasinterp.data.datasets import Source, load, sources
from kerasinterp.data.examples import Examples
from kerasinterp.data.folder import files_of, from_folder, read_image
from kerasinterp.data.forms.images import batches
from kerasinterp.data.forms.pairs import pairs
from kerasinterp.data.forms.sets import sets
from kerasinterp.data.forms.triplets import HANDWRITTEN, NATURAL, Transformations, triplets, usual_ranges
from kerasinterp.data.generated import glyphs, glyphs_scripts, lines, pole, spiral
from kerasinterp.data.ink import ink_note
from kerasinterp.data.loading import images, is_dataset, load_examples
from kerasinterp.data.notes import Note
from kerasinterp.data.photo import centred_ink, read_photo
from kerasinterp.data.preview import classes_of, looks
from kerasinterp.data.stored import Stored
from kerasinterp.data.turns import Views, views

__all__ = [
    "HANDWRITTEN",
    "NATURAL",
    "Examples",
    "Note",
    "Source",
    "Stored",
    "Transformations",
    "Views",
    "as_array",
    "batches",
    "centred_ink",
    "check_range",
    "check_values",
    "classes_of",
    "files_of",
    "from_array",
    "from_folder",
    "glyphs",
    "glyphs_scripts",
    "images",
    "ink_note",
    "is_dataset",
    "lines",
    "load",
    "load_examples",
    "looks",
    "pairs",
    "pole",
    "read_image",
    "read_photo",
    "sets",
    "sources",
    "spiral",
    "to_float",
    "to_uint8",
    "triplets",
    "usual_ranges",
    "views",
]

# `import kerasinterp.data.lines` goes on working.
for _module in (glyphs, glyphs_scripts, lines, pole, spiral):
    sys.modules[f"{__name__}.{_module.__name__.rpartition('.')[2]}"] = _module
