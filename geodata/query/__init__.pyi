from .choosing import (
    Truth as Truth,
    choose as choose,
    split_counts as split_counts,
    true_rows as true_rows,
    typed_rows as typed_rows,
)
from .connection import (
    SQL_FOLDERS as SQL_FOLDERS,
    QueryError as QueryError,
    connect as connect,
    load_sql as load_sql,
    run as run,
    sql_folder as sql_folder,
)
from .views import view_name as view_name
