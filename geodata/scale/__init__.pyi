from .agreeing import WorkerMismatchError as WorkerMismatchError
from .choices import Exclude as Exclude, Filter as Filter, Popular as Popular
from .cluster import RayClusterError as RayClusterError, check_nodes as check_nodes
from .datasets_on_ray import build_on_ray as build_on_ray
from .dealing import Shard as Shard, ShardError as ShardError
from .joining import JoinedShards as JoinedShards, join_shards as join_shards
from .makers import Label as Label, Records as Records
from .on_ray import (
    label_on_ray as label_on_ray,
    map_dataset as map_dataset,
    score_dataset as score_dataset,
    score_file as score_file,
    write_dataset as write_dataset,
)
from .scoring import Score as Score, ScoreSums as ScoreSums
from .sharding import (
    Sharded as Sharded,
    label_shard as label_shard,
    records_shard as records_shard,
)
