"""Purpose: the one exception by which every reader refuses its input."""


class Refusal(Exception):
    """A refusal with a stable reason code (spec/codes.md) and a text for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
