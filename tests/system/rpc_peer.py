"""The service of rpc/echo.proto by python3-grpcio, as a program of its own: rpc_peer.py FOLDER ADDRESS [THREADS]. FOLDER has echo_pb2.py.
"die" ends it at once, as a crash would."""

import os
import sys
import threading
import time
from concurrent import futures

import grpc

FAILURE = "hello: 100 % wrong\n\u00fc"
DETAILS = b"\0de\xfft\n\0"


class Echo:
    def __init__(self, pb):
        self.pb, self.cancelled, self.held = pb, 0, threading.Event()

    def begin(self, context):
        """Metadata comes back."""
        mine = [(k, v) for k, v in context.invocation_metadata() if k.startswith("x-")]
        if mine:
            context.send_initial_metadata(mine)
            context.set_trailing_metadata([("t" + k[1:], v) for k, v in mine])

    def act(self, ask, context):
        if ask.die:
            os._exit(7)
        if ask.hold:
            context.add_callback(self.held.set)
            self.held.wait(60)
            self.held.clear()
        if ask.delay_ms:
            time.sleep(ask.delay_ms / 1000)

    def fail(self, ask, context):
        if ask.code:
            context.set_code([c for c in grpc.StatusCode if c.value[0] == ask.code][0])
            context.set_details(FAILURE)
            mine = [("t" + k[1:], v) for k, v in context.invocation_metadata() if k.startswith("x-")]
            context.set_trailing_metadata([*mine, ("grpc-status-details-bin", DETAILS)])

    def answer(self, ask, number):
        return self.pb.Answer(text=ask.text, number=number, payload=b"y" * ask.size)

    def unary(self, ask, context):
        self.begin(context)
        self.act(ask, context)
        self.fail(ask, context)
        if ask.text == "how many cancelled?":
            return self.answer(ask, self.cancelled)
        return self.answer(ask, len(ask.payload))

    def down(self, ask, context):
        self.begin(context)
        whole = []
        context.add_callback(lambda: whole or self.count())
        for number in range(ask.count):
            self.act(ask, context)
            yield self.answer(ask, number)
        whole.append(True)
        self.fail(ask, context)

    def count(self):
        self.cancelled += 1

    def up(self, asks, context):
        self.begin(context)
        total = 0
        for ask in asks:
            self.act(ask, context)
            total += len(ask.payload)
            self.fail(ask, context)
        return self.pb.Answer(number=total)

    def both(self, asks, context):
        self.begin(context)
        for number, ask in enumerate(asks):
            self.act(ask, context)
            yield self.answer(ask, number)
            self.fail(ask, context)


def handlers(pb, echo):
    kinds = {"Unary": (grpc.unary_unary_rpc_method_handler, echo.unary),
             "Down": (grpc.unary_stream_rpc_method_handler, echo.down),
             "Up": (grpc.stream_unary_rpc_method_handler, echo.up),
             "Both": (grpc.stream_stream_rpc_method_handler, echo.both)}
    methods = {name: make(call, request_deserializer=pb.Ask.FromString, response_serializer=pb.Answer.SerializeToString)
               for name, (make, call) in kinds.items()}
    return grpc.method_handlers_generic_handler("weir.test.Echo", methods)


def main():
    sys.path.insert(0, sys.argv[1])
    import echo_pb2  # pylint: disable=import-outside-toplevel
    threads = int(sys.argv[3]) if len(sys.argv) > 3 else 30
    server = grpc.server(futures.ThreadPoolExecutor(threads), options=[
        ("grpc.max_receive_message_length", 64 << 20), ("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((handlers(echo_pb2, Echo(echo_pb2)),))
    port = server.add_insecure_port(sys.argv[2])
    server.start()
    print(f"ready {port}", flush=True)
    sys.stdin.read()  # until whoever started it closes that
    server.stop(0)


if __name__ == "__main__":
    main()
