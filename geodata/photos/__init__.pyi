from .importing import (
    AlreadyImportedError as AlreadyImportedError,
    Archive as Archive,
    ImportReport as ImportReport,
    import_ as import_,
    index_path as index_path,
    open_archive as open_archive,
    open_image as open_image,
    read as read,
)
from .rows import SCHEMA as SCHEMA, STATUSES as STATUSES
from .sources import LAYOUTS as LAYOUTS, ROLES as ROLES
