from .application import app as app, main as main, program as program
