"""One TOML file per vendor: how its gear is recognised and where its facts stand.

A file that lies in this folder is known: there is no list to keep beside it.
"""

from importlib import resources

SUFFIX = ".toml"
# In the order of the alphabet, so that lines of equal weight are asked in one order everywhere.
FAMILIES: tuple[str, ...] = tuple(
    sorted(
        file.name.removesuffix(SUFFIX)
        for file in resources.files(__name__).iterdir()
        if file.name.endswith(SUFFIX)
    )
)
