// The C++ server of the benchmark of calls: asynchronous, one completion queue, one thread. rpc_cpp ADDRESS
#include "bench.grpc.pb.h"

#include <grpcpp/grpcpp.h>

#include <memory>

using weir::bench::Bench;
using weir::bench::Bytes;

class Call {
public:
    Call(Bench::AsyncService *service, grpc::ServerCompletionQueue *queue)
        : service_(service), queue_(queue), responder_(&context_)
    {
        service_->RequestEcho(&context_, &request_, &responder_, queue_, queue_, this);
    }

    void Proceed(bool ok)
    {
        if (!ok || done_) {
            delete this;
            return;
        }
        new Call(service_, queue_);
        done_ = true;
        responder_.Finish(request_, grpc::Status::OK, this);
    }

private:
    Bench::AsyncService *service_;
    grpc::ServerCompletionQueue *queue_;
    grpc::ServerContext context_;
    Bytes request_;
    grpc::ServerAsyncResponseWriter<Bytes> responder_;
    bool done_ = false;
};

int main(int, char **argv)
{
    Bench::AsyncService service;
    grpc::ServerBuilder builder;
    builder.AddListeningPort(argv[1], grpc::InsecureServerCredentials());
    builder.RegisterService(&service);
    std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
    std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    for (int i = 0; i < 256; i++)
        new Call(&service, queue.get());
    void *tag;
    bool ok;
    while (queue->Next(&tag, &ok))
        static_cast<Call *>(tag)->Proceed(ok);
}
