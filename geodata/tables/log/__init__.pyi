from .addresses import (
    address_of as address_of,
    lake_of as lake_of,
    refuse_address as refuse_address,
    split_version as split_version,
    stands_for as stands_for,
)
from .checkpoints import (
    HINT as HINT,
    checkpoint as checkpoint,
    is_due as is_due,
    keep_short as keep_short,
    sealed as sealed,
)
from .locking import alone as alone, is_held as is_held
from .own_files import check_own as check_own
from .reading import (
    KEY as KEY,
    LOG as LOG,
    SEALS as SEALS,
    Active as Active,
    Snapshot as Snapshot,
    active as active,
    active_of as active_of,
    added as added,
    by_library as by_library,
    check_name as check_name,
    check_path as check_path,
    check_version as check_version,
    commit_at as commit_at,
    commits as commits,
    committed_at as committed_at,
    exists as exists,
    first_line as first_line,
    last_version as last_version,
    load as load,
    recorded as recorded,
    refuse_fork as refuse_fork,
    rows_of as rows_of,
    schema_of as schema_of,
    snapshot as snapshot,
    total as total,
)
from .replaying import CONFIGURATION as CONFIGURATION, replay as replay
from .seals import seal as seal, sealed_text as sealed_text
from .tagging import (
    FOLDER as FOLDER,
    is_older as is_older,
    resolve as resolve,
    tag as tag,
    tags as tags,
    untag as untag,
    vacuum as vacuum,
)
