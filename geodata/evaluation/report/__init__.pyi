from .contents import to_latex as to_latex
from .formats import (
    comparison_html as comparison_html,
    models_html as models_html,
    models_markdown as models_markdown,
    notebook_html as notebook_html,
    print_comparison as print_comparison,
    print_evaluation as print_evaluation,
    print_findings as print_findings,
    print_models as print_models,
    to_html as to_html,
    to_markdown as to_markdown,
    write_html as write_html,
    write_json as write_json,
    write_markdown as write_markdown,
)
from .pictures import write_curves as write_curves
