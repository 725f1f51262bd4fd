"""A plain sorter on pyserial, as its examples show it: readline in a thread, a queue to the sorter.

    pyserial_readline.py PORT

Ends when the port closes. The lines are described in benches/src/lines.rs. No CRC, no tracking, no scheduling.
"""

import queue
import sys
import threading

import serial


def read_lines(port, lines):
    try:
        while True:
            line = port.readline()
            if line:
                lines.put(line)
    except (OSError, serial.SerialException):
        lines.put(None)


def valve(diameter_um, ddp, lustre, surface):
    if ddp > 200:
        return 5
    if lustre < 90 or surface > 1:
        return 4
    return min((diameter_um - 7000) // 500, 3)


def main():
    port = serial.Serial(sys.argv[1], 1000000, timeout=1, exclusive=True)
    lines = queue.Queue()
    threading.Thread(target=read_lines, args=(port, lines), daemon=True).start()
    ticks = {}
    while True:
        line = lines.get()
        if line is None:
            return
        fields = line.split()
        pearl = int(fields[1])
        if fields[0].startswith(b"T"):
            ticks[pearl] = int(fields[2])
        elif fields[0].startswith(b"M"):
            bin_valve = valve(int(fields[2]), int(fields[3]), int(fields[5]), int(fields[6]))
            tick = ticks.pop(pearl, 0) + 1000 * (bin_valve + 1)
            port.write(b"F%02d %010d 0320 %010d\n" % (bin_valve, tick, pearl))


if __name__ == "__main__":
    main()
