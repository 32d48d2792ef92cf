"""Photos that look alike, told by perceptual hashes: across data sets, and in bursts of one author.

Every picture is hashed once, by workers, into a table of the lake; a search that misses nothing
then finds what is near. The leakage report puts it beside what ids, authors and places tell::

    from geodata import near_duplicates
    near_duplicates.hash_photos("lake", "photos", root="images")
    found = near_duplicates.report("lake", train="photos", test="im2gps3k")
    near_duplicates.write(found, "leakage")
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
