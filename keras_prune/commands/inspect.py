"""`keras-prune inspect`."""

SUMMARY = "list the weights of a file: zeros, bytes, multiply-accumulates"
DESCRIPTION = """\
List the weights of a Keras (.keras, .h5) or TensorFlow Lite file: zeros, bytes and
multiply-accumulates.

example:
  keras-prune inspect model.tflite
"""


def add_arguments(parser):
    """Add what the command takes to its parser."""
    parser.add_argument("file", metavar="FILE", help="a .keras, .h5 or .tflite file")


def run(arguments):
    """The report to print."""
    from keras_prune.report.inspection import inspect_file

    return inspect_file(arguments.file)
