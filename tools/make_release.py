"""Makes everything that a release hands out, and checks that it is of one version: `make release`.

    dist/gdl-VERSION-py3-none-any.whl    the package
    dist/students.zip                    the exercises, the wheel and a page on how to begin
    dist/site/                           the course on the web, with the wheel in wheel/

The last two find the wheel at the public address, if the course has one.
"""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import set_address

ROOT = Path(__file__).resolve().parents[1]


def main():
    address = set_address.homepage()
    wheel_folder = f"{set_address.pages(address)}wheel/" if set_address.pages(address) else None
    run(sys.executable, ROOT / "tools" / "set_address.py", "--check")
    run(sys.executable, "-m", "gdl", "release", *(["--address", wheel_folder] if wheel_folder else []))
    run(sys.executable, ROOT / "site" / "build.py")
    dist = ROOT / "dist"
    shutil.rmtree(dist / "site", ignore_errors=True)
    shutil.copytree(ROOT / "build" / "site" / "html", dist / "site")
    wheel = dist / f"gdl-{set_address.course_version()}-py3-none-any.whl"
    (dist / "site" / "wheel").mkdir()
    shutil.copyfile(wheel, dist / "site" / "wheel" / wheel.name)
    found = versions(dist)
    print("\n".join(f"{version:10} {part}" for part, version in found.items()))
    if len(set(found.values())) != 1 or set_address.course_version() not in found.values():
        sys.exit("The parts of the release are of different versions: delete dist/ and build/, then run make release again.")
    if not re.search(rf"^## \[{re.escape(set_address.course_version())}\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE):
        sys.exit("CHANGELOG.md has no section for this version: replace [Unreleased] by its number.")


def run(*command):
    done = subprocess.run([str(part) for part in command], cwd=ROOT)
    if done.returncode:
        sys.exit(done.returncode)


def versions(dist):
    """What each part of the release says about its version: part -> version."""
    found = {}
    for wheel in [*dist.glob("gdl-*.whl"), *(dist / "site" / "wheel").glob("gdl-*.whl")]:
        with zipfile.ZipFile(wheel) as packed:
            (metadata,) = [name for name in packed.namelist() if name.endswith(".dist-info/METADATA")]
            found[str(wheel.relative_to(dist))] = re.search(r"^Version: (.+)$", packed.read(metadata).decode(), re.MULTILINE)[1].strip()
    with zipfile.ZipFile(dist / "students.zip") as packed:
        for name in packed.namelist():
            if name.endswith(".whl"):
                found[f"students.zip: {name}"] = re.search(r"gdl-(.+?)-py3", name)[1]
            elif name.endswith(".ipynb"):
                for version in re.findall(r'COURSE = \\"\S*gdl-(.+?)-py3', packed.read(name).decode()):
                    found[f"students.zip: {name}"] = version
    options = (dist / "site" / "_static" / "documentation_options.js").read_text(encoding="utf-8")
    found["site"] = re.search(r"VERSION: '(.+?)'", options)[1]
    for path in (dist / "site" / "_downloads").rglob("*.ipynb"):
        for version in re.findall(r'COURSE = \\"\S*gdl-(.+?)-py3', path.read_text(encoding="utf-8")):
            found[f"site: {path.name}"] = version
    return found


if __name__ == "__main__":
    main()
