"""Names for objects: every string argument also takes the object itself."""

import keras

PACKAGE = "keras_prune"


class Registry:
    """Looks up the objects of one kind by name.

    Args:
        argument: Str. The public argument that takes these objects, for error texts.
        also: Tuple of str. Examples of names that are understood besides the registered ones.
    """

    def __init__(self, argument, also=()):
        self.argument = argument
        self.also = also
        self.factories = {}
        self.base = None

    def register(self, name=None):
        """Class decorator: makes a class serializable and, with a name, known by it.

        Args:
            name: Str or `None`. What users type. `None`: the class needs arguments.
        """

        def decorate(cls):
            if name is not None:
                self.factories[name] = cls
            return keras.saving.register_keras_serializable(package=PACKAGE)(cls)

        return decorate

    def get(self, identifier):
        """Turn a name, a configuration or an object into the object.

        Args:
            identifier: Str, a dict from `keras.saving.serialize_keras_object`, or an object.

        Returns:
            An instance of the registry's base class.

        Raises:
            ValueError: If the name is unknown or the object of another kind.
        """
        if isinstance(identifier, dict):
            identifier = keras.saving.deserialize_keras_object(identifier)
        if isinstance(identifier, str) and identifier in self.factories:
            return self.factories[identifier]()
        if isinstance(identifier, self.base):
            return identifier
        raise ValueError(
            f"Invalid value for argument `{self.argument}`. Expected one of "
            f"{[*sorted(self.factories), *self.also]} or a `{self.base.__name__}` object. "
            f"Received: {self.argument}={identifier!r}"
        )


class Configurable:
    """Saves an object as the arguments it was made with."""

    def get_config(self):
        """Returns the arguments that make this object again, as JSON-able values."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config):
        """Makes the object that `get_config` described."""
        return cls(**config)

    def __repr__(self):
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"

    def __eq__(self, other):
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self):
        return hash(repr(self))


def check_sparsity(name, value):
    """Refuse what is not a sparsity: a number in [0, 1)."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0.0 <= value < 1.0:
        raise ValueError(
            f"Argument `{name}` is the fraction of weights to set to zero and must be a number "
            f"in [0, 1). Received: {name}={value!r}"
        )
    return float(value)
