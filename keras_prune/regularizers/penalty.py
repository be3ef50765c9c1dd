"""What a penalty is: how it enters a model's training and leaves it again."""

import inspect

from keras_prune.optimizer_variables import forget_state, keep_state
from keras_prune.registry import Configurable, Registry

PENALTIES = Registry("penalty")
_ATTACHED = "_keras_prune_penalties"


class Penalty(Configurable):
    """Base class: pulls weights towards zero while a Keras optimizer trains them.

    In `fit()` use `kp.RegularizeCallback`, a thin shell over this class. Subclasses write
    `_enter` and `_leave`, and `_begin` and `_advance` where something changes between steps.

    Example:

    ```python
    penalty = kp.ProximalL1(1e-3)
    with penalty.attach(model):
        for x, y in batches:
            train_step(model, x, y)      # compiled after `attach`
            penalty.step()
    ```

    In a JAX loop with `stateless_apply`, read `optimizer.variables` after `attach`, and assign
    the state to the variables before `step()`.

    Attributes:
        model: `keras.Model` or `None`. What it is attached to.
        weights: List of `PrunableWeight`. The kernels that it acts on.
    """

    model = None
    weights = ()
    optimizer = None
    fit = None  # what tells one `fit` from the next; `None` outside

    def attach(self, model, total_steps=None, initial_step=0, optimizer=None, filters=None):
        """Act on a model's kernels until `detach`.

        Args:
            model: Built `keras.Model`.
            total_steps: Int or `None`. Steps of the whole training, from step 0 on. Needed
                where something happens at a fraction of training. Defaults to `None`.
            initial_step: Int or `None`. Steps done already. `None` leaves the begin to a call
                of `start`. Defaults to `0`.
            optimizer: `keras.optimizers.Optimizer` that trains the kernels. Defaults to the one
                that the model is compiled with.
            filters: Regex string, list of them, or callable(layer) -> bool. Only layers that
                match. Defaults to all layers.

        Returns:
            The penalty, also as a context manager that detaches.

        Raises:
            ValueError: If there is no optimizer, or no kernel that the penalty can act on.
        """
        self.detach()
        optimizer = optimizer or getattr(model, "optimizer", None)
        self._check_optimizer(optimizer)
        if optimizer is not None and not optimizer.built:
            optimizer.build(model.trainable_variables)
        self.model, self.optimizer = model, optimizer
        try:
            self._enter(filters, total_steps)
        except ValueError:
            self.model = None  # nothing was changed yet
            raise
        vars(model).setdefault(_ATTACHED, []).append(self)
        if self.keeps_state and optimizer is not None:
            keep_state(optimizer, self)
        if initial_step is not None:
            self.start(initial_step)
        return self

    def start(self, step):
        """Begin, or go on, at a step.

        Args:
            step: Int. Optimizer steps done.
        """
        self._step = step
        self._begin(step)

    def step(self):
        """Count one optimizer step of a training loop of one's own."""
        self._step += 1
        self.update(self._step)

    def update(self, step):
        """Do what is due between two steps of training.

        Args:
            step: Int. Optimizer steps done.
        """
        self._advance(step)

    def end_epoch(self, logs):
        """Do what is due at the end of an epoch.

        Args:
            logs: Dict from names to floats, the results of the epoch, such as `val_loss`.

        Returns:
            Dict from names to floats: what to log besides.
        """
        del logs
        return {}

    def finish(self):
        """Do what is due when training has ended, before `detach`."""

    def detach(self):
        """Leave the model and its optimizer as they were, but for the values of the weights."""
        if self.model is None:
            return
        if self.keeps_state and self.optimizer is not None:
            forget_state(self.optimizer, self)
        self._leave()
        attached = vars(self.model)[_ATTACHED]
        attached[:] = [penalty for penalty in attached if penalty is not self]
        self.model = self.fit = None

    @property
    def keeps_state(self):
        """Bool. Whether more than the weights must be saved to go on."""
        return type(self).state is not Penalty.state

    def state(self):
        """What a training that was interrupted needs to go on.

        It is saved and restored with the optimizer, in `.weights.h5` and `.keras` files. Loops
        that save otherwise save this.

        Returns:
            Dict from names to numpy arrays; empty where the weights say all.
        """
        return {}

    def restore(self, state):
        """Go on from a state: call it after `attach(..., initial_step=None)`, before `start`.

        Args:
            state: Dict that `state` returned, for the same model and arguments.
        """
        del state

    def get_config(self):
        names = inspect.signature(type(self).__init__).parameters
        return {name: getattr(self, name) for name in names if name != "self"}

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.detach()

    def _check_optimizer(self, optimizer):
        if optimizer is None:
            raise ValueError(
                f"{self!r} acts in the steps of a Keras optimizer: compile the model with one, or "
                "pass `optimizer`. Received: optimizer=None"
            )

    def _enter(self, filters, total_steps):
        raise NotImplementedError(f"`{type(self).__name__}` must implement `_enter`.")

    def _leave(self):
        raise NotImplementedError(f"`{type(self).__name__}` must implement `_leave`.")

    def _begin(self, step):
        self._advance(step)

    def _advance(self, step):
        pass


PENALTIES.base = Penalty


def detach_stale(model, fit):
    """Take away the penalties that an earlier `fit`, one that broke off, has left."""
    for penalty in list(vars(model).get(_ATTACHED, ())):
        if penalty.fit is not None and penalty.fit is not fit:
            penalty.detach()


def check_strength(name, value):
    """Refuse what is not a finite number >= 0."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0.0 <= value < float("inf"):
        raise ValueError(
            f"Argument `{name}` must be a finite number >= 0. Received: {name}={value!r}"
        )
    return float(value)
