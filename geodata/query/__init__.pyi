from .choosing import (
    Truth as Truth,
    choose as choose,
    split_counts as split_counts,
    true_rows as true_rows,
    typed_rows as typed_rows,
)
from .connection import Connection as Connection, connect as connect
from .errors import QueryError as QueryError, QueryLimitError as QueryLimitError
from .hearing import Hearing as Hearing
from .objects import (
    SQL_FOLDERS as SQL_FOLDERS,
    load_sql as load_sql,
    sql_folder as sql_folder,
)
from .running import Answer as Answer, run as run, stream as stream
from .views import view_name as view_name
