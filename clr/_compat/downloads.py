"""Downloads that say what to do where they fail."""

from urllib import error, request


def retrieve(url: str, path: str, cache_path: str) -> None:
    """Downloads a file as ``urllib.request.urlretrieve`` does.

    Args:
        url: Its address.
        path: Where it goes.
        cache_path: Where Chainer looks for the file before it downloads it.

    Raises:
        URLError: In one line, with the address, why, and where to put the file by hand.
    """
    try:
        request.urlretrieve(url, path)
    except OSError as failure:
        why = getattr(failure, 'reason', failure)
        raise error.URLError(f'{url} cannot be fetched ({why}); fetch it by hand and put it at {cache_path}') from failure
