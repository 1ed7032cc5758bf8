from .notebook import experiment as experiment, run as run

__version__: str
