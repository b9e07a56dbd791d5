"""`forked_client.py SOCKET ARGS`: msgrun in a fork (forked.py), with this process's environment, folder and streams.

It uses the modules beneath socket, signal and json: to import those takes longer than all else that it does.
"""

import _signal
import _socket
import marshal
import os
import sys

path, *args = sys.argv[1:]
job = {"args": args, "env": dict(os.environ), "folder": os.getcwd(), "most": 0, "before": ""}  # noqa: PTH109
connection = _socket.socket(_socket.AF_UNIX)
connection.connect(path)
streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
data = memoryview(marshal.dumps(job))
sent = connection.sendmsg([data], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
while sent < len(data):
    sent += connection.send(data[sent:])
connection.shutdown(_socket.SHUT_WR)
process = int(connection.recv(16))
for number in (_signal.SIGINT, _signal.SIGTERM):
    _signal.signal(number, lambda received, _: os.kill(process, received))
code = int(connection.recv(16))
if code < 0:
    _signal.signal(-code, _signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
