from .driver import CommandAgent as CommandAgent
