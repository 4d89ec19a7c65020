namespace GrayMQ.Broker.Lifecycle;

/// <summary>Who is connected.</summary>
/// <param name="Remoting">Connections of the remoting protocol.</param>
/// <param name="Grpc">Connections of gRPC clients.</param>
/// <param name="GrpcCalls">Calls of theirs that are under way: streams, and what waits for messages.</param>
internal readonly record struct OpenConnections(int Remoting, int Grpc, int GrpcCalls);
