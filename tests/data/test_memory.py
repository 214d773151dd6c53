import pytest

from kerasinterp.data.memory import bytes_of, for_images, machine_memory, told
from kerasinterp.errors import InputError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2GB", 2 * 10**9),
        ("500 MB", 5 * 10**8),
        ("1.5gib", 3 * 2**29),
        ("64KiB", 65_536),
        ("10kb", 10_000),
        ("2G", 2 * 10**9),
        ("1TB", 10**12),
        ("12345", 12_345),
        (77, 77),
    ],
)
def test_sizes(text, size):
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["", "GB", "2 apples", "-1GB", "0", 0, -3, 1.5, True, "1e9", "nan", "2GBB", None])
def test_what_is_no_size(text):
    with pytest.raises(InputError, match="limit is a size such as 2GB"):
        bytes_of(text, "limit")


def test_a_quarter_of_the_machine(monkeypatch, tmp_path):
    monkeypatch.setattr("os.sysconf", {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}.get)
    monkeypatch.setattr("kerasinterp.data.memory._LIMITS", [])
    assert machine_memory() == 4_096_000 and for_images() == 1_024_000
    for text, memory in (("max\n", 4_096_000), ("2000000\n", 2_000_000)):  # a container's
        (tmp_path / "memory.max").write_text(text)
        monkeypatch.setattr("kerasinterp.data.memory._LIMITS", [tmp_path / "none", tmp_path / "memory.max"])
        assert machine_memory() == memory
    monkeypatch.delattr("os.sysconf")
    assert machine_memory() is None and for_images() == 2 * 10**9


def test_as_people_write_it():
    assert [told(size) for size in (1, 999, 2_457_600_000, 10**15)] == ["1 bytes", "999 bytes", "2.46 GB", "1e+03 TB"]
