#!/usr/bin/env python3
"""Sums up an X-ray diffraction scan: one file, named by streamtool, becomes one JSON object on stdout.

    streamtool process --topic scans --exec 'python3 xrd.py {path}' --output ./results

A file that cannot be read is said on stderr, and the exit code is not 0: then streamtool holds the file, goes on with
the others, and tries it again at its next start.
"""

import json
import os
import pathlib
import sys


def read_scan(lines):
    """Returns the measurement conditions, and the points as pairs of angle and intensity."""
    conditions, points, section = {}, [], None
    for number, line in enumerate((line.strip() for line in lines), start=1):
        if line.startswith("["):
            section = line
        elif line and section == "[Measurement conditions]":
            key, _, value = line.partition(",")
            conditions[key] = value
        elif line and section == "[Scan points]" and line != "Angle,Intensity":
            try:
                angle, intensity = map(float, line.split(","))
            except ValueError:
                raise ValueError(f"line {number} is no scan point: {line[:80]}") from None
            points.append((angle, intensity))
    if not points:
        raise ValueError("there are no [Scan points] in it")
    return conditions, points


def main():
    path = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else os.environ["STREAMTOOL_FILE_PATH"])
    try:
        with path.open(encoding="utf-8-sig") as file:
            conditions, points = read_scan(file)
    except ValueError as error:
        sys.exit(f"{path.name}: {error}")

    angle, intensity = max(points, key=lambda point: point[1])
    summary = {
        "path": os.environ.get("STREAMTOOL_FILE_RELATIVE_PATH", path.name),
        "sample": conditions.get("Sample identification"),
        "points": len(points),
        "highest": {"angle": angle, "intensity": intensity},
    }

    # Beside stdout there is a directory for whatever is to be kept.
    output = os.environ.get("STREAMTOOL_FILE_OUTPUT_DIR")
    if output:
        target = pathlib.Path(output, summary["path"]).with_suffix(".json")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")

    print(json.dumps(summary))


if __name__ == "__main__":
    main()
