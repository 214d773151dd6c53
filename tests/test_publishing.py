import json
import os

import pytest
from networks import make

import kerasinterp
from kerasinterp import compare, objectives, processor
from kerasinterp.errors import InputError
from kerasinterp.publishing import publish
from kerasinterp.recipe import find
from kerasinterp.run import Run

SAID = {"description": "For letters.", "data": "Digits by hand", "licence": "MIT"}
SEEN = 3 * 128  # three steps


@pytest.fixture
def run(tmp_path):
    """A finished run of three steps, measured."""
    run = Run(tmp_path / "run")
    recipe = find("augintae_mnist").change(source=str(tmp_path / "scans"), seed=5, batch_size=128)
    run.begin(recipe, {"count": 600, "fingerprint": "e144"}, {})
    model = make(objectives.AugIntAE)
    model.step.assign(3)
    model.save(run.model)
    os.utime(run.model, (1.8e9, 1.8e9))
    report(run.folder / "report.json")
    return run


def report(path, seen=SEEN, shots=5, **more):
    protocol = {
        "source": str(path.parent / "scans"),
        "samples": 500,
        "target": {"target": "emnist/letters", "target_split": "test", "shots": shots},
    }
    rows = {
        "AugIntAE": {"images_seen": seen, "class_fidelity": 0.9312, "class_fidelity_by_class": {"A": 1.0}},
        "pixel_fade": {"class_fidelity": 0.98},
    }
    path.write_text(json.dumps(rows | more | {"protocol": protocol}))
    return path


def test_the_card_has_the_runs_own_figures(run, tmp_path):
    folder, notes = publish(run.folder, tmp_path / "letters", limits=["Light on black."], **SAID)
    assert folder == tmp_path / "letters" and not notes
    card = json.loads((folder / "card.json").read_text())
    assert card["name"] == "letters" and card["description"] == "For letters." and card["limits"] == ["Light on black."]
    assert card["data"] == {
        "description": "Digits by hand",
        "licence": "MIT",
        "source": "scans",  # no place of this machine
        "split": "train",
        "images": 600,
        "fingerprint": "e144",
    }
    training = card["training"]
    assert training["images_seen"] == SEEN and training["date"] == "2027-01-15"
    assert training["recipe"]["seed"] == 5 and training["recipe"]["data"]["source"] == "scans"
    assert training["versions"]["kerasinterp"] == kerasinterp.__version__ and card["processor"] == processor.describe()
    (measured,) = card["measures"]
    assert (measured["target"], measured["split"], measured["shots"]) == ("emnist/letters", "test", 5)
    assert measured["rows"] == {
        "AugIntAE": {"images_seen": SEEN, "class_fidelity": 0.9312},
        "pixel_fade": {"class_fidelity": 0.98},
    }
    assert measured["protocol"] == {"source": "scans", "samples": 500}
    assert str(tmp_path) not in "".join((folder / name).read_text() for name in ("card.json", "README.md"))
    assert type(kerasinterp.from_preset(folder)) is objectives.AugIntAE


def test_reports_from_elsewhere(run, tmp_path):
    two, five = report(tmp_path / "two.json", shots=2), report(tmp_path / "five.json", AE={"images_seen": 9})
    folder, _ = publish(run.folder, tmp_path / "out", name="mine", reports=[two, five], **SAID)
    card = json.loads((folder / "card.json").read_text())
    assert card["name"] == "mine" and [one["shots"] for one in card["measures"]] == [2, 5]
    assert "AE" not in card["measures"][1]["rows"]


def test_a_run_without_a_report(run, tmp_path):
    (run.folder / "report.json").unlink()
    folder, notes = publish(run.folder, tmp_path / "out", **SAID)
    assert json.loads((folder / "card.json").read_text())["measures"] == []
    assert len(notes) == 1 and "has no report.json" in notes[0]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: run.model.unlink(), "has no final model"),
        (lambda run: run.recipe_file.unlink(), "is no run folder"),
        (lambda run: report(run.folder / "report.json", seen=1), "does not measure one AugIntAE of 384 images"),
        (
            lambda run: report(run.folder / "report.json", **{"AugIntAE seed 1": {"images_seen": SEEN}}),
            "does not measure one",
        ),
        (lambda run: (run.folder / "report.json").write_text("{"), "is no few-shot report"),
        (lambda run: (run.folder / "report.json").write_text('{"protocol": {"samples": 9}}'), "is no few-shot report"),
    ],
)
def test_what_cannot_be_a_preset(run, tmp_path, spoil, message):
    spoil(run)
    with pytest.raises(InputError, match=message):
        publish(run.folder, tmp_path / "out", **SAID)
    assert not (tmp_path / "out").exists()


def test_a_preset_that_is_there(run, tmp_path):
    publish(run.folder, tmp_path / "out", **SAID)
    with pytest.raises(InputError, match="already holds a preset"):
        publish(run.folder, tmp_path / "out", **SAID)
    publish(run.folder, tmp_path / "out", overwrite=True, **SAID | {"licence": "CC0"})
    assert "CC0" in (tmp_path / "out" / "README.md").read_text()
    with pytest.raises(InputError, match="there is no report"):
        publish(run.folder, tmp_path / "other", reports=[tmp_path / "none.json"], **SAID)


def test_a_preset_is_evaluated_by_its_own_recipe(run, tmp_path):
    folder, _ = publish(run.folder, tmp_path / "out", **SAID)
    with pytest.raises(InputError, match="scans"):  # the data that its recipe names, which is not here
        compare.evaluate([folder], tmp_path / "report")
