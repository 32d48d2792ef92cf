from .trainer import (
    GeoGRPOTrainer as GeoGRPOTrainer,
    arguments as arguments,
    build as build,
    reward_functions as reward_functions,
    train as train,
)
