"""Every benchmark, one after the other: `python -m benchmarks.run_all`, or `make bench`.

With `--microcontroller` only those that count instructions under QEMU: `make bench-mcu`.
"""

import argparse
import importlib

MICROCONTROLLER = (
    "microcontroller",
    "dense_layers_mcu",
    "two_sided",
    "convolutions_mcu",
    "dsp",
    "gated_channels",
    "aarch64",
)
BENCHMARKS = (
    "kernel_table",
    *MICROCONTROLLER,
    "delegate_layers",
    "training_overhead",
    "one_shot",
    "surgery",
    "activation_density",
    "reconstruction",
    "applications",
    "end_to_end",
)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--microcontroller", action="store_true", help="only those under QEMU")
    for name in MICROCONTROLLER if parser.parse_args(argv).microcontroller else BENCHMARKS:
        print(f"== {name}")
        importlib.import_module(f"benchmarks.{name}").main([])


if __name__ == "__main__":
    main()
