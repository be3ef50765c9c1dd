"""Instructions on a Cortex-M4 stay within their budgets, and two ways of counting agree."""

import pathlib

import numpy as np
import pytest

from keras_prune.export.c import export_c
from keras_prune.runtime.c_project import run_c_project
from keras_prune.runtime.c_targets import TARGETS, source_root
from keras_prune.runtime.emulator import build_program, emulate
from tests.export import c_budgets
from tests.export.c_model_builder import needs_qemu
from tests.export.c_networks import SIZE, pruned_network

# QEMU's clock, 25 MHz, ticks once in 40 instructions of one nanosecond.
TICK = 40


@needs_qemu
@pytest.mark.parametrize("case", c_budgets.CASES)
def test_no_case_takes_half_a_percent_more_than_its_budget(case):
    kept = c_budgets.budgets().get(c_budgets.compiler())
    if kept is None:
        pytest.skip(f"There are no budgets for arm-none-eabi-gcc {c_budgets.compiler()}.")
    assert c_budgets.measure(case) <= 1.005 * kept[case]


@needs_qemu
def test_the_timer_inside_the_program_agrees_with_the_plugin(tmp_path):
    # -icount makes time out of instructions; SysTick measures it without any plugin.
    export_c(pruned_network(tmp_path / "network.tflite"), tmp_path / "c", "cortex-m4")
    inputs = np.zeros((1, SIZE), np.int8)  # as the arena is after model_init
    (counted,) = run_c_project(tmp_path / "c", inputs, "cortex-m4").instructions
    sources = [*(tmp_path / "c").glob("src/**/*.c"), pathlib.Path(__file__).parent / "systick.c"]
    sources.append(source_root() / "micro" / "boards" / "syscalls.c")
    program, target = tmp_path / "program", TARGETS["cortex-m4"]
    build_program(sources, [tmp_path / "c" / "src"], target, program, ["-O3"])
    ticks = int(emulate(program, target.board, tmp_path, ["-icount", "shift=0,sleep=off"]))
    assert abs(ticks * TICK - counted) <= 2 * TICK
    assert counted > 1000 * TICK
