"""Makes the tree of pages that Sphinx reads, from the notebooks and pages of the repository. Nothing is executed."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # of the repository
SITE = ROOT / "site"
