from .digests import DigestCache as DigestCache, mark_of as mark_of, marks_in as marks_in
from .encoding import (
    ZERO as ZERO,
    canonical as canonical,
    decode as decode,
    decode_or_none as decode_or_none,
    digest_bytes as digest_bytes,
    digest_file as digest_file,
    digest_value as digest_value,
    encode as encode,
    plain_value as plain_value,
    seconds_of as seconds_of,
    spell_nonfinite as spell_nonfinite,
    utc as utc,
)
from .files import (
    cannot_write as cannot_write,
    content_of as content_of,
    keep as keep,
    make as make,
    read_as as read_as,
    read_bytes as read_bytes,
    read_record as read_record,
    replace as replace,
    sync_folder as sync_folder,
    write_atomic as write_atomic,
    write_if_changed as write_if_changed,
    write_in_place as write_in_place,
    write_record as write_record,
)
from .ledger import Ledger as Ledger, last_line as last_line, last_lines as last_lines
from .watch import FolderWatch as FolderWatch
