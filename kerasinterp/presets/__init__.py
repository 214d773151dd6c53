"""Presets: trained models as small folders, some of which ship with the package, in a folder each beside this file.

A preset's folder holds `config.json` (format, versions and the model's configuration), `weights.npz` (float16),
`card.json` (what is known of the model: data, licence, training, measures, limits) and `README.md` (the card, to be
read). `kerasinterp.from_preset` loads one by its name or folder, a model's `save_to_preset` writes one, and
`kerasinterp preset` makes one of a run, with its card.
"""

from kerasinterp.presets.cards import read_card
from kerasinterp.presets.finding import find, folder_of, shipped

__all__ = ["find", "folder_of", "read_card", "shipped"]
