"""A preset's card: what is known of its model, for the code (`card.json`) and for people (`README.md`)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasinterp.errors import InputError
from kerasinterp.files import read_text
from kerasinterp.presets.finding import CARD

# The measures that the text shows; the card has all.
_SHOWN = {
    "class_fidelity": "class fidelity",
    "turning_error": "turning error",
    "l2": "L2 (0 to 255)",
    "kernel": "kernel distance",
    "diversity": "diversity",
    "novelty": "novelty",
    "copies": "copies",
}
_WHATEVER_SHOTS = ("turning_error", "l2", "kernel")  # of pairs, or of single images


def read_card(folder: Path) -> dict[str, Any]:
    """The content of a preset's `card.json`.

    Raises:
        InputError: it has none, or it is damaged.
    """
    path = folder / CARD
    try:
        card = json.loads(read_text(path))
        if not isinstance(card, dict):
            raise ValueError("it is no dictionary")
    except FileNotFoundError:
        raise InputError(f"{folder} is incomplete: it has no {CARD}; bring it back.") from None
    except (OSError, ValueError, RecursionError) as error:
        why = " ".join(str(error).split()).rstrip(".")
        raise InputError(f"{path} cannot be read ({why}): bring it back.") from error
    return card


def fidelity(card: Mapping[str, Any]) -> str:
    """The class fidelity on classes not seen, for each measurement of the card, in a few words."""
    found = [
        f"{100 * row['class_fidelity']:.1f}% from {one['shots']} seeds"
        for one in card.get("measures", [])
        if isinstance((row := one["rows"][one["model"]]).get("class_fidelity"), float)
    ]
    return ", ".join(found) or "not measured"


def shape(card: Mapping[str, Any]) -> str:
    """The shape of the images, `28 x 28 x 1`."""
    return " x ".join(map(str, card["image_shape"]))


def text(card: Mapping[str, Any]) -> str:
    """The card for people, in Markdown."""
    lines = [f"# {card['name']}", ""]
    if "description" in card:
        lines += [card["description"], ""]
    lines += [
        f"- Model: {card['class']}, {card['parameters']:,} weights in float16; images {shape(card)}, "
        f"latents {' x '.join(map(str, card['latent_shape']))}."
    ]
    if "data" in card:
        data = card["data"]
        lines += [
            f"- Data: {data['description']} ({data['source']}, {data['split']}: {data['images']:,} images). "
            f"Licence: {data['licence']}."
        ]
    if "training" in card:
        training = card["training"]
        versions = ", ".join(f"{name} {version}" for name, version in training["versions"].items())
        lines += [
            f"- Training: {training['images_seen']:,} images seen, recipe {training['recipe']['name']}, seed "
            f"{training['recipe']['seed']}, {training['recipe']['schedule']['precision']}; finished "
            f"{training['date']}; {versions}.",
            f"- Made into a preset on {card['processor']}.",
        ]
    lines += [f"- Limit: {limit}" for limit in card.get("limits", [])]
    told = set()
    for one in card.get("measures", []):
        target = f"{one['target']}, {one['split']}"
        shown = {key: title for key, title in _SHOWN.items() if target not in told or key not in _WHATEVER_SHOTS}
        lines += ["", f"## {target}: classes not seen, {one['shots']} seeds", "", *_table(one, shown)]
        told.add(target)
    if "training" in card and not card.get("measures"):
        lines += ["", "It was not measured on classes that it has not seen."]
    return "\n".join(lines) + "\n"


def _table(measured: Mapping[str, Any], columns: Mapping[str, str]) -> list[str]:
    rows = measured["rows"]
    shown = {key: title for key, title in columns.items() if any(row.get(key) is not None for row in rows.values())}
    lines = [f"| | {' | '.join(shown.values())} |", "|---" * (len(shown) + 1) + "|"]
    for name, row in rows.items():
        cells = ["" if row.get(key) is None else f"{row[key]:.3g}" for key in shown]
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |")
    accuracy = rows[measured["model"]].get("oracle_accuracy")
    if accuracy is not None:
        lines += ["", f"The oracle of class fidelity knows {100 * accuracy:.1f}% of held-out images."]
    return lines
