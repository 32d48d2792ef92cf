"""Sphinx configuration: Markdown pages, and a reference made from docstrings."""

import os
import sys
from pathlib import Path

from geodata import __version__

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "geodata and georl"
author = "the geodata-georl contributors"
copyright = "2026, the geodata-georl contributors"
release = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
if os.environ.get("DOCS_ONLINE"):  # their inventories are fetched when the site is published
    extensions.append("sphinx.ext.intersphinx")
intersphinx_mapping = {
    "python": ("https://docs.python.org/3", None),
    "numpy": ("https://numpy.org/doc/stable", None),
    "pyarrow": ("https://arrow.apache.org/docs", None),
    "pandas": ("https://pandas.pydata.org/docs", None),
    "polars": ("https://docs.pola.rs/api/python/stable", None),
    "torch": ("https://pytorch.org/docs/stable", None),
}
copybutton_exclude = ".linenos, .gp, .go"
html_theme = "furo"
html_title = f"geodata and georl {release}"
default_role = "py:obj"
suppress_warnings = ["ref.python"]  # several classes have lat and lon
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
autodoc_member_order = "bysource"
autodoc_default_options = {"show-inheritance": False}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
exclude_patterns = ["_build"]
html_static_path = ["static"]
html_css_files = ["site.css"]


def setup(app):  # noqa: ANN001, ANN201
    """Make the pages that come from the programs before Sphinx looks for pages."""
    import accessible
    import api_pages
    import command_pages

    made = HERE / "reference" / "generated"
    app.connect("builder-inited", lambda _: command_pages.write(made))
    app.connect("builder-inited", lambda _: api_pages.write(made / "api"))
    app.connect("autodoc-process-docstring", api_pages.split_grouped, priority=400)
    app.connect("html-page-context", accessible.mend_page, priority=900)  # behind the theme's
