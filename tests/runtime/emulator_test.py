"""Boards of QEMU: exit codes, printing, allocation; a small part of `make check-qemu`."""

import pytest

from keras_prune.runtime.c_targets import TARGETS, source_root
from keras_prune.runtime.emulator import build_program, emulate
from tests.export.c_model_builder import needs_qemu
from tests.export.c_networks import pruned_network
from tools import check_qemu

PRINTS = """
#include <stdio.h>
#include <stdlib.h>
int main(void) {
  char *text = malloc(1000);
  if (text == NULL || malloc(100 << 20) != NULL) return 4;
  sprintf(text, "%d and %.2f", 42, 0.5);
  puts(text);
  return CODE;
}
"""


def run(folder, core, text, *flags):
    (folder / "program.c").write_text(text)
    sources = [folder / "program.c", source_root() / "micro" / "boards" / "syscalls.c"]
    build_program(sources, [], TARGETS[core], folder / "program", ["-u_printf_float", *flags])
    return emulate(folder / "program", TARGETS[core].board, folder)


@needs_qemu
@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4", "cortex-m55"])
def test_programs_print_allocate_and_end(tmp_path, core):
    assert run(tmp_path, core, PRINTS, "-DCODE=0") == "42 and 0.50\n"
    with pytest.raises(RuntimeError, match=r"failed under QEMU.* exit code 3.*42 and 0.50"):
        run(tmp_path, core, PRINTS, "-DCODE=3")


@needs_qemu
def test_a_fault_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match=r"exit code 99.*the processor faulted"):
        run(tmp_path, "cortex-m4", "int main(void) { __builtin_trap(); }")


@needs_qemu
@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m55"])
def test_kernel_tests_pass_on_boards(tmp_path, core):
    tests = check_qemu.kernel_tests(core)
    assert {"portable_s8_test", "stream_s8_test"} <= {test.stem for test in tests}
    objects = check_qemu.build_kernels(core, tmp_path)
    check_qemu.run_kernel_test(tests[0], core, tmp_path, objects)


@needs_qemu
def test_a_model_runs_in_16_kilobytes(tmp_path):
    path = pruned_network(tmp_path / "network.tflite")
    expected = check_qemu.run_here(path, tmp_path)
    check_qemu.run_on_the_microbit(path, "cortex-m0", tmp_path, expected)
    with pytest.raises(RuntimeError, match="differ"):
        check_qemu.run_model(path, "cortex-m3", tmp_path, expected + 1)
