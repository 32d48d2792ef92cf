"""The answer contract: write a Chain-of-Region answer, read it strictly, read anything else.

`render` writes the answer that a model is taught. `parse_strict` is Geo-R Eq. 6, the reading
that earns a reward. `parse_tolerant` is for evaluation: it reads what models really write.
Both readings are total (any value in, a typed `Answer` out, never an exception), take linear
time, and look at no more than `MAX_CHARS` characters.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
