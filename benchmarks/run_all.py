"""Every benchmark, one after the other: `python -m benchmarks.run_all`, or `make bench`.

With `--microcontroller` only those that count instructions under QEMU: `make bench-mcu`. With
`--delegate` only those that time the delegate: `make bench-delegate`.
"""

import argparse
import importlib

MICROCONTROLLER = (
    "microcontroller",
    "dense_layers_mcu",
    "two_sided",
    "convolutions_mcu",
    "layers_by_core",
    "dsp",
    "gated_channels",
    "aarch64",
)
DELEGATE = ("kernel_table", "kernel_speeds", "delegate_layers", "delegate_networks")
BENCHMARKS = (
    *MICROCONTROLLER,
    *DELEGATE,
    "training_overhead",
    "one_shot",
    "surgery",
    "activation_density",
    "reconstruction",
    "applications",
    "granularity_pareto",
    "end_to_end",
)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--microcontroller", action="store_true", help="only those under QEMU")
    parser.add_argument("--delegate", action="store_true", help="only those of the delegate")
    arguments = parser.parse_args(argv)
    names = MICROCONTROLLER if arguments.microcontroller else BENCHMARKS
    for name in DELEGATE if arguments.delegate else names:
        print(f"== {name}")
        importlib.import_module(f"benchmarks.{name}").main([])


if __name__ == "__main__":
    main()
