"""Builds the course's site from the repository alone, without network and without executing anything.

    python site/build.py                              build/site/html/, to open from the folder or to put on any static host
    python site/build.py --executed build/chapters    with the outputs of `chapters/build.py` in place of the committed ones
    python site/build.py --out FOLDER                 writes it there, and its working files into FOLDER_work

The pages link to each other by relative addresses.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tools")]

from set_address import homepage  # noqa: E402

from builder import ROOT, api, links, notebooks, pages, translations  # noqa: E402

PLAYGROUNDS = ("faces", "toy")  # pages of their own, which run in the browser


def main():
    parser = argparse.ArgumentParser(description="Builds the course's site.")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site" / "html", help="the folder of the site; the default is build/site/html")
    parser.add_argument("--executed", type=Path, help="a folder of executed chapters, whose outputs are shown in place of the committed ones")
    options = parser.parse_args()
    start = time.monotonic()
    work = options.out.with_name(f"{options.out.name}_work").resolve()
    source = stage(work / "source", options.executed)
    if (options.out / "searchindex.js").is_file():
        shutil.rmtree(options.out)  # pages of files that are gone
    sphinx("html", source, options.out)
    for language in translations.languages():
        names = translations.pages(language)
        folder = translations.stage(source, work / f"source_{language}", names)
        sphinx("html", folder, options.out / language, language, root=names[0])
        translations.share_static(options.out / language, language)
    for name in PLAYGROUNDS:
        shutil.copytree(HERE / name, options.out / name, ignore=shutil.ignore_patterns("weights"))
    run(sys.executable, ROOT / "tools" / "web_faces.py", "--out", options.out / "faces" / "weights")
    (options.out / ".nojekyll").touch()  # GitHub's pages leave out folders such as _static without it
    size = sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file())
    print(f"{options.out}: {len(list(options.out.rglob('*.html')))} pages, {size / 1e6:.0f} MB, {time.monotonic() - start:.0f} s")


def stage(source, executed=None):
    """Writes everything that Sphinx reads into a new folder. A file that has not changed keeps its time, so that Sphinx leaves it alone."""
    fresh = source.with_name("fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    pages.stage(fresh)
    api.stage(fresh)
    for name in sorted(links.shown()):
        if name.endswith(".ipynb"):
            other = executed and name.startswith("chapters/") and executed / Path(name).name
            notebooks.stage(name, fresh, homepage(), other if other and other.is_file() else ROOT / name)
    for path in fresh.rglob("*"):
        old = source / path.relative_to(fresh)
        if path.is_file() and old.is_file() and old.read_bytes() == path.read_bytes():
            os.utime(path, (old.stat().st_atime, old.stat().st_mtime))
    shutil.rmtree(source, ignore_errors=True)
    fresh.rename(source)
    return source


def sphinx(builder, source, out, language="en", root="index", strict=True):
    """Runs Sphinx. If strict, a warning is an error: a link that leads nowhere, a figure that is missing, a page in no list."""
    command = [sys.executable, "-m", "sphinx", "--jobs", "auto", "--builder", builder]
    command += ["--conf-dir", HERE, "--doctree-dir", source.with_name(f"{source.name}_{builder}")]
    command += ["--define", f"language={language}", "--define", f"root_doc={root}", source, out]
    command += ["--quiet", "--fail-on-warning", "--keep-going"] if strict else ["-Q"]
    run(*command)


def run(*command):
    if subprocess.run([str(part) for part in command], cwd=ROOT).returncode:
        sys.exit("The site was not built: see the lines above.")


if __name__ == "__main__":
    main()
