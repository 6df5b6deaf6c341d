"""Question files: bytes of any known format in, questions and named refusals out."""

from pairquiz_server.formats.detect import parse
from pairquiz_server.formats.outcome import Located, Parsed, Refusal, UnreadableFile
from pairquiz_server.formats.own import dump

__all__ = ["Located", "Parsed", "Refusal", "UnreadableFile", "dump", "parse"]
