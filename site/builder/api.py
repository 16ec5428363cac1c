"""The pages of the public names and of the source code. The package is parsed and never imported."""

import ast
import functools
import os

from builder import ROOT, links

ROOMS = {
    "data": ("Data", "Where faces come from: CelebA, folders of images, drawn faces, and batches of them."),
    "drawn": ("Drawn faces", "The program that draws faces whose every factor is known."),
    "models": ("Models and losses", "The Keras models of the course, and their losses."),
    "training": ("Training", "Training that can be stopped and resumed, and run folders."),
    "shipped": ("Trained models", "The models that come with the course."),
    "latent": ("Latent codes", "Arithmetic with codes, and the measured effect of an edit."),
    "metrics": ("Metrics", "Distances between sets of images, and scores."),
    "pictures": ("Pictures", "Grids of images, maps of codes, sharpening, spectra."),
    "": ("Settings and errors", "Profiles, settings, and the errors that the course raises."),
}
BASES = {"models": ["gdl.models.base.EncoderDecoderModel"]}


def stage(out):
    (out / "api").mkdir(parents=True, exist_ok=True)
    (out / "source").mkdir(exist_ok=True)
    names, modules = public()
    entries = []
    for room, (title, what) in ROOMS.items():
        page = room or "settings"
        text = [title, "=" * len(title), "", what, ""]
        for name, home in names.items():
            if _room(home) == room:
                text += entry(f"gdl.{name}", f"gdl.{home}.{name}")
        for base in BASES.get(room, ()):
            text += entry(base, base)
        for name, home in modules.items():
            if _room(home) == room:
                text += module(name, home, {full_name(n, h) for n, h in names.items()})
        (out / "api" / f"{page}.rst").write_text("\n".join(text), encoding="utf-8")
        entries.append(page)
    rows = [f"| [gdl.{name}](#gdl.{home}.{name}) | {summary(home, name)} |" for name, home in names.items()]
    index = ["# The package", "", "Every public name is reached as `gdl.NAME`. Each has its shapes, its errors and an example.", ""]
    index += ["| name | what it is |", "| --- | --- |", *rows, "", "```{toctree}", ":maxdepth: 1", "", *entries, "```", ""]
    (out / "api" / "index.md").write_text("\n".join(index), encoding="utf-8")
    stage_source(out)


def public():
    """The two tables of gdl/__init__.py: name -> module of the public names, and of the public modules."""
    tree = ast.parse((ROOT / "gdl" / "__init__.py").read_text(encoding="utf-8"))
    tables = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)}
    return ast.literal_eval(tables["_HOME"]), ast.literal_eval(tables["_MODULES"])


def full_name(name, home):
    return f"gdl.{home}.{name}"


def _room(home):
    room = home.split(".")[0]
    return room if room in ROOMS else ""


@functools.cache
def parsed(module):
    """The syntax tree of a module such as models.vae."""
    path = ROOT / "gdl" / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


def defined(module):
    """The public functions and classes of a module: name -> the module that defines it. A package has those that it imports from its own files."""
    found = {}
    for node in parsed(module).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            found[node.name] = module
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"gdl.{module}."):
            home = node.module.removeprefix("gdl.")
            there = defined(home)
            found |= {alias.name: home for alias in node.names if alias.name in there}
    return {name: home for name, home in found.items() if not name.startswith("_")}


def kind(module, name):
    """The syntax tree of a function or class of a module."""
    (node,) = [node for node in parsed(module).body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name]
    return node


def summary(module, name):
    return ast.get_docstring(kind(module, name)).partition("\n")[0].replace("|", "\\|")


def entry(title, name):
    """A heading and the documentation of a public name."""
    home, _, last = name.removeprefix("gdl.").rpartition(".")
    return [title, "-" * len(title), "", *directive(home, last)]


def directive(home, name):
    """What makes Sphinx document a function, or a class with its methods."""
    is_class = isinstance(kind(home, name), ast.ClassDef)
    return [f".. autoapi{'class' if is_class else 'function'}:: {full_name(name, home)}", *(["   :members:"] if is_class else []), ""]


def module(name, home, already):
    """The section of a public module: what it is for, and its functions and classes that are not on the page as names of their own."""
    title = f"gdl.{name}"
    text = [title, "-" * len(title), "", (ast.get_docstring(parsed(home)) or "").partition("\n")[0].replace("`", "``"), ""]
    for part, where in defined(home).items():
        if full_name(part, where) not in already:
            text += directive(where, part)
    return text


def stage_source(out):
    """A page for each folder of the package, with the source code of its modules."""
    folders = {}
    for path in sorted((ROOT / "gdl").rglob("*.py")):
        folders.setdefault(path.parent.relative_to(ROOT).as_posix(), []).append(path)
    pages = []
    for folder, paths in folders.items():
        pages.append(folder.replace("/", "-"))
        text = ["---", "nosearch: true", "---", f"# {folder}/", ""]
        for path in paths:
            name = path.relative_to(ROOT).as_posix()
            if path.stat().st_size:
                include = os.path.relpath(path, out / "source")
                text += [f"({links.source_label(name)})=", f"## {path.name}", "", f"```{{literalinclude}} {include}", ":language: python", "```", ""]
        (out / "source" / f"{pages[-1]}.md").write_text("\n".join(text), encoding="utf-8")
    index = [
        "# Source code",
        "",
        "The whole package, a page for each folder. [How to read it](../gdl/README.md) names the files of each chapter.",
        "",
    ]
    (out / "source" / "index.md").write_text("\n".join([*index, "```{toctree}", ":maxdepth: 1", "", *pages, "```", ""]), encoding="utf-8")
