from .accuracy import (
    RegionAccuracy as RegionAccuracy,
    RegionCounts as RegionCounts,
)
from .labels import (
    label_sources as label_sources,
    labels_at as labels_at,
    labels_of as labels_of,
    named_labels as named_labels,
)
from .string_rule import (
    string_accuracy as string_accuracy,
    true_name_columns as true_name_columns,
)
