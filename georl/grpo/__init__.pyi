from .trainer import GeoGRPOTrainer as GeoGRPOTrainer, build as build, train as train
