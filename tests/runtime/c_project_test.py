import numpy as np
import pytest

from keras_prune.runtime import c_project, emulator
from keras_prune.runtime.c_targets import TARGETS, find_target, source_root

HEADER = """\
#define MODEL_INPUT_0(arena) ((int8_t *)model_input((arena), 0))
#define MODEL_INPUT_0_SIZE 4
#define MODEL_OUTPUT_0(arena) ((const int8_t *)model_output((arena), 0))
#define MODEL_OUTPUT_0_SIZE 2
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "model.h").write_text(HEADER)
    return tmp_path


def test_a_folder_without_a_project_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"folder that `export_c` wrote. Received: directory="):
        c_project.run_c_project(tmp_path, np.zeros((1, 4), np.int8))


@pytest.mark.parametrize(
    "inputs",
    [
        np.zeros((1, 4), np.float32),
        np.zeros((2, 3), np.int8),
        np.zeros((0, 4), np.int8),
        np.zeros((), np.int8),
        (np.zeros((1, 4), np.int8),) * 2,
    ],
)
def test_inputs_that_do_not_fit_are_an_error(project, inputs):
    with pytest.raises(ValueError, match=r"one row an inference: int8 \(n, 4\). Received:"):
        c_project.run_c_project(project, inputs)


def test_a_missing_tool_is_an_error(project, monkeypatch):
    emulator.find_tool.cache_clear()
    monkeypatch.setenv("PATH", "/nonexistent")
    for target, tool in (
        ("host", "cc"),
        ("cortex-m4", "arm-none-eabi-gcc"),
        ("hexagon", "clang-19"),
    ):
        with pytest.raises(RuntimeError, match=f"needs `{tool}`"):
            c_project.run_c_project(project, np.zeros((1, 4), np.int8), target)


def test_a_project_that_does_not_compile_is_an_error(project):
    (project / "src" / "model.c").write_text("#error broken\n")
    with pytest.raises(RuntimeError, match=r"does not compile. .*error broken"):
        c_project.run_c_project(project, np.zeros((1, 4), np.int8))


def test_every_target_but_the_host_has_flags_and_a_board():
    for name, target in TARGETS.items():
        assert target.is_host == (name == "host")
        assert bool(target.flags) == (not target.is_host)
    assert find_target("cortex-m4").board.machine == "mps2-an386"
    assert not find_target("cortex-m0").long_multiply


def test_the_sources_of_the_kernels_are_found():
    assert (source_root() / "kernels" / "portable" / "tile_s8.c").is_file()
