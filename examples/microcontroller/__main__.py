"""A digit model for a microcontroller: trained, pruned, exported, compiled, asked.

    python -m examples.microcontroller

Ends with what a Cortex-M4 in QEMU says about the first test images. The firmware beside this
file is a program as one would write it for a board.
"""

import argparse
import os
import pathlib
import subprocess
import tempfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

import keras_prune as kp
from examples import datasets, litert

FIRMWARE = pathlib.Path(__file__).parent / "firmware"


def build_model(input_shape, classes=10):
    """Two convolutions and two dense layers."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(classes, activation="softmax"),
        ]
    )


def train(data, epochs, sparsity, seed):
    """Train a model, then go on while four of five weights go.

    Returns:
        The pruned model.
    """
    keras.utils.set_random_seed(seed)
    model = build_model(data.input_shape)
    for count, callbacks in zip(epochs, ([], [kp.PruneCallback(sparsity=sparsity)]), strict=True):
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(*data.train, batch_size=32, epochs=count, callbacks=callbacks, verbose=0)
    return model


def write_images(path, images, labels):
    """Write int8 images and their labels as constants in C."""
    rows = ["{" + ", ".join(map(str, image.ravel().tolist())) + "}" for image in images]
    path.write_text(
        "// Images as the model takes them, and what they show.\n#include <stdint.h>\n\n"
        f"enum {{ IMAGE_COUNT = {len(images)} }};\n"
        f"static const int8_t images[IMAGE_COUNT][{images[0].size}] = {{\n"
        + ",\n".join(rows)
        + "};\n"
        + f"static const int labels[IMAGE_COUNT] = {{{', '.join(map(str, labels))}}};\n"
    )


def run(folder, epochs=(10, 10), sparsity=0.8, count=20, seed=0):
    """Go the whole way in a folder.

    Args:
        folder: Path-like. Gets the .tflite file, the C project and the firmware.
        epochs: Pair of ints. Without and with pruning.
        sparsity: Float.
        count: Int. How many test images the firmware has.
        seed: Int.

    Returns:
        Tuple: the report of the C project, what it says to the images on this machine, and what
        the firmware prints.
    """
    folder = pathlib.Path(folder).resolve()
    data = datasets.load("digits")
    model = train(data, epochs, sparsity, seed)
    kp.export_tflite(
        model, folder / "digits.tflite", quantize="int8", representative_data=data.train[0][:200]
    )
    report = kp.export_c(folder / "digits.tflite", folder / "digits_c", name="digits")
    images, labels = (part[:count] for part in data.test)
    details = litert.interpreter_for(folder / "digits.tflite").get_input_details()[0]
    (folder / "build").mkdir(exist_ok=True)
    values = litert.quantize(images, details)
    write_images(folder / "build" / "images.h", values, labels)
    answers = kp.run_c_project(folder / "digits_c", values, target="host").outputs.argmax(axis=1)
    make = ["make", "--silent", "-C", str(FIRMWARE), f"MODEL={folder / 'digits_c'}"]
    make += [f"BUILD={folder / 'build'}", "run"]
    console = subprocess.run(make, capture_output=True, text=True, check=True).stdout
    return report, answers, console


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sparsity", type=float, default=0.8)
    parser.add_argument("--folder", help="where files stay; default: a temporary one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        report, _, console = run(arguments.folder or temporary, sparsity=arguments.sparsity)
    print(report, console, sep="\n\n")


if __name__ == "__main__":
    main()
