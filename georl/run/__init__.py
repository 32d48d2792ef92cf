"""A run trains, records itself, and after a kill goes on as if nothing had happened.

Its launch is checked before a model is loaded; what it logs and samples goes to files that are
cut back to the step it goes on from; its checkpoints are sealed with hashes.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
