from .kept_inputs import (
    FOLDER as FOLDER,
    ChangedFileError as ChangedFileError,
    find as find,
    keep as keep,
)
from .naming import check_new as check_new, sql_name as sql_name
from .salts import PRIVATE as PRIVATE, lake_salt as lake_salt
