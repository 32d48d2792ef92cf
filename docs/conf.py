"""Sphinx configuration: Markdown pages, and a reference made from docstrings."""

from geodata import __version__

project = "geodata and georl"
author = "the geodata-georl contributors"
copyright = "2026, the geodata-georl contributors"
release = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
]
html_theme = "furo"
html_title = f"geodata and georl {release}"
default_role = "py:obj"
suppress_warnings = ["ref.python"]  # several classes have lat and lon
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_default_options = {"show-inheritance": False}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
exclude_patterns = ["_build"]
