from .loading import MOST_ALPHA as MOST_ALPHA, load_trial as load_trial, refuse_if_wrong as refuse_if_wrong
