#!/usr/bin/env python3
"""A worker in Python, with nothing but what comes with it:

    tanist run --listen 3000 -- python3 worker.py

It answers one request at a time with its pid, generation and slot.
"""
import json
import os
import select
import signal
import socket
import sys
import time

PING_EVERY_SECONDS = 10

if "TANIST_CHANNEL_FD" not in os.environ or os.environ.get("LISTEN_PID") != str(os.getpid()):
    sys.exit("Start me with: tanist run --listen 3000 -- python3 worker.py")

# A signal may come between looking at a variable and waiting: written into a socket, it is never missed.
wakeup, signalled = socket.socketpair()
signalled.setblocking(False)
signal.set_wakeup_fd(signalled.fileno())
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
    signal.signal(number, lambda *_: None)
signal.signal(signal.SIGUSR2, signal.SIG_IGN)

channel = socket.socket(fileno=int(os.environ["TANIST_CHANNEL_FD"]))
listener = socket.socket(fileno=3)
# When several workers wait for a connection all are woken, and one gets it: the others must not hang.
listener.setblocking(False)

who = json.dumps(
    {
        "pid": os.getpid(),
        "generation": int(os.environ["TANIST_GENERATION"]),
        "slot": int(os.environ["TANIST_SLOT"]),
    }
).encode()


def answer():
    try:
        client, _ = listener.accept()
    except OSError:
        return  # Another worker has it.
    with client:
        client.settimeout(5)  # Nobody may hold up the others for ever.
        try:
            request = b""
            while b"\r\n\r\n" not in request and len(request) < 65_536:
                received = client.recv(4096)
                if not received:
                    return
                request += received
            head = (
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(who)}\r\nConnection: close\r\n\r\n"
            )
            client.sendall(head.encode() + who)
        except OSError:
            return  # The client has gone.


def main():
    # ... here a real program would initialise ...

    channel.sendall(b"takeover\n")
    waiting = [channel, wakeup]
    heard = b""
    pinged_at = time.monotonic()
    while True:
        ready, _, _ = select.select(waiting, [], [], PING_EVERY_SECONDS)
        # For tanist run --watchdog: also a busy worker says that it is well.
        if time.monotonic() - pinged_at >= PING_EVERY_SECONDS:
            channel.sendall(b"ping\n")
            pinged_at = time.monotonic()
        if wakeup in ready:
            return  # Nothing is in hand between two requests; what waits in the queue is for the others.
        if channel in ready:
            received = channel.recv(4096)
            if not received:
                return  # End of file: the supervisor is gone.
            *lines, heard = (heard + received).split(b"\n")
            if b"ok" in lines and listener not in waiting:
                waiting.append(listener)
        if listener in ready:
            answer()


try:
    main()
except (BrokenPipeError, ConnectionResetError):
    pass  # The supervisor is gone: the end of file, noticed by saying something.
