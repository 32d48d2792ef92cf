from .chain import RegionChain as RegionChain
from .detail import DETAIL as DETAIL, Detail as Detail
from .files import (
    LabelReport as LabelReport,
    describe as describe,
    label_file as label_file,
    label_file_with as label_file_with,
)
from .frames import attach as attach
from .labelling import Labeller as Labeller, labeller as labeller
from .labels import (
    MAX_OFFSET_KM as MAX_OFFSET_KM,
    label as label,
    label_table as label_table,
)
from .languages import languages_covered as languages_covered
