from .exif import (
    EXIF_COLUMNS as EXIF_COLUMNS,
    PICTURE_ENDINGS as PICTURE_ENDINGS,
    exif_batches as exif_batches,
    images_in as images_in,
    is_archive as is_archive,
    names_in as names_in,
    pictures as pictures,
    raw_files as raw_files,
)
from .foreign import Foreign as Foreign, recognised as recognised
from .takeout import is_takeout as is_takeout, takeout_batches as takeout_batches
from .yfcc import (
    SQLITE_TABLE as SQLITE_TABLE,
    first_line as first_line,
    is_sqlite as is_sqlite,
    sqlite_batches as sqlite_batches,
    sqlite_names as sqlite_names,
    text_batches as text_batches,
    text_names as text_names,
)
