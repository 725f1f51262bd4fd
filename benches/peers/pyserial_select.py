"""A plain sorter on pyserial, the quick way: select, read what is there, sort, write the orders of a batch at once.

    pyserial_select.py PORT

Ends when the port closes. The lines are described in benches/src/lines.rs. No CRC, no tracking, no scheduling.
"""

import select
import sys

import serial


def valve(diameter_um, ddp, lustre, surface):
    if ddp > 200:
        return 5
    if lustre < 90 or surface > 1:
        return 4
    return min((diameter_um - 7000) // 500, 3)


def main():
    port = serial.Serial(sys.argv[1], 1000000, timeout=0, exclusive=True)
    ticks = {}
    rest = b""
    while True:
        select.select([port], [], [])
        lines = (rest + port.read(65536)).split(b"\n")
        rest = lines.pop()
        orders = []
        for line in lines:
            fields = line.split()
            pearl = fields[1]
            if line[0] == 84:  # T
                ticks[pearl] = int(fields[2])
            elif line[0] == 77:  # M
                bin_valve = valve(int(fields[2]), int(fields[3]), int(fields[5]), int(fields[6]))
                tick = ticks.pop(pearl, 0) + 1000 * (bin_valve + 1)
                orders.append(b"F%02d %010d 0320 %s\n" % (bin_valve, tick, pearl))
        if orders:
            port.write(b"".join(orders))


if __name__ == "__main__":
    try:
        main()
    except (OSError, serial.SerialException):
        pass
