"""Whether the reader sits in a notebook."""

import sys


def in_notebook():
    """Whether the code runs in Jupyter or Colab, where pictures can be displayed."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")
