import pytest
from networks import make

from kerasinterp import objectives


@pytest.fixture(scope="session")
def trained():
    return make(objectives.AugIntAE)


@pytest.fixture
def preset(trained, tmp_path):
    """A folder that may be damaged."""
    trained.save_to_preset(tmp_path / "letters")
    return tmp_path / "letters"
