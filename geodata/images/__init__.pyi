from .archive import (
    ABSENT as ABSENT,
    Archive as Archive,
    index_path as index_path,
    open_archive as open_archive,
)
from .column import (
    image_column as image_column,
    is_missing as is_missing,
    rooted as rooted,
)
from .embedding import (
    ABSENT_PROBLEMS as ABSENT_PROBLEMS,
    Embedder as Embedder,
    confined as confined,
    leads_outside as leads_outside,
    reference_problems as reference_problems,
)
from .homes import (
    Place as Place,
    called as called,
    renamed as renamed,
    started as started,
    started_table as started_table,
)
from .large import is_large as is_large, one_large as one_large
from .metadata import kind_of as kind_of, without_metadata as without_metadata
from .places import (
    AMBIGUOUS as AMBIGUOUS,
    ImagePlaces as ImagePlaces,
    Images as Images,
    open_image as open_image,
    open_images as open_images,
)
from .tar import archive_kind as archive_kind
from .upright import upright_rgb as upright_rgb
from .webdataset import (
    Sample as Sample,
    Samples as Samples,
    content as content,
    open_samples as open_samples,
    row_of as row_of,
    samples as samples,
    shard_paths as shard_paths,
)
