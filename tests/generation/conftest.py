import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # tests are imported by path: stand_in.py is found here

from stand_in import StandIn


@pytest.fixture(scope="session")
def model() -> StandIn:
    return StandIn()
