"""The report's two files."""

import json

import PIL.Image
import pytest

from kerasinterp.errors import InputError
from kerasinterp.evaluation import write_report

ROW = {"fid": 3.0, "fid_reconstruction": 2.0, "misclassification": 0.1, "l2": 20.0}
REPORT = {
    "AE": ROW,
    "AugIntAE": ROW | {"fid": 2.0},
    "pixel_fade": ROW,
    "real": {"fid": 0.5, "misclassification": 0.01},
    "classifier_accuracy": 0.99,
}


def test_one_report_is_written_as_json_and_picture(tmp_path):
    text, picture = write_report(REPORT, tmp_path / "new")
    assert json.loads(text.read_text()) == REPORT
    with PIL.Image.open(picture) as image:
        assert image.format == "PNG"
        assert image.width > image.height > 200
    assert sorted(path.name for path in text.parent.iterdir()) == ["report.json", "report.png"]


def test_reports_in_a_row_become_curves(tmp_path):
    reports = [REPORT | {"images_seen": seen} for seen in (2000, 1000)]
    del reports[0]["AE"]  # a model may be missing at some point
    text, picture = write_report(reports, tmp_path)
    assert [report["images_seen"] for report in json.loads(text.read_text())] == [2000, 1000]
    bars = write_report(REPORT, tmp_path / "bars")[1]
    assert picture.read_bytes() != bars.read_bytes()


@pytest.mark.parametrize(("report", "message"), [({}, "empty"), ([], "empty"), ([REPORT], "images_seen")])
def test_a_report_without_content_is_refused_and_nothing_written(report, message, tmp_path):
    with pytest.raises(InputError, match=message):
        write_report(report, tmp_path)
    assert not list(tmp_path.iterdir())
