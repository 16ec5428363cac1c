"""The pages that no file of the repository is: the front page, and the lists of chapters, exercises, models, experiments and results."""

import base64
import io
import json
import re
import shutil
import tomllib

from PIL import Image, ImageOps

from builder import ROOT, SITE, links

CHAPTER = re.compile(r"^\| (\d\d) \| \[(.+?)\]\((chapters/\w+)\.ipynb\) \| (.+?) \| (.+?) \|$", re.MULTILINE)
EXERCISE = re.compile(r"^\| (\d\d) \| \[(.+?)\]\((exercises/\w+)\.ipynb\): (.+?) \| (.+?) \|$", re.MULTILINE)
MODEL = re.compile(r"^\| \[(.+?)\]\(\.\./(gdl/shipped/.+?)\.md\) \| *(.*?) \| *(.*?) \| *(.*?) \|$", re.MULTILINE)
COPIED = {"instructors.md": "solutions/README.md", "changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}
ADDED = {"docs/models.md": "\n```{toctree}\n:hidden:\n:glob:\n\n../gdl/shipped/*\n```\n"}
CARD = 640, 300  # pixels of a chapter's picture


def stage(out):
    """Writes the pages into the folder `out`: those of `site/pages` with their lists filled in, and copies of the repository's own pages."""
    lists = {
        "chapters": chapter_cards(out),
        "exercises": exercise_rows(),
        "gallery": gallery(),
        "scores": scores(),
        "results": result_rows(),
        "experiments": experiments(),
        "further": "\n".join(sorted(name.removesuffix(".md") for name in links.shown() if re.match(r"docs/(?!models\.md).+\.md|project/", name))),
        "usage": readme_sections("Other ways to run it", "Photographs: CelebA", "In a terminal"),
        "cite": readme_sections("Sources, and how to cite them"),
        "citation": (ROOT / "CITATION.cff").read_text(encoding="utf-8"),
        "licence": (ROOT / "LICENSE").read_text(encoding="utf-8"),
    }
    for path in sorted((SITE / "pages").rglob("*.md")):
        place = out / path.relative_to(SITE / "pages")
        place.parent.mkdir(parents=True, exist_ok=True)
        text = re.sub(r"<!-- (\w+) -->", lambda match: lists[match[1]], path.read_text(encoding="utf-8"))
        place.write_text(text, encoding="utf-8")
    for page, name in COPIED.items():
        (out / page).write_text(links.rewrite((ROOT / name).read_text(encoding="utf-8"), name, page), encoding="utf-8")
    for name in sorted(links.shown()):
        if not name.endswith(".ipynb"):
            place = out / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith(".md"):
                text = links.rewrite((ROOT / name).read_text(encoding="utf-8"), name)
                text = text.replace('alt="64 images"', 'alt="64 images that a model generated, not chosen"')
                place.write_text(text + ADDED.get(name, ""), encoding="utf-8")
            else:
                shutil.copyfile(ROOT / name, place)


def readme():
    return (ROOT / "README.md").read_text(encoding="utf-8")


def chapter_cards(out):
    """A card for each chapter, with the picture of its first cell, which is cut to one size."""
    cards = []
    for number, title, name, aim, minutes in CHAPTER.findall(readme()):
        first = json.loads((ROOT / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"][0]
        picture = Image.open(io.BytesIO(base64.b64decode(first["attachments"]["finished.png"]["image/png"]))).convert("RGB")
        (alt,) = re.findall(r"!\[(.*?)\]\(attachment:finished.png\)", "".join(first["source"]))
        place = out / f"{name}_card.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        ImageOps.fit(picture, CARD, Image.Resampling.LANCZOS, centering=(1, 0)).save(place, quality=85)
        time = f"{minutes} minute on a laptop" if minutes == "1" else f"{minutes} minutes on a laptop"
        cards.append(card(f"{number} · {title}", f"/{name}", f"{aim[0].upper()}{aim[1:]}.", f"/{name}_card.jpg", alt, time))
    return grid(cards, "1 2 2 3")


def card(title, link, text, picture, alt, foot="", kind="chapter"):
    head = f"::::{{grid-item-card}} {title}\n:link: {link}\n:link-type: doc\n:class-card: {kind}\n:img-top: {picture}\n:img-alt: {alt}\n\n"
    foot = f"\n\n:::{{card-footer}}\n{foot}\n:::" if foot else ""
    return f"{head}{text}{foot}\n::::"


def grid(cards, columns):
    return f":::::{{grid}} {columns}\n:gutter: 3\n\n" + "\n".join(cards) + "\n:::::"


def exercise_rows():
    rows = [f"| {number} | [{title}](/{name}.ipynb) | {text} | {minutes} |" for number, title, name, text, minutes in EXERCISE.findall(readme())]
    return "\n".join(["| | exercise | what you do | minutes |", "| --- | --- | --- | ---: |", *rows])


def models():
    """Of each shipped model: name, its card, FID, face distance, MB, as docs/models.md has them."""
    return MODEL.findall((ROOT / "docs" / "models.md").read_text(encoding="utf-8"))


def gallery():
    """A card for each shipped model that makes images, photographs first."""
    cards = []
    for name, page, *_ in sorted(models(), key=lambda model: ("celeba" not in model[0], model[0])):
        picture = ROOT / "docs" / "models" / f"{name}.jpg"
        if picture.is_file():
            text = (ROOT / f"{page}.md").read_text(encoding="utf-8")
            what = text.split("\n\n")[1].split(". ")[0].split(", ")[0].split(": ")[0]
            cards.append(card(name, f"/{page}", f"{what}.", f"/docs/models/{name}.jpg", f"64 faces that {name} generated, not chosen", kind="model"))
    return grid(cards, "2 2 3 4")


def scores():
    """The models whose FID was measured, with the command that measures it."""
    rows = [f"| [{name}](/{page}.md) | {fid} | {distance} |" for name, page, fid, distance, _ in models() if fid]
    names = " ".join(name for name, _, fid, *_ in models() if fid)
    head = ["| model | FID, 5,000 images | face distance |", "| --- | ---: | ---: |"]
    return "\n".join([*head, *rows, "", "```", f"python tools/model_cards.py --data data/celeba {names}", "```"])


def result_rows():
    rows = []
    for path in sorted((ROOT / "results").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        commands = re.findall(r"^(python -m \w+(?: \w+)?|python tools/\w+\.py)", text, re.MULTILINE) or re.findall(r"`(python -m \w+(?: \w+)?)", text)
        rows.append(
            f"| [{text.partition(chr(10))[0].lstrip('# ')}](/results/{path.name}) | {'<br>'.join(f'`{c}`' for c in dict.fromkeys(commands))} |"
        )
    return "\n".join(["| page | made with |", "| --- | --- |", *rows])


def experiments():
    """Each file of experiments/ with its question, the comment above it, and the file itself."""
    parts = []
    for path in sorted((ROOT / "experiments").glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        settings = tomllib.loads(text)
        command = f"python -m gdl experiment experiments/{path.name} --data data/celeba --out runs/{path.stem}"
        parts.append(f"## {settings['title']}\n\n{settings.get('question', '')}\n\n```\n{command}\n```\n\n```toml\n{text}```")
    return "\n\n".join(parts)


def readme_sections(*titles):
    """Sections of README.md, each with its heading and all below it."""
    parts = []
    for title in titles:
        (section,) = re.findall(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", readme(), re.MULTILINE | re.DOTALL)
        parts.append(links.rewrite(section.strip(), "README.md"))
    return "\n\n".join(parts)
