from .driver import CommandAgent as CommandAgent
from .template import at as at
