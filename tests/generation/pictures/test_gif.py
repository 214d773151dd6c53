import numpy as np
import pytest
from PIL import Image
from stand_in import SHAPE, images

from kerasinterp.errors import InputError
from kerasinterp.generation import save_gif


def test_gif_runs_there_and_back(tmp_path):
    frames = np.linspace(-1, 1, 5, dtype=np.float32).reshape(5, 1, 1, 1) * np.ones((5, *SHAPE), np.float32)
    with Image.open(save_gif(tmp_path / "path.gif", frames, fps=10, scale=2)) as animation:
        levels, times = [], []
        for k in range(animation.n_frames):
            animation.seek(k)
            levels.append(animation.convert("L").getpixel((3, 3)))
            times.append(animation.info["duration"])
        assert animation.size == (8, 8) and animation.info["loop"] == 0
    assert levels == [0, 64, 128, 191, 255, 191, 128, 64]
    assert times == [100] * 8


def test_unusable_frames_get_one_sentence(tmp_path):
    with pytest.raises(InputError, match="1 to 50"):
        save_gif(tmp_path / "x.gif", images(2), fps=0)
    with pytest.raises(InputError, match=r"\.gif"):
        save_gif(tmp_path / "x.png", images(2))
    assert not list(tmp_path.iterdir())
