from .buckets import is_view as is_view, near as near, send_inputs as send_inputs
from .commits import software as software
from .data_files import fitted as fitted, kept_schema as kept_schema
from .errors import (
    StorageFullError as StorageFullError,
    TableChangedError as TableChangedError,
    TableConflictError as TableConflictError,
    TableError as TableError,
    TableNotFoundError as TableNotFoundError,
    TableSchemaError as TableSchemaError,
    VersionNotFoundError as VersionNotFoundError,
    storage as storage,
)
from .exports import card as card, draw_map as draw_map, export as export, write_card as write_card
from .lakes import lake_salt as lake_salt, sql_name as sql_name
from .log import (
    address_of as address_of,
    alone as alone,
    checkpoint as checkpoint,
    exists as exists,
    refuse_address as refuse_address,
    tag as tag,
    tags as tags,
    untag as untag,
    vacuum as vacuum,
)
from .upkeep import (
    Forgotten as Forgotten,
    Report as Report,
    compact as compact,
    forget as forget,
    repair as repair,
    restore as restore,
    verify as verify,
)
from .versions import (
    Commit as Commit,
    DatasetError as DatasetError,
    Diff as Diff,
    History as History,
    Input as Input,
    Part as Part,
    TableVersion as TableVersion,
    append as append,
    commit_parts as commit_parts,
    diff as diff,
    history as history,
    names as names,
    open as open,
    open_input as open_input,
    open_rows as open_rows,
    open_version as open_version,
    path_of as path_of,
    reopen as reopen,
    seen as seen,
    source_of_version as source_of_version,
    write as write,
    write_part as write_part,
)
