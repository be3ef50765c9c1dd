"""Every benchmark, one after the other: `python -m benchmarks.run_all`, or `make bench`."""

import importlib

BENCHMARKS = (
    "kernel_table",
    "microcontroller",
    "two_sided",
    "gated_channels",
    "delegate_layers",
    "training_overhead",
    "one_shot",
    "surgery",
    "activation_density",
    "reconstruction",
    "applications",
    "end_to_end",
)


def main():
    for name in BENCHMARKS:
        print(f"== {name}")
        importlib.import_module(f"benchmarks.{name}").main([])


if __name__ == "__main__":
    main()
