from .documents import loads_strict as loads_strict
from .folders import list_files as list_files
from .pictures import pdf_pages as pdf_pages
from .reading import (
    DIGEST_LIMIT_BYTES as DIGEST_LIMIT_BYTES,
    OutsideRun as OutsideRun,
    OwnRecord as OwnRecord,
    Unreadable as Unreadable,
    decode_text as decode_text,
    is_filled as is_filled,
    open_regular as open_regular,
    read_bounded as read_bounded,
    read_plain as read_plain,
    real_path as real_path,
    regular_file as regular_file,
    size_words as size_words,
)
from .shape import (
    Makers as Makers,
    MakerTally as MakerTally,
    Shape as Shape,
)
