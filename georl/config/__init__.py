"""A whole run is one frozen configuration.

It is read from a YAML file and ``key=value`` overrides, strictly: an unknown key, a value of the
wrong type and values that do not fit together are refused with the remedy, before anything is
loaded.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
