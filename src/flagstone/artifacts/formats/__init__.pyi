from .documents import loads_strict as loads_strict
from .folders import list_files as list_files
from .pictures import pdf_pages as pdf_pages
from .reading import (
    DIGEST_LIMIT_BYTES as DIGEST_LIMIT_BYTES,
    PRODUCED_IN as PRODUCED_IN,
    Unreadable as Unreadable,
    decode_text as decode_text,
    is_inside as is_inside,
    open_regular as open_regular,
    read_bounded as read_bounded,
    read_plain as read_plain,
    read_text as read_text,
    reason_of as reason_of,
    regular_file as regular_file,
    size_words as size_words,
)
from .shape import (
    Describer as Describer,
    Makers as Makers,
    MakerTally as MakerTally,
    Shape as Shape,
    maker_name as maker_name,
)
