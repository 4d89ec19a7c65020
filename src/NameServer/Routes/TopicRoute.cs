using GrayMQ.Protocol.Bodies;

namespace GrayMQ.NameServer.Routes;

/// <summary>
/// Where one topic has its queues. Guarded by the lock of <see cref="RouteState"/>, but for what a route query reads when it
/// finds its answer already encoded.
/// </summary>
internal sealed class TopicRoute(string name)
{
    private long _version;
    private EncodedRoute? _encoded;

    public string Name => name;

    /// <summary>By broker name.</summary>
    public Dictionary<string, QueueData> Queues { get; } = new(StringComparer.Ordinal);

    /// <summary>By broker name; empty unless the topic is static.</summary>
    public Dictionary<string, TopicQueueMappingInfo> Mappings { get; } = new(StringComparer.Ordinal);

    /// <summary>Goes up with every change of this object.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>The answer as it was given last, valid for as long as its stamp is.</summary>
    public EncodedRoute? Encoded
    {
        get => Volatile.Read(ref _encoded);
        set => Volatile.Write(ref _encoded, value);
    }

    public void Changed() => Volatile.Write(ref _version, _version + 1);
}

/// <summary>The versions of everything that an answer is made of.</summary>
internal readonly record struct RouteStamp(long Topic, long Brokers, long KVConfigs, long Options);

/// <summary>A route as JSON, in the forms that were asked for so far.</summary>
internal sealed record EncodedRoute(RouteStamp Stamp, byte[]? Standard, byte[]? Fastjson)
{
    public byte[]? In(BodyJsonForm form) => form == BodyJsonForm.Standard ? Standard : Fastjson;
}
