from .compacting import compact as compact, restore as restore
from .forgetting import Forgotten as Forgotten, forget as forget
from .repairing import repair as repair
from .verifying import Report as Report, verify as verify
