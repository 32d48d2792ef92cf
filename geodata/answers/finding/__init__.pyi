from .angles import Angle as Angle, find_angles as find_angles
from .candidates import Candidate as Candidate, find_candidates as find_candidates
from .choosing import choose as choose
from .keyed import keyed_candidates as keyed_candidates
