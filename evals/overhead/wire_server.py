"""A chat server with no work to do: every answer is ready bytes, so that what a call costs is what its client costs.

    python wire_server.py [SECONDS]

It prints its port, and serves until its standard input ends; it thinks for so many seconds (0) before it answers. A connection is
kept, and a streamed answer is one event a token.
"""

import asyncio
import json
import sys

TEXT = "The train leaves at nine and takes two hours, so it is there at eleven."
WORDS = TEXT.split(" ")
USAGE = {"prompt_tokens": 40, "completion_tokens": len(WORDS), "total_tokens": 40 + len(WORDS)}
COMMON = {"id": "chatcmpl-1", "created": 1, "model": "fake-model"}


def whole() -> bytes:
    """The answer in one piece."""
    choice = {"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}
    body = json.dumps({**COMMON, "object": "chat.completion", "choices": [choice], "usage": USAGE}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def streamed() -> bytes:
    """The answer as events, each a chunk of the HTTP body."""
    pieces = [word if place == 0 else f" {word}" for place, word in enumerate(WORDS)]
    choices = [{"index": 0, "delta": {"content": piece}, "finish_reason": None} for piece in pieces]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    chunks = [{**COMMON, "object": "chat.completion.chunk", "choices": [one], "usage": None} for one in choices]
    chunks.append({**COMMON, "object": "chat.completion.chunk", "choices": [], "usage": USAGE})
    events = [*(json.dumps(chunk) for chunk in chunks), "[DONE]"]
    said = [f"data: {event}\n\n".encode() for event in events]
    body = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in (*said, b""))
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + body


WHOLE, STREAMED = whole(), streamed()


class Chat(asyncio.Protocol):
    """One connection."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._received = transport, b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        if len(rest) < length:
            return
        self._received = rest[length:]
        wanted = b'"stream":true' in rest[:length].replace(b" ", b"")
        answer = STREAMED if wanted else WHOLE
        if not self._seconds:
            return self._transport.write(answer)  # type: ignore[attr-defined,no-any-return]
        asyncio.get_running_loop().call_later(self._seconds, self._transport.write, answer)  # type: ignore[attr-defined]


async def main(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Chat(seconds), "127.0.0.1", 0, backlog=16384)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0))
