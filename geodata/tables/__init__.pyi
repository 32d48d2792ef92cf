from .addresses import address_of as address_of, refuse_address as refuse_address
from .cards import card as card, write_card as write_card
from .checkpoints import checkpoint as checkpoint
from .commits import software as software
from .diffs import Diff as Diff, diff as diff
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
from .exporting import export as export
from .forgetting import Forgotten as Forgotten, forget as forget
from .inputs import (
    DatasetError as DatasetError,
    Input as Input,
    open_input as open_input,
    reopen as reopen,
)
from .log import exists as exists
from .mapping import draw_map as draw_map
from .mirrors import (
    is_view as is_view,
    near as near,
    send_inputs as send_inputs,
)
from .naming import sql_name as sql_name
from .parts import Part as Part, commit_parts as commit_parts, write_part as write_part
from .past import Commit as Commit, History as History
from .repairing import repair as repair
from .rows import open_rows as open_rows, source_of_version as source_of_version
from .salts import lake_salt as lake_salt
from .schemas import fitted as fitted, kept_schema as kept_schema
from .tagging import tag as tag, tags as tags, untag as untag, vacuum as vacuum
from .upkeep import compact as compact, restore as restore
from .verifying import Report as Report, verify as verify
from .versions import TableVersion as TableVersion, open_version as open_version
from .writing import (
    append as append,
    history as history,
    names as names,
    open as open,
    path_of as path_of,
    write as write,
)
