from .make import build_set as build_set
