"""Images from datasets, folders and arrays, data with known in-betweens, and the batches that objectives learn from."""

import sys

# Before any module of the package imports TensorFlow, which may import Keras: with that, the objectives are registered,
# which need these modules.
from kerasinterp import _keras  # noqa: F401
from kerasinterp.data.convert import as_array, check_range, check_values, from_array, to_float, to_uint8
from kerasinterp.data.datasets import Source, load, sources
from kerasinterp.data.examples import Examples
from kerasinterp.data.folder import from_folder, image_files, read_image
from kerasinterp.data.forms.images import batches
from kerasinterp.data.forms.pairs import pairs
from kerasinterp.data.forms.sets import sets
from kerasinterp.data.forms.triplets import HANDWRITTEN, NATURAL, Transformations, triplets
from kerasinterp.data.generated import glyphs, glyphs_scripts, lines, pole, spiral
from kerasinterp.data.ink import fit_ink, ink_note, read_ink
from kerasinterp.data.loading import images, load_examples
from kerasinterp.data.notes import Note
from kerasinterp.data.turns import Views, views

__all__ = [
    "HANDWRITTEN",
    "NATURAL",
    "Examples",
    "Note",
    "Source",
    "Transformations",
    "Views",
    "as_array",
    "batches",
    "check_range",
    "check_values",
    "fit_ink",
    "from_array",
    "from_folder",
    "glyphs",
    "glyphs_scripts",
    "image_files",
    "images",
    "ink_note",
    "lines",
    "load",
    "load_examples",
    "pairs",
    "pole",
    "read_image",
    "read_ink",
    "sets",
    "sources",
    "spiral",
    "to_float",
    "to_uint8",
    "triplets",
    "views",
]

# `import kerasinterp.data.lines` goes on working.
for _module in (glyphs, glyphs_scripts, lines, pole, spiral):
    sys.modules[f"{__name__}.{_module.__name__.rpartition('.')[2]}"] = _module
