"""`keras-prune bench`."""

SUMMARY = "time files in LiteRT, with and without the delegate"
DESCRIPTION = """\
Time TensorFlow Lite files in LiteRT, with its own kernels and with the delegate, in turns. Name
the dense files first: speeds are relative to the first row.

example:
  keras-prune bench dense.tflite dense_int8.tflite sparse_int8.tflite --threads 2
"""


def add_arguments(parser):
    """Add what the command takes to its parser."""
    parser.add_argument("files", metavar="FILE", nargs="+", help="a .tflite file")
    parser.add_argument("--threads", type=int, default=1, help="threads (default 1)")
    parser.add_argument("--runs", type=int, default=15, help="rounds (default 15)")
    parser.add_argument("--no-delegate", action="store_true", help="time LiteRT alone")
    parser.add_argument(
        "--delegate-option",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="an option of the delegate, such as min_sparsity=0.5; may be repeated",
    )


def run(arguments):
    """The report to print."""
    from keras_prune.runtime.benchmark import benchmark

    options = {}
    for text in arguments.delegate_option:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"A delegate option is NAME=VALUE. Received: --delegate-option {text}")
        options[name] = value
    if arguments.no_delegate and options:
        raise ValueError("Option --delegate-option needs the delegate. Received: --no-delegate")
    return benchmark(
        arguments.files,
        delegate=False if arguments.no_delegate else options or True,
        threads=arguments.threads,
        runs=arguments.runs,
    )
