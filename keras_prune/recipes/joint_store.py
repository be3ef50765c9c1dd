"""What joint pruning remembers between its stages, in memory or in a directory."""

import dataclasses
import json
import pathlib

import numpy as np

from keras_prune.cost_report import CostReport, LayerCost
from keras_prune.files import write_atomically
from keras_prune.model_cost import cost
from keras_prune.recipes.round_checks import check_same, make_directory

_FILE = "joint.json"


class JointStore:
    """JSON-able values of one call, and folders for its trainings.

    Args:
        directory: Path-like or `None`. Made where it is missing. `None` keeps everything in
            memory.
        settings: Dict from str to objects. What the call was asked for; compared by `repr`.
        seed: Int or `None` for one that is drawn, or remembered.

    Attributes:
        values: Dict, filled from the file where there is one.
        seed: Int.

    Raises:
        ValueError: If the directory holds other files, a damaged one, or those of another call.
    """

    def __init__(self, directory, settings, seed):
        self.directory = None if directory is None else pathlib.Path(directory)
        self.seed = int(np.random.randint(2**31)) if seed is None else seed
        self.values = {
            "settings": {name: repr(value) for name, value in settings.items()},
            "seed": self.seed,
            "costs": {},
            "curves": {},
        }
        if self.directory is not None:
            self._open({**settings, "seed": seed})

    def _open(self, settings):
        make_directory(self.directory)
        for left in self.directory.glob(f".{_FILE}.*"):  # what a killed process was writing
            left.unlink()
        file = self.directory / _FILE
        if file.exists():
            self.values = _read(file)
            stored = {**self.values["settings"], "seed": repr(self.values["seed"])}
            if settings["seed"] is None:
                settings["seed"] = self.values["seed"]
            check_same(settings, stored)
            self.seed = self.values["seed"]
            return
        strangers = sorted(path.name for path in self.directory.iterdir())
        if strangers:
            raise ValueError(
                "`directory` holds files, but none of a joint pruning; name a new or an empty "
                f"one. Received: directory={str(self.directory)!r} with {strangers}"
            )

    def save(self):
        """Write the values, all at once."""
        if self.directory is not None:
            write_atomically(self.directory / _FILE, json.dumps(self.values).encode())

    def folder(self, name):
        """Where the training of a stage keeps its state: a path, or `None`."""
        return None if self.directory is None else self.directory / name

    def cost(self, stage, model, data):
        """The `kp.CostReport` of a stage: counted once, for its weights may be gone later."""
        if stage not in self.values["costs"]:
            self.values["costs"][stage] = dataclasses.asdict(cost(model, data=data))
            self.save()
        values = self.values["costs"][stage]
        layers = tuple(LayerCost(**layer) for layer in values["layers"])
        return CostReport(**{**values, "layers": layers})


def _read(file):
    try:
        values = json.loads(file.read_bytes())
        if not all(isinstance(values[name], dict) for name in ("settings", "costs", "curves")):
            raise TypeError("its parts are no tables")
        if not isinstance(values["seed"], int):
            raise TypeError("its seed is no number")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"A file of a joint pruning is damaged ({error}). Delete its directory to begin "
            f"anew. Received: {str(file)!r}"
        ) from error
    return values
