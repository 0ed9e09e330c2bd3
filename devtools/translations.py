"""placeholder"""


def compile_catalogues() -> None:
    pass
