from .mirrors import fill as fill, is_view as is_view, near as near, send_inputs as send_inputs
from .objects import (
    PATIENCE_S as PATIENCE_S,
    BucketVersion as BucketVersion,
    keys_of as keys_of,
    open_bucket as open_bucket,
    problems_of as problems_of,
    system_of as system_of,
    upload as upload,
    write_bucket as write_bucket,
)
