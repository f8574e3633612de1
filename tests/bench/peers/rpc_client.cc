// The C++ client of the benchmark of calls: unary calls, one at a time, by the stub that waits. rpc_cpp_trip ADDRESS SECONDS
// prints {"us": microseconds a round trip}.
#include "bench.grpc.pb.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

using weir::bench::Bench;
using weir::bench::Bytes;

static const int WARM_UP = 500;

static void Once(Bench::Stub *stub, const Bytes &request)
{
    grpc::ClientContext context;
    Bytes reply;
    grpc::Status status = stub->Echo(&context, request, &reply);
    if (!status.ok() || reply.bytes() != request.bytes()) {
        std::fprintf(stderr, "rpc_cpp_trip: %s\n", status.error_message().c_str());
        std::exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    auto stub = Bench::NewStub(grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials()));
    Bytes request;
    request.set_bytes(std::string(64, '\0'));
    for (int i = 0; i < WARM_UP; i++)
        Once(stub.get(), request);
    double seconds = std::atof(argv[2]), took;
    long calls = 0;
    auto begin = std::chrono::steady_clock::now();
    do {
        for (int i = 0; i < 50; i++, calls++)
            Once(stub.get(), request);
        took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    } while (took < seconds);
    std::printf("{\"us\": %.3f, \"calls\": %ld}\n", took / calls * 1e6, calls);
}
