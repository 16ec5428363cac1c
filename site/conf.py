"""Sphinx's settings for the course's site. `python site/build.py` makes the pages that it reads; nothing is executed."""

import hashlib
import sys
from pathlib import Path

SITE = Path(__file__).resolve().parent
sys.path[:0] = [str(SITE), str(SITE.parent / "tools")]

from set_address import course_version, homepage, pages  # noqa: E402

project = "Generative deep learning with faces"
author = "The authors of the course"
copyright = "the authors of the course. Code MIT, text and figures CC BY 4.0"
release = version = course_version()
html_baseurl = pages(homepage())

extensions = ["myst_nb", "sphinx.ext.autodoc", "autoapi.extension", "sphinx_copybutton", "sphinx_design", "builder.katex", "builder.translations"]
exclude_patterns = ["**/*_download/**"]  # notebooks to download
nb_execution_mode = "off"
nb_merge_streams = True
nb_code_prompt_show = "Show the set-up"
nb_code_prompt_hide = "Hide the set-up"
myst_enable_extensions = ["amsmath", "attrs_block", "attrs_inline", "colon_fence", "dollarmath", "html_image"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
suppress_warnings = ["myst.header", "autoapi.python_import_resolution"]  # headings that leave a level out; constants
autoapi_dirs = [str(SITE.parent / "gdl")]
autoapi_ignore = ["*/instructor/*", "*/cli.py", "*/__main__.py", "*/experiments/*"]
autoapi_generate_api_docs = False
autoapi_options = ["members"]
autoapi_keep_files = False
highlight_language = "none"
add_module_names = False
toc_object_entries = False
python_maximum_signature_line_length = 80
copybutton_exclude = ".linenos, .gp, .go"
locale_dirs = [str(SITE / "locale")]
gettext_compact = False
gettext_uuid = False

html_theme = "sphinx_book_theme"
html_title = project
html_math_renderer = "katex"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"loading_method": "defer"})]
html_copy_source = False
html_show_sourcelink = False
html_favicon = "_static/icon.png"
html_context = {"default_mode": "auto"}
html_theme_options = {
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "home_page_in_toc": False,
    "use_download_button": False,
    "use_fullscreen_button": True,
    "use_source_button": False,
    "use_repository_button": False,
    "navigation_with_keys": True,
    "back_to_top_button": True,
    "search_bar_text": "Search the course",
    "logo": {"text": "Generative deep learning with faces", "image_light": "_static/icon.png", "image_dark": "_static/icon.png", "alt_text": ""},
}
if homepage().startswith("https://github.com/"):
    html_theme_options |= {"repository_url": homepage(), "use_repository_button": True, "use_issues_button": True}


def setup(app):
    from builder import docstrings

    app.connect("autodoc-process-docstring", docstrings.process)
    app.connect("autodoc-skip-member", docstrings.skip)
    code = b"".join(path.read_bytes() for path in sorted((SITE / "builder").glob("*.py")))
    app.add_config_value("builder_digest", hashlib.sha256(code).hexdigest(), "env")  # another builder reads all pages anew
