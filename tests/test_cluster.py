"""Several machines: what TF_CONFIG may say, how workers meet, and that two train as one."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerasinterp import cli, training
from kerasinterp.cluster import WAIT, Cluster, shares
from kerasinterp.compare import compare
from kerasinterp.errors import InputError
from kerasinterp.quickstart import quickstart
from kerasinterp.recipe import find
from kerasinterp.run import Run

TWO = {"worker": ["host-a:2222", "host-b:2222"]}


def set_config(monkeypatch, config):
    monkeypatch.setenv("TF_CONFIG", config if isinstance(config, str) else json.dumps(config))


def task(index, kind="worker", cluster=TWO):
    return {"cluster": cluster, "task": {"type": kind, "index": index}}


@pytest.mark.parametrize(
    ("config", "addresses", "number"),
    [
        (task(0), ("host-a:2222", "host-b:2222"), 0),
        (task("1"), ("host-a:2222", "host-b:2222"), 1),
        (task(0, "chief", {"worker": ["b:1"], "chief": ["a:1"]}), ("a:1", "b:1"), 0),
        (task(0, "worker", {"worker": ["b:1"], "chief": ["a:1"]}), ("a:1", "b:1"), 1),
    ],
)
def test_which_worker_this_is(config, addresses, number, monkeypatch):
    set_config(monkeypatch, config)
    found = Cluster.from_environment()
    assert (found.addresses, found.number, found.is_chief) == (addresses, number, number == 0)


@pytest.mark.parametrize("config", ["", " ", task(0, cluster={"worker": ["a:1"]})])
def test_one_machine_is_no_cluster(config, monkeypatch):
    set_config(monkeypatch, config)
    assert Cluster.from_environment() is None


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("{'cluster': 1}", 'TF_CONFIG is no JSON .*: give {"cluster": .*, or unset it'),
        ("host-a", "no JSON"),
        ("[]", "has no cluster"),
        ("7", "has no cluster"),
        ({"task": {"type": "worker", "index": 0}}, "has no cluster"),
        ({"cluster": {}, "task": {"type": "worker", "index": 0}}, "has no cluster"),
        ({"cluster": TWO}, "has no task"),
        (task(2), "task is worker 2, which is not in its cluster: that has worker 0 to 1"),
        (task(-1), "worker -1, which"),
        (task(True), "worker True, which"),
        (task(None), "worker None, which"),
        (task(0, "chief"), "chief 0, which"),
        (task(0, None), "None 0, which"),
        (task(0, cluster={"worker": ["a:1"], "ps": ["b:1"]}), "a job 'ps'"),
        (task(0, cluster={"worker": "a:1"}), "list of addresses"),
        (task(0, cluster={"worker": []}), "list of addresses"),
        (task(0, cluster={"worker": ["a", "b:1"]}), "list of addresses"),
        (task(0, cluster={"worker": ["a:0", "b:70000"]}), "list of addresses"),
        (task(0, cluster={"worker": ["a:1", "a:1"]}), "an address twice"),
        (task(0, cluster={"chief": ["a:1", "b:1"], "worker": ["c:1"]}), "more than one chief"),
    ],
)
def test_other_configurations_are_refused(config, said, monkeypatch):
    set_config(monkeypatch, config)
    with pytest.raises(InputError, match=said):
        Cluster.from_environment()


def test_the_command_says_so_and_leaves_nothing(monkeypatch, tmp_path, capfd):
    set_config(monkeypatch, "host-a")
    assert cli.main(["train", "acai_lines16", "-o", str(tmp_path / "run")]) == 2
    assert capfd.readouterr().err.startswith("kerasinterp: TF_CONFIG is no JSON")
    assert not any(tmp_path.iterdir())


# Meeting


def free_ports(count):
    with contextlib.ExitStack() as held:
        return [held.enter_context(socket.create_server(("localhost", 0))).getsockname()[1] for _ in range(count)]


def meet(abouts, monkeypatch, wait="5", expected=None):
    """What each worker's `join` says; None of one that does not come."""
    monkeypatch.setenv(WAIT, wait)
    addresses = tuple(f"localhost:{port}" for port in free_ports(len(abouts)))
    found = {}

    def come(number):
        try:
            Cluster(addresses, number).join(abouts[number])
            found[number] = ""
        except InputError as error:
            found[number] = str(error)

    threads = [threading.Thread(target=come, args=(n,)) for n, about in enumerate(abouts) if about is not None]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


def test_workers_meet(monkeypatch):
    about = {"recipe": {"seed": 1, "size": (3, 4)}, "version": "1"}
    assert meet([about] * 3, monkeypatch) == {0: "", 1: "", 2: ""}


def test_other_recipes_are_told_to_all(monkeypatch):
    found = meet([{"recipe": 1}, {"recipe": 1}, {"recipe": 2}], monkeypatch)
    assert len(found) == 3
    assert all("Worker 2 has another recipe than the chief" in said for said in found.values())


def test_a_worker_that_does_not_come_is_named_to_all(monkeypatch):
    began = time.monotonic()
    found = meet([{}, {}, None], monkeypatch, wait="1")
    assert set(found) == {0, 1}
    for said in found.values():
        assert said.startswith("Of 3 workers these did not come within 1 s: 2 (localhost:")
        assert WAIT in said
    assert time.monotonic() - began < 10


def test_a_chief_that_does_not_come_is_named(monkeypatch):
    found = meet([None, {}], monkeypatch, wait="0.5")
    assert found[1].startswith("The chief (localhost:")
    assert "did not come within 0.5 s" in found[1]


def test_strangers_at_the_door_are_sent_away(monkeypatch):
    monkeypatch.setenv(WAIT, "10")
    port, other = free_ports(2)
    addresses = (f"localhost:{port}", f"localhost:{other}")
    chief = threading.Thread(target=Cluster(addresses, 0).join, args=({},))
    chief.start()
    for text in (b"GET / HTTP/1.0\r\n", b"{}\n", b""):
        while True:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("localhost", port)) as line:
                line.sendall(text)
                break
    Cluster(addresses, 1).join({})
    chief.join(10)
    assert not chief.is_alive()


def test_a_port_in_use_is_named(monkeypatch):
    monkeypatch.setenv(WAIT, "0.5")
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        for number in (0, 1):
            with pytest.raises(InputError, match=rf"Port {port} of worker {number} \(.*\) cannot be used"):
                Cluster((f"localhost:{port}", f"127.0.0.1:{port}"), number).join({})


@pytest.mark.parametrize("wait", ["soon", "0", "-1", "nan", "inf"])
def test_waits_that_are_no_time_are_refused(wait, monkeypatch):
    monkeypatch.setenv(WAIT, wait)
    with pytest.raises(InputError, match=f"{WAIT} is a number of seconds"):
        Cluster(("localhost:1", "localhost:2"), 0).join({})


# Training


@pytest.mark.parametrize(("seconds", "code", "told"), [(0.3, -signal.SIGKILL, "kerasinterp: lost\n"), (60, 0, "")])
def test_what_takes_too_long_ends_the_process(seconds, code, told):
    """And what does not leaves no watcher behind."""
    script = f"""if True:
        import os, time
        from kerasinterp.cluster import _within
        with _within({seconds}, "lost"):
            time.sleep(1 if {seconds} > 1 else 60)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            os._exit(0)
        os._exit(1)
    """
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=50)
    assert ended.returncode == code
    assert ended.stderr.endswith(told)


def test_shares_are_the_devices_rows():
    batches = tf.data.Dataset.from_tensor_slices({"c": np.arange(16)}).batch(8, drop_remainder=True)
    found = [batch["c"].tolist() for batch in shares(batches, devices=4, first=2, count=2).as_numpy_iterator()]
    assert found == [[4, 5], [6, 7], [12, 13], [14, 15]]


RECIPE = find("acai_lines16", smoke=True).change(
    images_per_epoch=256, epochs=3, optimizers={"all": {"rate": 0.05, "kind": "sgd"}}
)
SCRIPT = """
import sys
from kerasinterp import recipe, training
from kerasinterp.errors import InputError
import json
try:
    training.train(recipe.Recipe.from_dict(json.loads(sys.argv[1])), sys.argv[2], resume=len(sys.argv) > 3)
except InputError as error:
    sys.exit(str(error))
"""
LIMIT = 240


def launched(number, ports, *arguments):
    """A worker: Python with these arguments."""
    config = task(number, cluster={"worker": [f"localhost:{port}" for port in ports]})
    environment = os.environ | {"TF_CONFIG": json.dumps(config), WAIT: "120"}
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, *arguments], env=environment, **pipes)


def start(number, ports, recipe, folder, *more):
    return launched(number, ports, "-c", SCRIPT, recipe_text(recipe), folder, *more)


def recipe_text(recipe):
    import dataclasses

    return json.dumps(dataclasses.asdict(recipe))


def both(recipe, tmp_path, *more):
    """Return codes and messages of two workers that are let run to their end."""
    ports = free_ports(2)
    return ended([start(number, ports, recipe, tmp_path / f"worker-{number}", *more) for number in range(2)])


def ended(workers):
    """The workers' return codes and messages, at their end."""
    try:
        told = [worker.communicate(timeout=LIMIT) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    return [worker.returncode for worker in workers], ["".join(one) for one in told]


def weights(run: Run):
    return keras.saving.load_model(max(run.all_checkpoints().items())[1]).get_weights()


@pytest.mark.slow
def test_two_workers_train_as_one_process(tmp_path):
    codes, told = both(RECIPE, tmp_path)
    assert codes == [0, 0], told
    assert "2 workers, this being the chief" in told[0]
    assert not (tmp_path / "worker-1").exists()
    one = training.train(RECIPE, tmp_path / "one")
    chief = Run(tmp_path / "worker-0")
    assert {path.name for path in chief.folder.iterdir()} == {path.name for path in one.folder.iterdir()}
    for two, alone in zip(weights(chief), weights(one), strict=True):
        np.testing.assert_allclose(two, alone, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_the_command_on_each_machine_trains_one_model(tmp_path):
    """With a user's own images: what it looks at first must leave TensorFlow's devices alone."""
    images, random = tmp_path / "photos", np.random.default_rng(0)
    images.mkdir()
    for number in range(40):
        Image.fromarray(random.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(images / f"{number}.png")
    command = ["-m", "kerasinterp.cli", "train", "--data", images, "--objective", "PlainAE", "--smoke", "--epochs", "1"]
    ports = free_ports(2)
    codes, told = ended([launched(n, ports, *command, "-o", tmp_path / f"worker-{n}") for n in range(2)])
    assert codes == [0, 0], told
    assert "2 workers, this being the chief" in told[0] and "written by the chief" in told[1]
    assert (tmp_path / "worker-0" / "model.keras").exists() and not (tmp_path / "worker-1").exists()


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1])
def test_a_worker_killed_and_both_started_again_end_alike(killed, tmp_path):
    assert both(RECIPE, tmp_path / "whole")[0] == [0, 0]
    whole, run = Run(tmp_path / "whole" / "worker-0"), Run(tmp_path / "run" / "worker-0")
    longer = RECIPE.change(epochs=1000)  # it is killed before
    ports = free_ports(2)
    workers = [start(number, ports, longer, tmp_path / "run" / f"worker-{number}") for number in range(2)]
    try:
        ends = time.monotonic() + LIMIT
        while not run.all_checkpoints() and time.monotonic() < ends:
            time.sleep(0.1)
        workers[killed].send_signal(signal.SIGKILL)
        left = workers[1 - killed]
        told = left.communicate(timeout=90)[1]
        assert left.returncode == 1
        assert told.strip().splitlines()[-1].startswith("Another worker ended or cannot be reached")
    finally:
        for worker in workers:
            worker.kill()
    done = max(run.all_checkpoints()) // RECIPE.schedule.steps_per_epoch
    goal = RECIPE.change(epochs=done + 2)
    codes, told = both(goal, tmp_path / "run", "resume")
    assert codes == [0, 0], told
    assert not (tmp_path / "run" / "worker-1").exists()
    assert both(goal, tmp_path / "whole", "resume")[0] == [0, 0]
    assert max(run.all_checkpoints()) == max(whole.all_checkpoints()) == goal.schedule.steps
    for one, other in zip(weights(run), weights(whole), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_one_lost_before_training_begins_ends_the_other(number):
    """They have met, and then one is gone."""
    config = task(number, cluster={"worker": [f"localhost:{port}" for port in free_ports(2)]})
    script = """if True:
        from kerasinterp.cluster import Cluster
        from kerasinterp.errors import InputError
        import sys
        try:
            Cluster.from_environment().strategy
        except InputError as error:
            sys.exit(str(error))
    """
    environment = os.environ | {WAIT: "3", "TF_CONFIG": json.dumps(config)}
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT)
    assert ended.returncode == (-signal.SIGKILL if number == 0 else 1)
    assert "Another worker ended or cannot be reached" in ended.stderr


@pytest.mark.slow
def test_what_the_chief_refuses_is_told_to_all(tmp_path):
    (tmp_path / "worker-0").mkdir()
    (tmp_path / "worker-0" / "recipe.json").write_text("{}")
    codes, told = both(RECIPE, tmp_path)
    assert codes == [1, 1]
    assert all("already holds a run" in one for one in told)


@pytest.mark.slow
def test_a_worker_with_other_images_ends_both(tmp_path):
    """Both are told in a sentence, soon."""
    ports = free_ports(2)
    recipes = [RECIPE, RECIPE.change(batch_size=63)]
    workers = [start(number, ports, recipes[number], tmp_path / f"worker-{number}") for number in range(2)]
    told = [worker.communicate(timeout=LIMIT)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [1, 1]
    assert all("Worker 1 has another recipe than the chief" in one for one in told)
    assert not any(pathlib.Path(tmp_path).iterdir())


def test_what_trains_on_one_machine_says_so(monkeypatch, tmp_path):
    set_config(monkeypatch, task(0))
    for what in (
        lambda: compare("lines16", ["ACAI", "AE"], tmp_path / "table"),
        lambda: quickstart(tmp_path / "start"),
    ):
        with pytest.raises(InputError, match="trains on one machine, and TF_CONFIG names several workers: unset it"):
            what()
    assert not any(tmp_path.iterdir())
