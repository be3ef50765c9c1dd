"""Files and folders appear whole or not at all."""

import os

import pytest

from keras_prune.files import directory_atomically, write_atomically


def test_write_replaces_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.tflite"]


def test_write_obeys_the_umask(tmp_path):
    mask = os.umask(0o027)
    try:
        write_atomically(tmp_path / "file", b"")
    finally:
        os.umask(mask)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_folder_is_replaced_whole(tmp_path):
    path = tmp_path / "project"
    path.mkdir()
    (path / "stale.c").write_text("")
    with directory_atomically(path) as folder:
        (folder / "model.c").write_text("int x;")
        assert (path / "stale.c").exists()
    assert [entry.name for entry in path.iterdir()] == ["model.c"]
    assert len(list(tmp_path.iterdir())) == 1


def test_folder_stays_as_it_was_on_an_error(tmp_path):
    path = tmp_path / "project"
    path.mkdir()
    (path / "model.c").write_text("old")
    with pytest.raises(ValueError, match="stop"), directory_atomically(path) as folder:
        (folder / "model.c").write_text("new")
        raise ValueError("stop")
    assert (path / "model.c").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1
