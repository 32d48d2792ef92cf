from .filling import fill as fill
from .iso import KINDS as KINDS
from .make import build_set as build_set
