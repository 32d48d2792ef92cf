from .contents import ordered as ordered
from .markdown import (
    TOP_GROUPS as TOP_GROUPS,
    to_html as to_html,
    to_markdown as to_markdown,
    write_html as write_html,
    write_json as write_json,
    write_markdown as write_markdown,
)
from .terminal import (
    print_comparison as print_comparison,
    print_evaluation as print_evaluation,
    print_findings as print_findings,
)
