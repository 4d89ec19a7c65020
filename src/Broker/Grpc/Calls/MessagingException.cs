using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Calls;

/// <summary>Ends a request with a status of the messaging protocol; the gRPC call itself ends OK.</summary>
internal sealed class MessagingException(V2.Code code, string message) : Exception(message)
{
    public V2.Code Code { get; } = code;

    public V2.Status ToStatus() => new() { Code = Code, Message = Message };
}
