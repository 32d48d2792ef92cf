"""A reference becomes bytes: pictures in files and folders, behind URLs, in a tar or zip.

A row names its picture by text (``archive.tar#member`` reaches into an archive) or holds the
bytes. Archives are read in place, never unpacked, through an index that is built once beside
them; a picture that is absent or ambiguous is a status, not a guess.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
