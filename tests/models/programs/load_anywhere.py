"""Loads what test_saving.py has saved into a folder, in a process that has imported gdl and Keras in a given order and nothing else.

Arguments: the order ("gdl keras", "keras gdl", "keras"), the folder. Prints the largest difference of the
outputs for each file as JSON, or the kind of error.
"""

import importlib
import json
import sys
from pathlib import Path

for name in sys.argv[1].split():
    importlib.import_module(name)
assert "gdl.models.fast_layers" not in sys.modules
import keras  # noqa: E402
import numpy as np  # noqa: E402

folder, found = Path(sys.argv[2]), {}
z, x = np.load(folder / "z.npy"), np.load(folder / "x.npy")
for file in sorted([*folder.glob("*.keras"), *folder.glob("*.h5")]):
    try:
        network = keras.models.load_model(file, compile=False)
    except Exception as error:
        found[file.name] = type(error).__name__
        continue
    network = getattr(network, "decoder", getattr(network, "network", network))
    out = keras.tree.flatten(network(z if len(network.input_shape) == 2 else x))
    wanted = np.load(folder / f"{file.name}.npy")
    found[file.name] = float(max(np.abs(np.asarray(part) - right).max() for part, right in zip(out, wanted, strict=True)))
print(json.dumps(found))
