"""Photo metadata from anywhere into one schema, bad rows kept with a status.

Reads MP-16 and MP16-Pro, IM2GPS3K, YFCC100M, OSV-5M, any CSV, TSV, Parquet or JSONL file with
coordinates, and folders or archives of pictures with EXIF positions. Every row of the source is
one row of the result, in order. Authors are hashed, and of the other columns only those asked
for are kept: where a photo was taken is personal data.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
