from .answering import generate as generate, predict as predict
