"""Records that survive a kill, and files that are not what they should be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune.recipes.round_store import RoundStore

ARRAYS = {"model/0": np.arange(6, dtype="float32").reshape(2, 3), "mask": np.zeros(0, "uint8")}
VALUES = {"rows": [{"loss": float("inf")}], "name": "ä"}


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_record_comes_back_as_it_was(tmp_path, in_memory):
    directory = None if in_memory else tmp_path / "new" / "folder"
    store = RoundStore(directory)
    assert store.load("progress") is None
    store.save("initial", ARRAYS, {})
    store.save("progress", ARRAYS, VALUES)
    if not in_memory:
        store = RoundStore(directory)
    arrays, values = store.load("progress")
    assert values == VALUES
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
    store.delete("progress")
    store.delete("progress")
    assert store.load("progress") is None


def test_what_a_killed_process_was_writing_is_cleared_away(tmp_path):
    RoundStore(tmp_path).save("initial", ARRAYS, VALUES)
    (tmp_path / ".progress.rounds.x1y2").write_bytes(b"half")
    RoundStore(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["initial.rounds"]


def test_a_folder_of_other_things_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ValueError, match=r"none of a training in rounds.*thesis.tex"):
        RoundStore(tmp_path)
    with pytest.raises(ValueError, match=r"must name a folder. Received: directory="):
        RoundStore(tmp_path / "thesis.tex")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_file_gets_a_sentence(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("rounds")
    store = RoundStore(folder)
    store.save("initial", ARRAYS, VALUES)
    path = folder / "initial.rounds"
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"training in rounds is damaged \(.*Received: "):
        store.load("initial")
