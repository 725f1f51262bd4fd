"""A weight transmitter as a pymodbus server: registers from 40001 as given, faults on the line as asked for.

usage: modbus_server.py PORT REGISTERS(JSON list) FAULT(none|silent|corrupt)
"""
import asyncio
import json
import sys

from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice


def on_the_line(fault):
    def trace(sending, data):
        if not sending or fault == "none":
            return data
        if fault == "silent":
            return b""
        return data[:3] + bytes([data[3] ^ 0x40]) + data[4:]

    return trace


async def main():
    port, registers, fault = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
    device = SimDevice(id=1, simdata=[SimData(0, values=registers, datatype=DataType.REGISTERS)])
    server = ModbusSerialServer(device, port=port, baudrate=9600, trace_packet=on_the_line(fault))
    await server.serve_forever(background=True)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until the test closes its end


asyncio.run(main())
