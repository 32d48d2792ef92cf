"""One answer a photo, in the table's order, whatever happened to it.

The model is local or behind an OpenAI-compatible server. Answers are kept as they come, so that a
run that was stopped goes on from there.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
