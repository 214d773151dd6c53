"""AEAI's measures on views against a plain computation, and against models whose values are known."""

import json

import numpy as np
import PIL.Image
import pytest

from kerasinterp.data import Views
from kerasinterp.data.convert import to_float
from kerasinterp.errors import InputError
from kerasinterp.evaluation import departure, draw_departure, draw_in_between, draw_retrieval, in_between
from kerasinterp.evaluation import views as views_module
from tests.evaluation.toys import fade, switch

STEP, SIZE = 15.0, 16
TURN = 24  # views
LENGTHS = {"lengths": (30, 45, 60), "length": 60, "retrieval_length": 45}


def blob(altitudes, azimuths):
    """A spot on a circle, the higher the altitude the nearer to the centre: uint8 (..., SIZE, SIZE, 1)."""
    radius = 6 - np.asarray(altitudes)[..., np.newaxis, np.newaxis] / 15
    angle = np.deg2rad(np.asarray(azimuths))[..., np.newaxis, np.newaxis]
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    light = np.exp(-((x - radius * np.cos(angle)) ** 2 + (y - radius * np.sin(angle)) ** 2) / 4)
    return np.rint(255 * light).astype(np.uint8)[..., np.newaxis]


def pole(altitudes=(0.0, 30.0), step=STEP):
    azimuths = np.arange(0.0, 360.0, step)
    grid = np.stack(np.meshgrid(altitudes, azimuths, indexing="ij"), axis=-1)
    return Views(
        images=blob(grid[..., 0], grid[..., 1]),
        parameters=grid.astype(np.float32),
        names=("altitude", "azimuth"),
        step=step,
    )


def turning(views):
    """The true path: parameters go straight, the azimuth the short way round."""
    known, parameters = to_float(views.images).reshape(-1, SIZE**2), views.parameters.reshape(-1, 2)

    def find(images):
        return parameters[[np.abs(known - image).sum(axis=1).argmin() for image in images.reshape(len(images), -1)]]

    def interpolate(a, b, alphas):
        start, end = find(a), find(b)
        way = end - start
        way[:, 1] = (way[:, 1] + 180) % 360 - 180
        points = start[:, np.newaxis] + alphas[:, np.newaxis] * way[:, np.newaxis]
        return to_float(blob(points[..., 0], points[..., 1]))

    return interpolate


def test_the_true_path_has_no_error_and_gives_every_alpha():
    views = pole()
    result = in_between(turning(views), views, **LENGTHS)
    assert result["mse"] == pytest.approx(0.0, abs=1e-9)
    assert result["alpha_error"] == pytest.approx(0.0, abs=1e-9)
    assert result["retrieval"]["median"] == pytest.approx([1 / 3, 2 / 3])
    assert result["by_alpha"]["alphas"] == [0.25, 0.5, 0.75]
    assert result["by_length"]["intervals"] == [2 * TURN] * 3  # the seam of the turn too
    assert json.loads(json.dumps(result)) == result


def test_an_abrupt_switch_predicts_the_ends():
    result = in_between(switch, pole(), **LENGTHS)
    assert result["retrieval"]["median"] == [0.0, 1.0]
    assert result["alpha_error"] == pytest.approx(1 / 3)
    assert result["alpha_spread"] == 0.0


def test_all_values_are_those_of_a_plain_computation():
    """Section 4.3 in loops, with masks: endpoints chosen, in-betweens judged."""
    views, random = pole(), np.random.default_rng(0)
    chosen, judged = random.random((2, 2, TURN)) < 0.7
    result = in_between(fade, views, **LENGTHS, chosen=chosen, judged=judged)

    images = views.images / 255.0
    errors = {n: [[] for _ in range(1, n)] for n in (2, 3, 4)}
    predicted = [[], []]
    for n, by_alpha in errors.items():
        for s in range(2):
            for i in range(TURN):
                j = (i + n) % TURN
                if not (chosen[s, i] and chosen[s, j]):
                    continue
                for m in range(1, n):
                    made = (1 - m / n) * images[s, i] + m / n * images[s, j]
                    if judged[s, (i + m) % TURN]:
                        by_alpha[m - 1].append(np.mean((made - images[s, (i + m) % TURN]) ** 2))
                    if n == 3:
                        k = np.sum((images[s] - made) ** 2, axis=(1, 2, 3)).argmin()
                        away = min((k - i - n / 2 + turn for turn in (-2 * TURN, -TURN, 0, TURN, 2 * TURN)), key=abs)
                        predicted[m - 1].append(away / n + 0.5)
    assert result["by_length"]["mse"] == pytest.approx([np.mean(np.concatenate(errors[n])) for n in (2, 3, 4)])
    assert result["by_alpha"]["mse"] == pytest.approx([np.mean(one) for one in errors[4]])
    assert result["by_alpha"]["std"] == pytest.approx([np.std(one) for one in errors[4]])
    assert result["mse"] == pytest.approx(np.mean([np.mean(one) for one in errors[4]]))
    for name, share in [("lower", 25), ("median", 50), ("upper", 75)]:
        assert result["retrieval"][name] == pytest.approx([np.percentile(one, share) for one in predicted])


def fine(series=1):
    """Views 5 degrees apart, as the paper's, of two pixels each."""
    images = np.random.default_rng(0).integers(0, 256, (series, 72, 1, 2, 1), dtype=np.uint8)
    azimuths = np.tile(5.0 * np.arange(72), (series, 1))[..., np.newaxis]
    return Views(images=images, parameters=azimuths, names=("azimuth",), step=5.0)


def test_the_papers_intervals():
    """Figure 6: errors at 80 degrees, and at 15 to 80; figure 7: alphas at 70."""
    result = in_between(fade, fine())
    assert result["by_length"]["lengths"] == [15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80]
    assert result["by_length"]["intervals"] == [72] * 14
    assert (result["by_alpha"]["length"], result["retrieval"]["length"]) == (80, 70)
    np.testing.assert_allclose(result["by_alpha"]["alphas"], np.arange(1, 16) / 16)
    np.testing.assert_allclose(result["retrieval"]["alphas"], np.arange(1, 14) / 14)


def test_spread_and_errors_are_means_over_alpha():
    result = in_between(fade, fine(), [15, 20], length=20, retrieval_length=30)
    curve, found = result["by_alpha"], result["retrieval"]
    assert result["mse"] == pytest.approx(np.mean(curve["mse"]))
    assert result["mse_std"] == pytest.approx(np.mean(curve["std"]))
    assert result["alpha_spread"] == pytest.approx(np.mean(np.subtract(found["upper"], found["lower"])))
    assert result["alpha_spread"] > 0 and len(found["median"]) == 5
    assert result["alpha_error"] > 0


@pytest.mark.parametrize(("length", "refused"), [(10, False), (175, False), (5, True), (180, True), (12, True)])
def test_intervals_have_an_in_between_and_a_short_way(length, refused):
    settings = {"lengths": [length], "length": 20, "retrieval_length": 20}
    if refused:
        with pytest.raises(InputError, match=f"an interval of {length} degrees"):
            in_between(fade, fine(), **settings)
    else:
        assert in_between(fade, fine(), **settings)["by_length"]["lengths"] == [length]


def test_every_thins_the_intervals():
    result = in_between(fade, pole(), **LENGTHS, every=5)
    assert result["by_length"]["intervals"] == [2 * 5] * 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lengths": (40,)}, "no multiple"),
        ({"lengths": (15,)}, "no true in-betweens"),
        ({"lengths": (180,)}, "no true in-betweens"),
        ({"length": 720}, "less than half"),
        ({"chosen": np.ones((2, 3), bool)}, "chosen is bool"),
        ({"judged": np.ones((2, TURN))}, "judged is float64"),
        ({"chosen": np.zeros((2, TURN), bool)}, "no two chosen views"),
        ({"judged": np.zeros((2, TURN), bool)}, "no in-between is judged"),
        ({"every": 0}, "every is 0"),
    ],
)
def test_unsuitable_intervals_get_one_sentence(settings, message):
    with pytest.raises(InputError, match=message):
        in_between(fade, pole(), **LENGTHS | settings)


def test_the_true_path_departs_evenly_in_parameter_space():
    views = pole(altitudes=(0.0, 15.0, 30.0, 45.0))
    result = departure(turning(views), views, pairs=100, points=9)
    assert result["source"][0] == result["target"][-1] == 0.0
    assert result["source"][-1] == pytest.approx(result["span"])
    assert result["departure_error"] < 0.04  # what a grid of 15 degrees resolves


def test_an_abrupt_switch_departs_at_once():
    """Source 0, then the span: off by alpha before the middle and by 1 - alpha after it, as is the target."""
    alphas = np.linspace(0, 1, 9)
    result = departure(switch, pole(), pairs=50, points=9)
    assert result["source"][3] == 0.0
    assert result["target"][4] == 0.0
    assert result["departure_error"] == pytest.approx(np.minimum(alphas, 1 - alphas).mean(), rel=1e-6)
    assert json.loads(json.dumps(result)) == result


def test_objects_are_not_interpolated_with_one_another():
    views = pole()
    objects = Views(images=views.images, parameters=views.parameters[..., 1:], names=("azimuth",), step=STEP)
    chosen = np.zeros((2, TURN), bool)
    chosen[0, [0, 6]] = True
    chosen[1, 3] = True
    result = departure(switch, objects, pairs=8, points=3, chosen=chosen)
    assert result["span"] == 90.0
    with pytest.raises(InputError, match="two chosen views"):
        departure(switch, objects, chosen=chosen & (np.arange(2)[:, np.newaxis] == 1))


def test_departures_are_those_of_a_plain_computation():
    """Of a model that makes the view half-way, whatever the pair: distances in degrees, the short way round."""
    views, asked = pole(altitudes=(0.0, 30.0)), []
    known = to_float(views.images).reshape(-1, SIZE**2)

    def find(images):
        return [np.abs(known - image).sum(axis=1).argmin() for image in images.reshape(len(images), -1)]

    def always(a, b, alphas):
        asked.extend(zip(find(a), find(b), strict=True))
        return np.broadcast_to(to_float(views.images[1, 5]), (len(a), len(alphas), SIZE, SIZE, 1))

    result = departure(always, views, pairs=40, points=4, seed=3)
    parameters = views.parameters.reshape(-1, 2)

    def apart(i, j):
        up, turn = np.abs(parameters[i] - parameters[j])
        return np.hypot(up, min(turn, 360 - turn))

    made = TURN + 5
    source, target = (np.mean([apart(made, pair[side]) for pair in asked]) for side in (0, 1))
    span = np.mean([apart(*pair) for pair in asked])
    alphas = np.arange(4) / 3
    assert len(asked) == 40 and all(one != other for one, other in asked)
    assert {i // TURN for i, _ in asked} == {0, 1} and any(i // TURN != j // TURN for i, j in asked)
    assert result["alphas"] == pytest.approx(alphas)
    assert result["source"] == pytest.approx([source] * 4)
    assert result["target"] == pytest.approx([target] * 4)
    assert result["span"] == pytest.approx(span)
    off = np.abs(source - alphas * span) + np.abs(target - (1 - alphas) * span)
    assert result["departure_error"] == pytest.approx(off.mean() / 2 / span)
    again, other = (departure(always, views, pairs=40, points=4, seed=seed) for seed in (3, 4))
    assert again == result != other


def test_departures_default_to_256_paths_of_17_images():
    seen = []
    departure(lambda a, b, t: seen.append((len(a), len(t))) or fade(a, b, t), fine())
    assert seen == [(256, 17)]
    for settings in ({"pairs": 0}, {"points": 1}):
        with pytest.raises(InputError, match="at least 1 pair and 2 points"):
            departure(fade, fine(), **settings)
    assert departure(fade, fine(), pairs=1, points=2)["alphas"] == [0.0, 1.0]


def test_figures_are_drawn(tmp_path):
    views = pole()
    results = {f"system {n}": in_between(fade, views, **LENGTHS) for n in range(5)}
    away = {name: departure(fade, views, pairs=4, points=3) for name in results}
    sizes = []
    for draw, rows in [(draw_in_between, results), (draw_retrieval, results), (draw_departure, away)]:
        with PIL.Image.open(draw(rows, tmp_path / "new" / f"{draw.__name__}.png")) as picture:
            sizes.append(picture.size)
        with pytest.raises(InputError, match="no systems"):
            draw({}, tmp_path / "none.png")
    assert sizes[0][0] > 2 * sizes[0][1]  # three panels in a row
    assert sizes[1][0] < 2.5 * sizes[1][1]  # five panels in two rows


@pytest.mark.parametrize("draw", [draw_retrieval, draw_departure])
def test_systems_are_drawn_on_one_scale(draw, monkeypatch, tmp_path):
    monkeypatch.setattr(views_module, "save", lambda figure, path: figure)
    curve = {key: np.linspace(0.0, 1.0, 3) for key in ("alphas", "lower", "median", "upper")}
    away = {"span": 90.0, "alphas": curve["alphas"], "source": curve["alphas"], "target": curve["alphas"]}
    rows = {"near": {"retrieval": curve} | away}
    rows["far"] = {"retrieval": curve | {"upper": np.full(3, 5.0)}} | away | {"source": np.full(3, 300.0)}
    near, far = draw(rows, tmp_path / "a.png").axes[:2]
    assert near.get_ylim() == far.get_ylim()
