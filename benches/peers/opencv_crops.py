"""The pearls of a folder through OpenCV, as an integrator's example shows it: threshold, contour, ellipse, mask, mean
CIELAB, area of the highlights; one thread.

    opencv_crops.py FOLDER

Reads every view once, says how many crops there are, then does as it is told on standard input:
    round     every crop twice, one after another: seconds of the first and of the second times, added up
    figures   one line a pearl: id, largest and smallest diameter in pixels over its three views
Ends with its input.
"""

import sys
import time
from pathlib import Path

import cv2
import numpy as np

VIEWS = ("top", "left", "right")
# Belt 5 counts, a pearl's dark side about 20: the level half-way.
EDGE = 12
HIGHLIGHT = 230


def measure(picture):
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    _, bright = cv2.threshold(grey, EDGE, 255, cv2.THRESH_BINARY)
    contours, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    ellipse = cv2.fitEllipse(max(contours, key=cv2.contourArea))
    mask = np.zeros_like(grey)
    cv2.ellipse(mask, ellipse, 255, -1)
    lab = cv2.mean(cv2.cvtColor(picture, cv2.COLOR_BGR2Lab), mask)
    _, highlights = cv2.threshold(grey, HIGHLIGHT, 255, cv2.THRESH_BINARY)
    return ellipse[1], lab[:3], cv2.countNonZero(highlights)


def timed(picture):
    start = time.perf_counter()
    measure(picture)
    return time.perf_counter() - start


def main():
    cv2.setNumThreads(1)
    folder = Path(sys.argv[1])
    pearls = sorted(path.name.removesuffix("-top.png") for path in folder.glob("*-top.png"))
    pictures = {pearl: [cv2.imread(str(folder / f"{pearl}-{view}.png")) for view in VIEWS] for pearl in pearls}
    print(cv2.__version__, len(VIEWS) * len(pearls), flush=True)
    for line in sys.stdin:
        if line.strip() == "round":
            fetched = cached = 0.0
            for views in pictures.values():
                fetched += sum(timed(picture) for picture in views)
                cached += sum(timed(picture) for picture in views)
            print(fetched, cached, flush=True)
        else:
            for pearl, views in pictures.items():
                sides = [side for picture in views for side in measure(picture)[0]]
                print(pearl, max(sides), min(sides))
            print(flush=True)


if __name__ == "__main__":
    main()
