"""Export formats: any report as a file, streamed. Add one: a file here and a line in run.FORMATS."""

from kiemke.server.exports.run import FORMATS, Export

__all__ = ["FORMATS", "Export"]
