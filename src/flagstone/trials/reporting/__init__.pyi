from .pictures import Frame as Frame, forest_picture as forest_picture, pairs_picture as pairs_picture
