"""Makes or updates the catalogues of a language, from which a translator works.

python site/catalogues.py de start     the page `start`, in German
python site/catalogues.py de           the pages that have a catalogue already
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import build
from builder import pages, translations


def main():
    parser = argparse.ArgumentParser(description="Makes or updates the catalogues of a language.")
    parser.add_argument("language", help="its code, such as de or fr")
    parser.add_argument("pages", nargs="*", help="pages of site/pages, such as start; without any, those that have a catalogue")
    options = parser.parse_args()
    names = options.pages or translations.pages(options.language)
    missing = [name for name in names if not (build.HERE / "pages" / f"{name}.md").is_file()]
    if missing or not names:
        sys.exit(f"No page to translate: {', '.join(missing) or 'name one'}. The pages are the files of site/pages.")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        pages.stage(folder / "all")
        source = translations.stage(folder / "all", folder / "source", names)
        build.sphinx("gettext", source, folder / "pot", options.language, root=names[0])
        command = [sys.executable, "-m", "sphinx_intl", "update", "--pot-dir", folder / "pot", "--locale-dir", translations.LOCALE]
        subprocess.run([str(part) for part in [*command, "--language", options.language]], check=True)


if __name__ == "__main__":
    main()
