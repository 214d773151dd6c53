import numpy as np
import pytest

from kerasinterp import data
from kerasinterp.data import pole
from kerasinterp.errors import InputError


def _light(altitude, azimuth):
    altitude, azimuth = np.radians([altitude, azimuth])
    level = np.cos(altitude)
    return pole._LIGHT * np.array([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(altitude)])


def _covered(point, light, count=1500):
    """The share of rays from `point` to the light's disc that meet the pole: geometry in space, ray by ray."""
    centre = (light - point) / np.linalg.norm(light - point)
    level = np.cross(centre, [0.0, 0.0, 1.0])
    level /= np.linalg.norm(level)
    turn = np.arange(count) * np.pi * (3 - np.sqrt(5))  # a sunflower: even on the disc
    radius = np.tan(pole._LIGHT_RADIUS) * np.sqrt((np.arange(count) + 0.5) / count)
    rays = centre + radius[:, None] * (np.cos(turn)[:, None] * level + np.sin(turn)[:, None] * np.cross(level, centre))
    a, b = (rays[:, :2] ** 2).sum(1), rays[:, :2] @ point[:2]
    root = b**2 - a * (point[:2] @ point[:2] - pole._RADIUS**2)
    enter = (-b - np.sqrt(np.maximum(root, 0))) / a
    return np.mean((root > 0) & (enter > 0) & (enter * rays[:, 2] < pole._HEIGHT))


@pytest.mark.parametrize("altitude", [45, 60, 80])
def test_shadow_against_rays(altitude):
    rng = np.random.default_rng(altitude)
    light = _light(altitude, 200)
    # Points across the shadow, to a little beyond its tip.
    reach = pole._HEIGHT / np.tan(np.radians(altitude)) * 1.5
    along, across = rng.uniform(0.1, reach, 300), rng.uniform(-0.15, 0.15, 300)
    away = -light[:2] / np.linalg.norm(light[:2])
    points = np.zeros((300, 3))
    points[:, :2] = along[:, None] * away + across[:, None] * np.array([-away[1], away[0]])
    found = pole._shadow(points, light - points, pole._HEIGHT)
    expected = np.array([_covered(point, light) for point in points])
    assert ((expected > 0.05) & (expected < 0.95)).sum() > 30  # of the penumbra
    # The pole's edge is round at the tip, but taken as straight.
    assert np.abs(found - expected).mean() < 0.02
    assert np.abs(found - expected).max() < 0.2


def test_shadow_falls_away_from_the_light_as_long_as_geometry_says():
    for altitude in (45, 55, 65, 80):
        image = pole.render([altitude], [0])[0].astype(float).sum(-1)  # the light is at the right
        row, beside = image[31:33].mean(0), image[20]
        assert (row[38:] / beside[38:]).min() > 0.98
        light = _light(altitude, 0)
        tip = light[0] * pole._HEIGHT / (light[2] - pole._HEIGHT) + pole._RADIUS
        lit = (row - row[:28].min()) / (beside - row[:28].min())
        first = np.flatnonzero(lit < 0.5).min()
        crossing = np.interp(0.5, lit[[first, first - 1]], [first + 0.5, first - 0.5])
        assert crossing / 32 - 1 == pytest.approx(-tip, abs=0.03)


def test_penumbra_widens_away_from_the_foot():
    def soft(column):
        profile = pole.render([45], [0], 128)[0, :, column].astype(float).sum(-1)
        low, high = profile.min(), np.median(profile)
        return ((profile > low + 0.1 * (high - low)) & (profile < high - 0.1 * (high - low))).sum()

    assert soft(20) >= soft(50) + 2


def test_mirrored_lights_give_mirrored_images():
    azimuths = np.array([20, 75, 200])
    left, right = pole.render([50] * 3, azimuths, 32), pole.render([50] * 3, 180 - azimuths, 32)
    assert np.abs(left[:, :, ::-1].astype(int) - right).max() <= 1
    np.testing.assert_array_equal(pole.render([50], [20], 32), pole.render([50], [380], 32))


def test_plane_and_pole_are_shaded():
    low, high = pole.render([45, 80], [270, 270]).astype(float)
    assert low[-8:, :8].mean() < 0.95 * high[-8:, :8].mean()  # Lambert
    assert low[-8:].mean() > 1.2 * low[:8].mean()  # nearer to the light
    front, back = pole.render([45, 45], [270, 90]).astype(float)
    side = (slice(29, 32), slice(31, 33))  # the pole's side, seen from below in the image
    assert front[side].mean() > 3 * back[side].mean()
    assert front[side][..., 0].mean() > 1.5 * front[side][..., 2].mean()  # its colour


@pytest.mark.parametrize(("altitude", "azimuth"), [(45, 250), (60, 290), (80, 270)])
def test_the_plane_s_light_to_the_level(altitude, azimuth):
    """Ambient and direct light on the plane's colour: Lambert's cosine, and 1 at 6 away, a quarter at 12."""
    image = pole.render([altitude], [azimuth])[0]
    altitude, azimuth = np.radians([altitude, azimuth])
    level = np.cos(altitude)
    light = 6 * np.array([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(altitude)])
    for row, column in ((60, 4), (60, 60), (63, 32), (50, 20), (40, 60)):  # towards the light: no shadow there
        away = light - [(column + 0.5) / 32 - 1, 1 - (row + 0.5) / 32, 0]
        distance = np.linalg.norm(away)
        direct = away[2] / distance * (6 / distance) ** 2
        expected = np.array([0.62, 0.66, 0.58]) * ([0.16, 0.18, 0.22] + direct * np.array([0.98, 0.94, 0.86]))
        np.testing.assert_allclose(image[row, column], 255 * expected, atol=1.0)


def test_the_pole_s_top_to_the_level():
    """Seen from 4 above and 0.9 before: a disc of radius 0.07 at 0.65, as large and as far off as perspective says."""
    image = pole.render([70], [30], 256)[0].astype(float)
    nearness = 4 / (4 - 0.65)
    middle, radius = -0.9 * (1 - nearness), 0.07 * nearness
    assert middle == pytest.approx(0.9 * (nearness - 1))
    light = 6 * np.array(
        [np.cos(np.radians(70)) * np.cos(np.radians(30)), np.cos(np.radians(70)) / 2, np.sin(np.radians(70))]
    )
    away = light - [0, 0, 0.65]
    distance = np.linalg.norm(away)
    direct = away[2] / distance * (6 / distance) ** 2
    expected = 255 * np.array([0.68, 0.36, 0.18]) * ([0.16, 0.18, 0.22] + direct * np.array([0.98, 0.94, 0.86]))
    place = (np.arange(256) + 0.5) / 128 - 1
    inside = place**2 + (-place[:, None] - middle) ** 2 < (radius - 0.01) ** 2
    assert inside.sum() > 60
    assert np.abs(image[inside] - expected).max() < 4  # the light's angle changes a little over the disc
    beyond = (np.abs(np.hypot(place, -place[:, None] - middle) - radius - 0.02) < 0.01) & (-place[:, None] > middle)
    assert (image[beyond][:, 0] < image[beyond][:, 1] * 1.05).all()  # the plane is green


def test_the_constants_of_the_scene():
    assert pole.ALTITUDES == (45, 50, 55, 60, 65, 70, 75, 80) and tuple(range(0, 360, 5)) == pole.AZIMUTHS
    configurations = {one.name: (one.size, one.height, one.camera) for one in pole.Pole.BUILDER_CONFIGS}
    usual = (0.65, (0.0, -0.9, 4.0))
    assert configurations == {
        "64": (64, *usual),
        "32": (32, *usual),
        "32_oblique": (32, 0.5, (0.6, -0.7, 4.0)),
    }
    assert np.degrees(pole._LIGHT_RADIUS) == pytest.approx(3.0)
    # Every pixel is the mean of 4 x 4 samples.
    fine, coarse = pole.render([60], [40], 128)[0].astype(float), pole.render([60], [40], 64)[0]
    assert np.abs(fine.reshape(64, 2, 64, 2, 3).mean((1, 3)) - coarse).mean() < 0.5


def test_nothing_is_overexposed():
    images = pole.render([45, 60, 80], [0, 120, 270])
    assert images.max() < 255
    assert images.min() > 0


def test_generated_to_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(pole, "ALTITUDES", (60,))
    for folder in "ab":
        data.load("pole/32", data_dir=tmp_path / folder)
    (first,), (second,) = ([*(tmp_path / folder).rglob("*.tfrecord*")] for folder in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_all_576_images(tmp_path):
    images, altitudes = data.images("pole/32", classes=[45, 80], channels=1, labels=True, data_dir=tmp_path)
    assert images.shape == (144, 32, 32, 1)
    assert set(altitudes) == {45, 80}
    stored = [*pole.Pole(config="32", data_dir=tmp_path).as_dataset(split="train").as_numpy_iterator()]
    lights = {(int(example["altitude"]), int(example["azimuth"])) for example in stored}
    assert len(stored) == 576
    assert lights == {(altitude, azimuth) for altitude in range(45, 81, 5) for azimuth in range(0, 360, 5)}
    one = stored[100]
    np.testing.assert_array_equal(one["image"], pole.render([one["altitude"]], [one["azimuth"]], 32)[0])


def test_another_pole_seen_from_elsewhere(tmp_path):
    """The lower pole's shadow is shorter by as much, and its foot is where it was."""
    data.load("pole/32_oblique", data_dir=tmp_path)
    one = next(pole.Pole(config="32_oblique", data_dir=tmp_path).as_dataset(split="train").as_numpy_iterator())
    oblique = pole.render([one["altitude"]], [one["azimuth"]], 32, height=0.5, camera=(0.6, -0.7, 4.0))[0]
    np.testing.assert_array_equal(one["image"], oblique)
    ends = []
    for image in (pole.render([45], [0], 256)[0], pole.render([45], [0], 256, height=0.325)[0]):
        row = image[128].astype(float).sum(-1)
        shadowed = np.flatnonzero(row[:110] < 0.75 * image[40, :110].astype(float).sum(-1))
        ends.append(1 - shadowed.min() / 128)
    assert ends[1] / ends[0] == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(
    "arguments",
    [
        *(([30], [0]), ([90], [0]), ([45, 50], [0]), (45, 0), ([45], [0], 0), ([np.nan], [0])),
        *(([45], [0], 32, 0.0), ([45], [0], 32, 0.8), ([45], [0], 32, 0.5, (0.0, 0.0, 0.4))),
    ],
)
def test_impossible_lights(arguments):
    with pytest.raises(InputError, match=r"give|or more"):
        pole.render(*arguments)
