"""Real data that tests read; size or licence keeps it out of the tree, so that $DLSPEC_DATA names its folder."""


def lacking(what: str) -> str:
    """Why a test is skipped where this data is not there."""
    return f"{what} is real data whose size or licence keeps it out of the tree; $DLSPEC_DATA names the folder it is in"
