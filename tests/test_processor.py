"""What is read of the processor, and what is set on it; without TensorFlow."""

import subprocess
import sys

import pytest

from kerasinterp import processor
from kerasinterp.errors import InputError

NAME = "TF_ENABLE_ONEDNN_OPTS"
ZEN_2 = "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu sse4_2 fma avx avx2 sha_ni\n\nprocessor\t: 1\n"
ZEN_5 = "model name\t: AMD EPYC 9R45\nflags\t\t: avx2 fma avx512f avx512_vnni avx512_bf16 avx512_vp2intersect\n"
OLD = "model name\t: Intel(R) Xeon(R) CPU E5-2670\nflags\t\t: fpu sse4_2 avx avx2x\n"


@pytest.fixture
def machine(monkeypatch):
    """Makes a processor of the text of /proc/cpuinfo, in a process that has neither TensorFlow nor settings."""

    def make(text, **environment):
        monkeypatch.setattr(processor.pathlib.Path, "read_text", lambda self, errors=None: text)
        monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
        fresh = {"HOME": "/", **environment}
        monkeypatch.setattr(processor.os, "environ", fresh)
        monkeypatch.setattr(processor.os, "cpu_count", lambda: 2)
        return fresh

    return make


@pytest.mark.parametrize(
    ("text", "features", "fast"),
    [
        (ZEN_2, ("avx2", "fma"), False),
        (ZEN_5, ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16"), True),
        ("flags : avx512f amx_bf16", ("avx512f", "amx_bf16"), True),
        (OLD, (), False),
        ("", (), False),
    ],
)
def test_features_are_read(machine, text, features, fast):
    machine(text)
    assert processor.features() == features
    assert processor.fast_bfloat16() is fast


def test_a_lowered_processor_has_no_fast_bfloat16(machine):
    machine(ZEN_5, ONEDNN_MAX_CPU_ISA="avx2")
    assert not processor.fast_bfloat16()
    machine(ZEN_5, ONEDNN_MAX_CPU_ISA="AVX512_CORE_BF16")
    assert processor.fast_bfloat16()


@pytest.mark.parametrize(
    ("text", "lowered", "alone"),
    [(ZEN_2, "", True), (ZEN_5, "", False), (ZEN_5, "avx2", True), (ZEN_5, "AVX512_CORE", False), (OLD, "", False)],
)
def test_where_avx2_is_alone(machine, text, lowered, alone):
    machine(text, ONEDNN_MAX_CPU_ISA=lowered)
    assert processor.avx2_alone() is alone


def test_a_system_without_cpuinfo_has_no_features(machine, monkeypatch):
    environment = machine("")

    def missing(self, errors=None):
        raise FileNotFoundError

    monkeypatch.setattr(processor.pathlib.Path, "read_text", missing)
    assert processor.features() == () and processor.prepare() == {} and NAME not in environment
    assert processor.describe().endswith("2 cores")


def test_the_processor_in_one_line(machine):
    machine(ZEN_2)
    assert processor.describe() == "AMD EPYC, 2 cores, avx2 fma"


@pytest.mark.parametrize(("text", "expected"), [(ZEN_2, {NAME: "1"}), (ZEN_5, {NAME: "1"}), (OLD, {})])
def test_what_is_fastest_is_set(machine, text, expected):
    environment = machine(text)
    assert processor.prepare() == expected
    assert {key: value for key, value in environment.items() if key == NAME} == expected


def test_your_own_setting_wins(machine):
    environment = machine(ZEN_2, **{NAME: "0"})
    assert processor.prepare() == {NAME: "0"} == {key: environment[key] for key in (NAME,)}


@pytest.mark.parametrize(("kept", "expected"), [({NAME: "0"}, {NAME: "0"}), ({}, {}), ({NAME: "1"}, {NAME: "1"})])
def test_a_resumed_run_keeps_its_settings(machine, kept, expected):
    for text in (ZEN_2, OLD):
        environment = machine(text)
        assert processor.prepare(kept) == expected
        assert environment.get(NAME) == expected.get(NAME)


@pytest.mark.parametrize(("own", "kept"), [("0", {NAME: "1"}), ("1", {})])
def test_a_setting_that_contradicts_the_run_is_refused(machine, own, kept):
    environment = machine(ZEN_2, **{NAME: own})
    with pytest.raises(InputError, match=f"was begun with.*{NAME}={own}"):
        processor.prepare(kept)
    assert environment[NAME] == own


def test_a_setting_that_says_the_same_is_kept(machine):
    machine(ZEN_2, **{NAME: "True"})
    assert processor.prepare({NAME: "1"}) == {NAME: "True"}


def test_what_a_parent_process_set_is_not_yours(machine):
    environment = machine(ZEN_2)
    processor.prepare()
    assert processor.prepare({}) == {} and NAME not in environment
    assert processor.prepare({NAME: "0"}) == {NAME: "0"}
    assert processor.prepare() == {NAME: "1"}


def test_nothing_is_set_once_tensorflow_is_imported(machine, monkeypatch):
    environment = machine(ZEN_2)
    monkeypatch.setitem(sys.modules, "tensorflow", sys)
    assert processor.prepare() == {} == processor.prepare({NAME: "1"})
    assert environment == {"HOME": "/"}


@pytest.mark.parametrize("kept", [{"LD_PRELOAD": "x.so"}, {NAME: 1}, {NAME: "\0"}, [NAME]])
def test_a_run_sets_nothing_else(machine, kept):
    environment = machine(ZEN_2)
    with pytest.raises(InputError, match="can be set"):
        processor.prepare(kept)
    assert environment == {"HOME": "/"}


def test_tensorflow_is_not_imported():
    code = "import sys, kerasinterp.processor as p; p.prepare(); sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
