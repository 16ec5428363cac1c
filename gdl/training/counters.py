"""What Keras's callbacks have counted, kept from one call of `gdl.train` to the next."""

from collections.abc import Sequence

import keras

COUNTING = (keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau, keras.callbacks.ModelCheckpoint)
NAMES = ("best", "wait", "best_epoch", "stopped_epoch", "cooldown_counter", "epochs_since_last_save")


class Counters(keras.callbacks.Callback):
    """Gives callbacks that count epochs the numbers that they had after the last finished one; give it to `fit` after them.

    Keras's callbacks start to count anew with each `fit`. With this one, a resumed training ends where an uninterrupted one
    would have.
    states: {epoch: {callback: {name: number}}}, as an earlier Counters left it.  done: the number of finished epochs.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback], states: dict, done: int):
        super().__init__()
        self.counting = {f"{i} {type(callback).__name__}": callback for i, callback in enumerate(callbacks) if isinstance(callback, COUNTING)}
        self.states = states
        self.before = states.get(str(done), {})

    def on_train_begin(self, logs=None):
        for name, callback in self.counting.items():
            vars(callback).update(self.before.get(name, {}))

    def on_epoch_end(self, epoch, logs=None):
        self.states[str(epoch + 1)] = {
            name: {key: value for key, value in vars(callback).items() if key in NAMES} for name, callback in self.counting.items()
        }

    def stopped(self) -> bool:
        """Whether an EarlyStopping has ended the training after the last finished epoch, and still would."""
        for name, callback in self.counting.items():
            before = self.before.get(name, {})
            if isinstance(callback, keras.callbacks.EarlyStopping) and before.get("stopped_epoch") and before.get("wait", 0) >= callback.patience:
                return True
        return False
