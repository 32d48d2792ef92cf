from .answers import (
    SHOWN as SHOWN,
    as_csv as as_csv,
    as_json as as_json,
    as_markdown as as_markdown,
    cell as cell,
    check as check,
    is_number as is_number,
    is_whole as is_whole,
    write as write,
)
from .bars import progress as progress
from .completion import query as query, tables as tables
from .streams import files_of as files_of
from .telling import say as say, say_text as say_text
