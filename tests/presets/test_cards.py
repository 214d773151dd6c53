import json

import pytest

from kerasinterp.errors import InputError
from kerasinterp.presets import cards

MEASURED = {
    "target": "omniglot",
    "split": "test",
    "shots": 5,
    "model": "AugIntAE",
    "rows": {
        "AugIntAE": {"class_fidelity": 0.9312, "turning_error": 0.01234, "l2": 21.04, "oracle_accuracy": 0.9451},
        "pixel_fade": {"class_fidelity": 0.9712, "turning_error": 0.0403, "l2": None},
    },
}
CARD = {
    "name": "letters",
    "description": "Letters of many scripts.",
    "class": "AugIntAE",
    "image_shape": [28, 28, 1],
    "latent_shape": [7, 7, 4],
    "parameters": 447115,
    "data": {
        "description": "Omniglot's training alphabets",
        "licence": "MIT",
        "source": "omniglot",
        "split": "train",
        "images": 19280,
    },
    "training": {
        "images_seen": 1002560,
        "date": "2026-11-25",
        "versions": {"kerasinterp": "0.2.0", "keras": "3.15.1"},
        "recipe": {"name": "augintae_maps_omniglot", "seed": 0, "schedule": {"precision": "float32"}},
    },
    "processor": "a Zen 3, 2 cores",
    "limits": ["Light strokes on black only."],
    "measures": [MEASURED, MEASURED | {"shots": 2}],
}


def test_the_text_says_all_of_the_card():
    text = cards.text(CARD)
    for part in (
        "# letters\n\nLetters of many scripts.\n",
        "AugIntAE, 447,115 weights in float16; images 28 x 28 x 1, latents 7 x 7 x 4.",
        "Omniglot's training alphabets (omniglot, train: 19,280 images). Licence: MIT.",
        "1,002,560 images seen, recipe augintae_maps_omniglot, seed 0, float32; finished 2026-11-25; "
        "kerasinterp 0.2.0, keras 3.15.1.",
        "Made into a preset on a Zen 3, 2 cores.",
        "- Limit: Light strokes on black only.",
        "## omniglot, test: classes not seen, 5 seeds\n\n| | class fidelity | turning error | L2 (0 to 255) |\n"
        "|---|---|---|---|\n| AugIntAE | 0.931 | 0.0123 | 21 |\n| pixel fade | 0.971 | 0.0403 |  |\n",
        # The turning error and L2 do not depend on the seeds' number: once.
        "## omniglot, test: classes not seen, 2 seeds\n\n| | class fidelity |\n|---|---|\n| AugIntAE | 0.931 |\n",
        "knows 94.5% of held-out images",
    ):
        assert part in text
    assert "not measured" not in text


def test_what_is_not_known_is_left_out():
    text = cards.text({key: CARD[key] for key in ("name", "class", "image_shape", "latent_shape", "parameters")})
    assert text.startswith("# letters\n\n- Model: AugIntAE") and text.count("\n") == 3
    assert "was not measured" in cards.text(CARD | {"measures": []})


def test_the_fidelity_in_a_few_words():
    assert cards.fidelity(CARD) == "93.1% from 5 seeds, 93.1% from 2 seeds"
    unmeasured = MEASURED | {"rows": {"AugIntAE": {"class_fidelity": None}}}
    assert cards.fidelity(CARD | {"measures": [unmeasured]}) == cards.fidelity({}) == "not measured"


@pytest.mark.parametrize(
    ("content", "message"), [(None, "it has no card.json"), ("{", "cannot be read"), ("[]", "it is no dictionary")]
)
def test_a_damaged_card_is_a_sentence(tmp_path, content, message):
    if content is not None:
        (tmp_path / "card.json").write_text(content)
    with pytest.raises(InputError, match=message):
        cards.read_card(tmp_path)


def test_a_card_is_read(tmp_path):
    (tmp_path / "card.json").write_text(json.dumps(CARD))
    assert cards.read_card(tmp_path) == CARD
