from .arrays import ArrayFile as ArrayFile, load_arrays as load_arrays, save_arrays as save_arrays
from .arrow import (
    as_table as as_table,
    cast as cast,
    id_text as id_text,
    plain_column as plain_column,
)
from .columns import (
    AUTHOR_NAMES as AUTHOR_NAMES,
    ID_NAMES as ID_NAMES,
    IMAGE_NAMES as IMAGE_NAMES,
    LICENCE_NAMES as LICENCE_NAMES,
    REGION_NAMES as REGION_NAMES,
    ROW_NAMES as ROW_NAMES,
    TEXT_NAMES as TEXT_NAMES,
    TIME_NAMES as TIME_NAMES,
    Columns as Columns,
    Role as Role,
    axis_of as axis_of,
    coordinate_columns as coordinate_columns,
    find_named as find_named,
    find_pair as find_pair,
    given as given,
    is_name as is_name,
    not_found as not_found,
    squeeze as squeeze,
)
from .folders import free_folder as free_folder
from .formats import (
    BATCH_ROWS as BATCH_ROWS,
    FileError as FileError,
    TableFile as TableFile,
    compression_of as compression_of,
    file_format as file_format,
    is_table_file as is_table_file,
)
from .parts import batches_of as batches_of, readable as readable
from .points import with_points as with_points
from .readers import (
    Batch as Batch,
    column_at as column_at,
    flat_names as flat_names,
    json_of as json_of,
    no_rows as no_rows,
    outer_names as outer_names,
    parquet_rows as parquet_rows,
    typed as typed,
)
from .reading import read_table as read_table
from .source import Source as Source, open_source as open_source, source_of as source_of
from .whole import replacing as replacing, sha256 as sha256, write_text as write_text
from .writers import (
    ROW_GROUP as ROW_GROUP,
    Writer as Writer,
    write_table as write_table,
    write_tables as write_tables,
    writing as writing,
)
