"""Rows one by one and their sums: the rule, errors, scores, groups and what they break down by."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
