"""A report as HTML, as Markdown, as text for a terminal, and written to a file."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
