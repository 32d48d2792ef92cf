from .looser_ids import looser_finding as looser_finding, only_reading as only_reading
from .matching import MODES as MODES, find_rows as find_rows, id_keys as id_keys
from .repeats import (
    refuse_repeated as refuse_repeated,
    refuse_repeated_truth as refuse_repeated_truth,
)
from .row_checks import (
    RowChecks as RowChecks,
    constant_answer as constant_answer,
    is_summary as is_summary,
)
from .scan import (
    Scan as Scan,
    footer_finding as footer_finding,
    has_whole_number_ids as has_whole_number_ids,
    scan_predictions as scan_predictions,
    scan_truth as scan_truth,
)
from .unmatched import unmatched_findings as unmatched_findings, used_rows as used_rows
