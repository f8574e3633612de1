"""A gRPC server by python3-grpcio for test_call.py: weir.calls.Greeter of tests/protos, and server reflection as told.
call_peer.py SET ADDRESS [v1|v1alpha|none|lies] [CERT KEY]: prints the port. SET: a FileDescriptorSet of calls.proto and reflection.proto."""

import pathlib
import sys
import time
from concurrent import futures

import grpc

from protos import Types


class Greeter:
    def __init__(self, types):
        self.hello, self.all = types.message("weir.calls.Hello"), types.message("weir.three.All")
        self.empty = types.message("google.protobuf.Empty")

    def methods(self):
        hello, empty = self.hello, self.empty
        return {
            "SayHello": grpc.unary_unary_rpc_method_handler(self.say, hello.FromString, hello.SerializeToString),
            "Watch": grpc.unary_stream_rpc_method_handler(self.watch, empty.FromString, hello.SerializeToString),
            "Gather": grpc.stream_unary_rpc_method_handler(self.gather, hello.FromString, empty.SerializeToString),
            "Chat": grpc.stream_stream_rpc_method_handler(self.chat, hello.FromString, self.all.SerializeToString),
        }

    def say(self, ask, context):
        mine = [(k, v) for k, v in context.invocation_metadata() if k.startswith("x-")]
        context.send_initial_metadata(mine)
        context.set_trailing_metadata([("t" + k, v) for k, v in mine])
        if ask.name == "slow":
            time.sleep(20)
        if ask.name == "big":
            return self.hello(name="y" * 3_000_000)
        if ask.name.startswith("fail "):
            code = [c for c in grpc.StatusCode if c.value[0] == int(ask.name.split()[1])][0]
            context.abort(code, f"you said {ask.name}\nand more")
        return self.hello(name=f"hello {ask.name}")

    def watch(self, _, context):
        count = int(dict(context.invocation_metadata()).get("x-count", "3"))
        for i in range(count):
            yield self.hello(name=str(i))
            if i == 1 and count > 100:
                time.sleep(0.3)

    def gather(self, asks, context):
        context.set_trailing_metadata([("x-names", ",".join(ask.name for ask in asks))])
        return self.empty()

    def chat(self, asks, _):
        for ask in asks:
            if ask.name == "bye":
                return
            yield self.all(text=ask.name, i32=len(ask.name), words={"k": ask.name})


class Reflection:
    def __init__(self, types, lies):
        self.types, self.lies = types, lies
        self.request, self.response = types.message("weir.reflection.Request"), types.message("weir.reflection.Response")

    def methods(self):
        return {"ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(
            self.info, self.request.FromString, self.response.SerializeToString)}

    def info(self, asks, _):
        for ask in asks:
            answer, kind = self.response(original_request=ask), ask.WhichOneof("message_request")
            if kind == "list_services":
                for name in ("weir.calls.Greeter", "grpc.reflection.v1alpha.ServerReflection"):
                    answer.list_services_response.service.add(name=name)
            else:
                try:
                    pool = self.types.pool
                    file = (pool.FindFileContainingSymbol(ask.file_containing_symbol) if kind == "file_containing_symbol"
                            else pool.FindFileByName(ask.file_by_filename))
                    data = file.serialized_pb
                    if self.lies:
                        data = data.replace(b"weir.calls", b"weir;calls") if self.lies == "name" else data[:-3]
                    answer.file_descriptor_response.file_descriptor_proto.append(data)
                except KeyError:
                    answer.error_response.error_code = 5
                    answer.error_response.error_message = "it is\nnot here"
            yield answer


def main(path, address, reflection, cert=None, key=None):
    types = Types(pathlib.Path(path).read_bytes())
    server = grpc.server(futures.ThreadPoolExecutor(8))
    handlers = [grpc.method_handlers_generic_handler("weir.calls.Greeter", Greeter(types).methods())]
    if reflection != "none":
        version = "v1alpha" if reflection == "v1alpha" else "v1"
        lies = {"lies": "name", "cut": "cut"}.get(reflection)
        handlers.append(grpc.method_handlers_generic_handler(f"grpc.reflection.{version}.ServerReflection",
                                                             Reflection(types, lies).methods()))
    server.add_generic_rpc_handlers(handlers)
    if cert:
        pair = (pathlib.Path(key).read_bytes(), pathlib.Path(cert).read_bytes())
        port = server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
    else:
        port = server.add_insecure_port(address)
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(0)


main(*sys.argv[1:])
