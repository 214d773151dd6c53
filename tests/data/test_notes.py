import warnings

import numpy as np
import pytest

from kerasinterp.data import Note, triplets


def test_a_note_points_to_the_line_outside_the_package():
    with pytest.warns(Note, match="black corners") as caught:
        triplets(np.full((1, 4, 4, 1), 255, np.uint8), 1)
    assert caught[0].filename == __file__
    assert issubclass(Note, UserWarning)


def test_a_note_can_be_an_error():
    with warnings.catch_warnings():
        warnings.simplefilter("error", Note)
        with pytest.raises(Note):
            triplets(np.full((1, 4, 4, 1), 255, np.uint8), 1)
