"""What an evaluation says, for people: an HTML page, Markdown, or text for a terminal.

The contents are made once, as sentences and tables of text; three renderers write them.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
