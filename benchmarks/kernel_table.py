"""The kernels of the library, as a table in the documents: `python -m benchmarks.kernel_table`.

Nothing is measured: the program that reads the library's own kernel table prints it.
"""

import subprocess

from benchmarks import results

NAME = "kernels"
PROGRAM = results.REPOSITORY / "build" / "native" / "tflite_kernels" / "spk_bench"


def table():
    """The Markdown that the library's benchmark program prints."""
    done = subprocess.run([PROGRAM, "--table"], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def main(argv=None):
    del argv
    results.write_tables(NAME, table())


if __name__ == "__main__":
    main()
