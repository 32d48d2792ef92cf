from .bursts import burst_of as burst_of
from .findings import Bursts as Bursts, Leakage as Leakage, Overlap as Overlap
from .fingerprints import Fingerprint as Fingerprint, fingerprint as fingerprint
from .hashing import Hashed as Hashed, hash_photos as hash_photos
from .pictures import draw as draw
from .reporting import report as report
from .searching import Pairs as Pairs, near as near
from .telling import markdown as markdown, write as write
