"""Stands in for pip in the tests of the download: see `__main__.py`."""
