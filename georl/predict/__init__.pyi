from .answering import predict as predict
