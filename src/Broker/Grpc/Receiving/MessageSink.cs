namespace GrayMQ.Broker.Grpc.Receiving;

/// <summary>Takes an encoded message in two parts.</summary>
internal delegate void MessageSink(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body);
