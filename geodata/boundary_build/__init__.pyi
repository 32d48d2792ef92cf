from .make import build_bundled as build_bundled
