from .arrays import ArrayFile as ArrayFile, load_arrays as load_arrays, save_arrays as save_arrays
from .arrow import as_table as as_table, cast as cast
from .columns import (
    AUTHOR_NAMES as AUTHOR_NAMES,
    ID_NAMES as ID_NAMES,
    REGION_NAMES as REGION_NAMES,
    TEXT_NAMES as TEXT_NAMES,
    Columns as Columns,
    find_named as find_named,
    find_pair as find_pair,
    given as given,
    id_text as id_text,
    not_found as not_found,
)
from .formats import (
    BATCH_ROWS as BATCH_ROWS,
    FORMATS as FORMATS,
    MAX_HEADER_BYTES as MAX_HEADER_BYTES,
    READ_AHEAD_S as READ_AHEAD_S,
    FileError as FileError,
    TableFile as TableFile,
    file_format as file_format,
    open_table as open_table,
    read_table as read_table,
    replacing as replacing,
    sha256 as sha256,
    write_text as write_text,
)
from .readers import READERS as READERS, Batch as Batch
from .source import Source as Source, open_source as open_source
