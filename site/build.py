"""Builds the course's site from the repository alone, without network and without executing anything.

    python site/build.py                   build/site/html/, to open from the folder or to put on any static host
    python site/build.py --out dist/site   writes it there
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

from builder import OUT, ROOT, api, links, notebooks, pages  # noqa: E402
from set_address import homepage  # noqa: E402

PLAYGROUNDS = ("faces", "toy")  # pages of their own, which run in the browser


def main():
    parser = argparse.ArgumentParser(description="Builds the course's site.")
    parser.add_argument("--out", type=Path, default=OUT / "html", help="the folder of the site; the default is build/site/html")
    options = parser.parse_args()
    start = time.monotonic()
    source = stage(OUT / "source")
    sphinx("html", source, options.out)
    for language in languages():
        sphinx("html", translated(source, language), options.out / language, language)
    for name in PLAYGROUNDS:
        if (HERE / name).is_dir():
            shutil.copytree(HERE / name, options.out / name, dirs_exist_ok=True)
    (options.out / ".nojekyll").touch()  # GitHub's pages leave out folders such as _static without it
    size = sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file())
    print(f"{options.out}: {len(list(options.out.rglob('*.html')))} pages, {size / 1e6:.0f} MB, {time.monotonic() - start:.0f} s")


def stage(source):
    """Writes everything that Sphinx reads into a new folder. A file that has not changed keeps its time, so that Sphinx leaves it alone."""
    fresh = source.with_name("fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    pages.stage(fresh)
    api.stage(fresh)
    for name in sorted(links.shown()):
        if name.endswith(".ipynb"):
            notebooks.stage(name, fresh, homepage())
    for path in fresh.rglob("*"):
        old = source / path.relative_to(fresh)
        if path.is_file() and old.is_file() and old.read_bytes() == path.read_bytes():
            os.utime(path, (old.stat().st_atime, old.stat().st_mtime))
    shutil.rmtree(source, ignore_errors=True)
    fresh.rename(source)
    return source


def languages():
    return sorted(path.name for path in (HERE / "locale").iterdir() if (path / "LC_MESSAGES").is_dir())


def translated(source, language):
    """A folder with the pages that have a catalogue in this language. The first of them is the index."""
    folder = source.with_name(f"source_{language}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in sorted((HERE / "locale" / language / "LC_MESSAGES").glob("*.po")):
        shutil.copyfile(source / f"{path.stem}.md", folder / f"{path.stem}.md")
    return folder


def sphinx(builder, source, out, language="en"):
    """Runs Sphinx. A warning is an error: a link that leads nowhere, a figure that is missing, a page in no list."""
    command = [sys.executable, "-m", "sphinx", "--jobs", "auto", "--quiet", "--fail-on-warning", "--keep-going", "--builder", builder]
    command += ["--conf-dir", HERE, "--doctree-dir", OUT / f"doctrees_{builder}_{language}", "--define", f"language={language}", source, out]
    done = subprocess.run([str(part) for part in command], cwd=ROOT)
    if done.returncode:
        sys.exit("The site was not built: see the lines above.")


if __name__ == "__main__":
    main()
