using System.Net;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Load;

/// <summary>What a run of the load does.</summary>
internal sealed record LoadOptions
{
    public required IPEndPoint Broker { get; init; }

    public string Topic { get; init; } = "Load";

    /// <summary>Queues that the load spreads over.</summary>
    public int Queues { get; init; } = 4;

    /// <summary>Where pulls and pops begin each queue, and begin again at its end; 0 for queues that are not in it.</summary>
    public IReadOnlyList<long> Starts { get; init; } = [];

    public int Connections { get; init; } = 64;

    /// <summary>Requests that wait for their answer at a time, on each connection.</summary>
    public int InFlight { get; init; } = 1;

    /// <summary>Bytes of a message's body.</summary>
    public int BodyBytes { get; init; } = 1024;

    /// <summary>Messages that a pull asks for.</summary>
    public int Batch { get; init; } = 32;

    /// <summary>The broker's name, which stands in the handles of popped messages.</summary>
    public string BrokerName { get; init; } = "broker-a";

    /// <summary>Popped messages of a hundred that are never acked.</summary>
    public int NeverAckedPercent { get; init; }

    /// <summary>How long popped messages are invisible.</summary>
    public TimeSpan Invisible { get; init; } = TimeSpan.FromSeconds(60);

    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(3);

    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(10);

    public SerializeType SerializeType { get; init; } = SerializeType.Json;

    /// <summary>Where the server tells its metrics; null leaves out what it allocates.</summary>
    public int? HttpPort { get; init; }

    /// <summary>Where the broker answers gRPC.</summary>
    public int GrpcPort { get; init; } = 8081;

    /// <summary>The server's process, to count what it uses; null leaves that out.</summary>
    public int? ProcessId { get; init; }

    public long StartOf(int queueId) => queueId < Starts.Count ? Starts[queueId] : 0;
}
