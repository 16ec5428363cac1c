"""A notebook of the repository as a page: its picture in a file, buttons, links, and a description of every figure."""

import base64
import json
import re
from pathlib import PurePosixPath

from set_address import buttons, notebook_text

from builder import ROOT, links

BADGE = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]\([^)]*\)\n?")
HEADING = re.compile(r"^#{1,6} +(.+)$", re.MULTILINE)
IN_BROWSER = {"02_vae": "faces", "08_latent_arithmetic": "faces", "04_gan": "toy", "05_wgan": "toy", "06_wgan_gp": "toy"}
LONGEST = 300  # letters of a description


def stage(name, out, address, executed):
    """Writes the page of the notebook `name`, such as chapters/02_vae.ipynb, and the notebook to download, into the folder `out`.

    executed: the file with the outputs to show.
    """
    text = (ROOT / name).read_text(encoding="utf-8")
    notebook = json.loads(executed.read_text(encoding="utf-8"))
    page, folder = out / name, out / PurePosixPath(name).parent
    folder.mkdir(parents=True, exist_ok=True)
    download = f"{page.stem}_download/{page.name}"
    (folder / download).parent.mkdir(exist_ok=True)
    bare = without_outputs(json.loads(notebook_text(text, name, address)))
    (folder / download).write_text(json.dumps(bare, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    cells = notebook["cells"]
    for cell in cells:
        cell["source"] = "".join(cell["source"])
    describe_figures(cells)
    for cell in cells:
        if cell["cell_type"] == "markdown":
            cell["source"] = links.rewrite(cell["source"], name)
            save_attachments(cell, page)
        elif "set-up" in cell["metadata"].get("tags", []):
            cell["metadata"]["tags"].append("hide-input")
    cells[0]["source"] = BADGE.sub("", cells[0]["source"]).rstrip() + "\n\n" + launch(address, name, download)
    page.write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")


def without_outputs(notebook):
    """The notebook as it is before it runs. It is changed in place."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return notebook


def launch(address, name, download):
    """The line of buttons: where to open the notebook, if there is an address, and the page in the browser that belongs to a chapter."""
    items = [f'<a class="launch" href="{url}">{service}</a>' for service, url in buttons(address, name).items()]
    page = IN_BROWSER.get(PurePosixPath(name).stem) if name.startswith("chapters/") else None
    if page:
        items.append(f'<a class="launch" href="../{page}/index.html">Try it in your browser</a>')
    return "{.launchers}\n" + " ".join([*items, f"{{download}}`Download notebook <{download}>`"])


def save_attachments(cell, page):
    """Writes the pictures that a text cell contains into files beside the page."""
    for file, data in cell.pop("attachments", {}).items():
        (kind,) = data
        place = page.parent / f"{page.stem}_{file}"
        place.write_bytes(base64.b64decode(data[kind]))
        cell["source"] = cell["source"].replace(f"attachment:{file}", place.name)


def describe_figures(cells):
    """Gives the figures of each code cell a description, if it has none: section, and what the text after or before says about them."""
    section = before = ""
    for cell, following in zip(cells, [*cells[1:], None]):
        if cell["cell_type"] == "markdown":
            before = cell["source"]
            section = (HEADING.findall(before) or [section])[-1]
        elif any("image/png" in output.get("data", {}) for output in cell["outputs"]):
            after = following["source"] if following and following["cell_type"] == "markdown" else ""
            image = cell["metadata"].setdefault("mystnb", {}).setdefault("image", {})
            image.setdefault("alt", description(section, before, after))


def description(section, before, after):
    """At most LONGEST letters: the section, then the first sentences of the paragraph after the figure, or the last of the one before it.

    >>> description("Blur", "Compare the two rows.", "The lower row is sharper. It took long.")
    'Figure of the section Blur. The lower row is sharper. It took long.'
    """
    paragraphs = [plain(part) for part in after.split("\n\n")]
    lead = paragraphs[0] if paragraphs[0] and not after.lstrip().startswith(("#", "|", "```", "$$", "<", "-", "1.")) else ""
    sentences = re.split(r"(?<=[.?!:]) ", lead or plain(before.rstrip().split("\n\n")[-1]))
    text = f"Figure of the section {plain(section)}."
    for sentence in sentences if lead else sentences[-2:]:
        if len(text) + len(sentence) > LONGEST:
            break
        text += " " + sentence
    return text


def plain(text):
    """Markdown without its marks, on one line, for a description.

    >>> plain("the *KL* of `z` is $0.5$, [above](x.md)")
    'the KL of z is 0.5, above'
    """
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\\(?:mathcal|mathrm|mathbb|text|tfrac|frac|hat|bar|,|!|left|right)|[$*`{}#]", "", text)
    return " ".join(text.replace("\\", "").split())
