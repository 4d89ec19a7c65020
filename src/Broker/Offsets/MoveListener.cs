namespace GrayMQ.Broker.Offsets;

/// <summary>Is told of a queue in which a group goes on at another offset. The names are UTF-8.</summary>
internal delegate void MoveListener(ReadOnlySpan<byte> group, ReadOnlySpan<byte> topic, int queueId, long offset);
