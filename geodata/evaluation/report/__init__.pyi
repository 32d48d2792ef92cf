from .html import to_html as to_html
from .markdown import to_markdown as to_markdown
from .terminal import (
    print_comparison as print_comparison,
    print_evaluation as print_evaluation,
    print_findings as print_findings,
)
from .writing import (
    write_html as write_html,
    write_json as write_json,
    write_markdown as write_markdown,
)
