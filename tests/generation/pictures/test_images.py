import numpy as np
from PIL import Image
from stand_in import images

from kerasinterp.generation import save_images


def test_images_are_written_one_by_one(tmp_path):
    made = np.rint((images(12, shape=(4, 6, 3)) + 1) * 127.5).astype(np.uint8)
    files = save_images(tmp_path / "new", made)
    assert [file.name for file in files] == [f"generated_{n:04}.png" for n in range(12)]
    for file, image in zip(files, made, strict=True):
        with Image.open(file) as picture:
            np.testing.assert_array_equal(np.asarray(picture), image)
