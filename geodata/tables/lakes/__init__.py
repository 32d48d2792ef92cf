"""What a lake keeps beside its tables: their names in SQL, the salt, the files of inputs."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
