from .diffs import Diff as Diff, diff as diff
from .inputs import (
    DatasetError as DatasetError,
    Input as Input,
    open_input as open_input,
    reopen as reopen,
)
from .parts import Part as Part, commit_parts as commit_parts, write_part as write_part
from .past import Commit as Commit, History as History
from .rows import open_rows as open_rows, source_of_version as source_of_version
from .version import (
    TableVersion as TableVersion,
    open_version as open_version,
    size_problem as size_problem,
)
from .watching import seen as seen
from .writing import (
    append as append,
    history as history,
    names as names,
    open as open,
    path_of as path_of,
    write as write,
)
