"""The mark in pictures that are drawn for people (grids, figures, animations), so that nobody learns from them."""

from PIL import Image, PngImagePlugin

_TEXT = "kerasinterp picture"
# Of a PNG: what matplotlib's `savefig(metadata=...)` takes.
METADATA = {"Software": _TEXT}


def marking(kind: str) -> dict[str, object]:
    """What Pillow's `Image.save` takes to mark a picture of that kind, `PNG` or `GIF`."""
    if kind == "GIF":
        return {"comment": _TEXT.encode()}
    information = PngImagePlugin.PngInfo()
    for key, text in METADATA.items():
        information.add_text(key, text)
    return {"pnginfo": information}


def is_marked(picture: Image.Image) -> bool:
    """Whether an opened picture, of which nothing need be decoded, bears the mark."""
    return picture.info.get("Software") == _TEXT or picture.info.get("comment") == _TEXT.encode()
