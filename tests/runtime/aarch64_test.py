"""The kernels for 64-bit Arm, built for it and run on processors of QEMU.

Here is a part that takes seconds; how all C tests run there, docs/delegate.md says.
"""

import pytest

from benchmarks import aarch64
from keras_prune.runtime.emulator import call
from tests.export.c_model_builder import needs

needs_aarch64 = needs("aarch64-linux-gnu-gcc", "qemu-aarch64", "cc")
# What a processor lacks.
PROCESSORS = {"max": set(), "cortex-a76": {"neoni8mm"}, "cortex-a53": {"neondot", "neoni8mm"}}


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The folder of the C tests; -O1 compiles sooner, and is fast enough."""
    folder = tmp_path_factory.mktemp("aarch64")
    mains = ["tests/kernel_test.c", "tests/cost_rule_test.c", "bench/count.c"]
    aarch64.build(folder, ["aarch64-linux-gnu-gcc", "-O1"], mains)
    return folder


@needs_aarch64
@pytest.mark.parametrize("processor", PROCESSORS)
def test_kernels_equal_the_reference_on(processor, programs):
    emulator = ["qemu-aarch64", "-cpu", processor, "-L", aarch64.LIBRARIES]
    printed = call([*emulator, "./kernel_test", "10"], programs, "A kernel differs")
    assert printed.endswith("ok\n")
    absent = {line.split("__")[-1] for line in printed.splitlines() if line.startswith("not on")}
    assert absent == PROCESSORS[processor]
    call([*emulator, "./cost_rule_test"], programs, "The rule chooses a wrong kernel")


@needs_aarch64
def test_a_kernel_executes_fewer_instructions_than_the_dense_one(programs):
    layer, pattern = "1:1024:128:1", "0.1:16:4"
    cases = [
        f"spk_fully_connected_s8_{name}__neondot:{layer}:{pattern}"
        for name in ("dense", "blocks16x4")
    ]
    (dense, expected), (sparse, total) = aarch64.count(programs, cases)
    assert total == expected
    assert dense > 3 * sparse > 0
    with pytest.raises(RuntimeError, match=r"No such kernel here.*Received: nothing:"):
        aarch64.count(programs, [f"nothing:{layer}:{pattern}"])
