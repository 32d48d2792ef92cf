from .judging import calibrate as calibrate
from .measures import (
    Bin as Bin,
    auc as auc,
    brier as brier,
    expected_error as expected_error,
    reliability as reliability,
)
from .page import (
    document as document,
    grid as grid,
    html_page as html_page,
    reliability_svg as reliability_svg,
)
from .result import Calibration as Calibration
