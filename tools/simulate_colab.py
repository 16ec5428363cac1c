"""Runs exercises as Colab would: from an empty folder, beside a TensorFlow and a Jupyter that are there already and have to stay.

    python tools/simulate_colab.py                                       all solutions, with the oldest versions that pyproject.toml admits
    python tools/simulate_colab.py --versions newest 02_vae 05_wgan      these, with the versions of constraints.txt
    python tools/simulate_colab.py --versions colab --python python3.12  with those of Colab in February 2026
    python tools/simulate_colab.py --site-packages DIR --python PYTHON   with the packages of an environment that is there

The environment is made in build/colab/ (large, some minutes, once). The first notebook runs with the wheel beside it, with the wheel
in Google Drive, with the wheel's address and without any of them, the others with the wheel beside them. Every cell has to run, with
GDL_CHECKS=raise, and TensorFlow, Keras, NumPy and all other packages have to stay as they were. Not part of `make test-all`, which runs the
set-up cell alone in the same ways (tests/instructor/test_set_up.py).
"""

import argparse
import functools
import http.server
import json
import os
import random
import re
import shutil
import string
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path

import nbformat
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from packaging.requirements import Requirement

from gdl.instructor.wheel import course_wheel

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NEEDS = [Requirement(text) for text in PROJECT["dependencies"]]
JUPYTER = ["ipykernel==6.17.1", "ipython==7.34.0", "ipywidgets==7.7.1", "jupyter-client==7.4.9"]  # those of Colab for years now
COLAB = (
    "tensorflow==2.19.0 keras==3.10.0 numpy==2.0.2 pandas==2.2.2 matplotlib==3.10.0 scikit-learn==1.6.1 "
    "scipy==1.16.3 pillow==11.3.0 tqdm==4.67.1 plotly==5.24.1"
).split()
VERSIONS = {
    "oldest": [f"{need.name}=={min(specifier.version for specifier in need.specifier)}.*" for need in NEEDS] + JUPYTER,
    "colab": COLAB + JUPYTER,
    "newest": [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.split("==")[0] in {need.name for need in NEEDS}]
    + ["ipykernel"],
}
WAYS = ("beside", "drive", "address", "nothing")
REPORT = """
import json
from importlib.metadata import version
print(json.dumps({name: version(name) for name in ("tensorflow", "keras", "numpy")}))
"""


def main():
    parser = argparse.ArgumentParser(description="Runs exercises as Colab would.")
    parser.add_argument("notebooks", nargs="*", help="such as 02_vae; all without any")
    parser.add_argument("--versions", choices=VERSIONS, default="oldest")
    parser.add_argument("--python", default=sys.executable, help="the Python to simulate with")
    parser.add_argument("--site-packages", help="a folder of installed packages to use instead of --versions")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    options = parser.parse_args()
    packages = options.site_packages or environment(options.versions, options.python)
    paths = sorted((ROOT / "solutions").glob("[0-9][0-9]_*.ipynb"))
    paths = [path for path in paths if not options.notebooks or path.stem in options.notebooks]
    wheel, failed = course_wheel(), 0
    for number, path in enumerate(paths):
        for way in options.ways if number == 0 else ("beside",):
            start = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                problem = run(nbformat.read(path, as_version=4), way, wheel, Machine(Path(folder), options.python, packages))
            failed += bool(problem)
            print(f"{path.stem:24} {way:8} {time.monotonic() - start:5.0f} s  {problem or 'as it should'}", flush=True)
    sys.exit(bool(failed))


def environment(name, python):
    """The site-packages of a virtual environment with these versions and without gdl, made where it is missing."""
    tag = subprocess.run(
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True, check=True
    ).stdout.strip()
    folder = ROOT / "build" / "colab" / f"{name}-{tag}"
    if not (folder / "ready").is_file():
        print(f"Installing {' '.join(VERSIONS[name])} for Python {tag} into {folder}", flush=True)
        subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", *VERSIONS[name]], check=True)
        (folder / "ready").touch()
    return folder / "lib" / f"python{tag}" / "site-packages"


class Machine:
    """A Colab machine in `folder`: an environment that sees `packages`, all but gdl, a stand-in for google.colab, and an empty /content."""

    def __init__(self, folder, python, packages):
        self.content, self.drive = folder / "content", folder / "content" / "drive"
        self.content.mkdir()
        self.home = folder / "home"
        self.home.mkdir()
        farm = folder / "packages"  # links, so that nothing can be changed there by mistake
        farm.mkdir()
        for path in Path(packages).resolve().iterdir():
            if not path.name.startswith(("gdl", "__editable__")) and path.suffix != ".pth":
                (farm / path.name).symlink_to(path)
        bare = ["--without-pip"] if (farm / "pip").exists() else []
        subprocess.run([python, "-m", "venv", *bare, folder / "venv"], check=True)
        self.python = folder / "venv" / "bin" / "python"
        (self.site,) = (folder / "venv" / "lib").glob("python3*/site-packages")
        (self.site / "packages.pth").write_text(f"{farm}\n")
        stand_in = self.site / "google" / "colab"
        stand_in.mkdir(parents=True)
        stand_in.joinpath("__init__.py").write_text(
            "from types import SimpleNamespace as _Stub\noutput = _Stub(enable_custom_widget_manager=lambda: None)\n"
        )
        startup = self.home / ".ipython" / "profile_default" / "startup"
        startup.mkdir(parents=True)
        startup.joinpath("colab.py").write_text("import google.colab\n")  # Colab's kernel has it imported
        self.farm = farm
        self.before = self.installed()
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON", "VIRTUAL_ENV", "GDL_", "JUPYTER", "IPYTHON"))
        }
        self.environment = {
            **kept,
            **dict(
                HOME=str(self.home),
                PIP_NO_INDEX="1",
                PIP_CONFIG_FILE=os.devnull,
                PIP_DISABLE_PIP_VERSION_CHECK="1",
                PYDEVD_DISABLE_FILE_VALIDATION="1",
            ),
            **dict(GDL_PROFILE="smoke", GDL_DATA="drawn", GDL_CHECKS="raise", MPLBACKEND="module://matplotlib_inline.backend_inline"),
        }

    def installed(self):
        """What is installed, gdl aside."""
        return sorted(path.name for folder in (self.site, self.farm) for path in folder.iterdir() if not path.name.startswith(("gdl", "__pycache__")))

    def versions(self):
        """Versions of TensorFlow, Keras and NumPy, by name."""
        done = subprocess.run([self.python, "-c", REPORT], capture_output=True, text=True, env=self.environment, cwd=self.content, check=True)
        return json.loads(done.stdout)

    def at_home(self, source):
        """A cell's text with Colab's /content moved here."""
        return source.replace("/content/", f"{self.content}/")

    def put(self, way, wheel):
        """Lays the wheel where this way has it, among things that must not be taken for it."""
        if way == "beside":
            shutil.copy(wheel, self.content)
            self.content.joinpath(wheel.name.replace("any.whl", "any (1).whl")).write_text("a second upload, whose name pip refuses")
        if way == "drive":
            place = self.drive / "MyDrive" / "Colab Notebooks" / "my course"
            place.mkdir(parents=True)
            shutil.copy(wheel, place)
            version = wheel.name.split("-")[1]
            (self.drive / "MyDrive" / "Old").mkdir()
            self.drive.joinpath("MyDrive", "Old", wheel.name.replace(version, "0.0.9")).write_text("an older version")
            (self.drive / ".Trash-0").mkdir()
            self.drive.joinpath(".Trash-0", wheel.name.replace(version, "99.0.0")).write_text("thrown away")

    def execute(self, notebook):
        """Executes a notebook in this machine's kernel. Raises CellExecutionError."""
        kernel = self.home / "kernels" / "colab"
        kernel.mkdir(parents=True)
        command = [str(self.python), "-m", "ipykernel_launcher", "--log-level=ERROR", "-f", "{connection_file}"]
        kernel.joinpath("kernel.json").write_text(json.dumps({"argv": command, "display_name": "Colab", "language": "python"}))
        manager = KernelManager(kernel_name="colab", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(self.home / "kernels")]))
        try:
            NotebookClient(notebook, km=manager, timeout=900, resources={"metadata": {"path": str(self.content)}}).execute(env=self.environment)
        finally:
            manager.shutdown_kernel(now=True)
        return notebook


def run(notebook, way, wheel, machine):
    """Runs a solved notebook on a machine. Returns what went wrong, or nothing."""
    before = machine.versions()
    machine.put(way, wheel)
    with served(wheel.parent) as address:
        notebook = saved_by_colab(notebook)
        for cell in notebook.cells:
            if cell.source.startswith('COURSE = "'):
                course = f'COURSE = "{address}{wheel.name}"' if way == "address" else 'COURSE = ""'
                cell.source = machine.at_home(re.sub(r'^COURSE = "[^"]*"', course, cell.source))
        notebook.cells.append(nbformat.v4.new_code_cell(REPORT))
        notebook.cells[-1].pop("id", None)
        try:
            machine.execute(notebook)
        except CellExecutionError as error:
            if way == "nothing" and error.evalue.startswith("Put gdl-*.whl beside this notebook"):
                return None
            return f"{error.ename}: {error.evalue}"
    if way == "nothing":
        return "without a wheel it went on"
    after = json.loads(notebook.cells[-1].outputs[0].text)
    if after != before:
        return f"{before} became {after}"
    if machine.installed() != machine.before:
        return f"installed too: {set(machine.installed()) ^ set(machine.before)}"
    return None


@contextmanager
def served(folder):
    """The address of a folder, served on this machine alone."""
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def saved_by_colab(notebook, seed=0):
    """A copy of a notebook as Colab may save it: cell ids moved into new metadata, all other metadata of cells gone."""
    rng = random.Random(seed)

    def name():
        return "".join(rng.choices(string.ascii_letters + string.digits + "-_", k=12))

    cells = []
    for cell in notebook.cells:
        new = {"cell_type": cell.cell_type, "metadata": {"id": name()}, "source": cell.source}
        if cell.cell_type == "code":
            new |= {"execution_count": None, "outputs": []}
            new["metadata"] |= {"colab": {"base_uri": "https://localhost:8080/"}, "outputId": name()}
        cells.append(new)
    kernel = {"name": "python3", "display_name": "Python 3"}
    metadata = {"accelerator": "GPU", "colab": {"gpuType": "T4", "provenance": []}, "kernelspec": kernel, "language_info": {"name": "python"}}
    return nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 0})


def packages_here():
    """The site-packages of the running Python."""
    return sysconfig.get_paths()["purelib"]


if __name__ == "__main__":
    main()
