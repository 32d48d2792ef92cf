"""From joined rows to numbers: the rule, the score, break-downs, regions, and how sure they are.

Everything here works on tables and arrays; no file is read.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
