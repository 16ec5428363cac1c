"""One worker of `gdl.drawn.images`: draws every W-th block of faces and writes its bytes to standard output."""

import os
import sys

from gdl.drawn.layout import BLOCK, draw_block


def main(n: int, size: int, seed: int, worker: int, workers: int) -> None:
    for start in range(worker * BLOCK, n, workers * BLOCK):
        block = draw_block(start, min(start + BLOCK, n), size, seed)
        sys.stdout.buffer.write(block.tobytes())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        main(*map(int, sys.argv[1:]))
    except (BrokenPipeError, KeyboardInterrupt):  # the reader is gone
        os._exit(1)
