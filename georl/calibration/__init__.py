"""How far a judge of localizability may be believed: its order, and its probabilities.

A reward that is p(yes) trains a policy well only where a higher number means a better reasoning
(AUC) and where 0.8 means right eight times in ten (reliability, ECE). Both are measured on
photos that the judge was not trained on.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
