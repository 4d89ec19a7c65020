using GrayMQ.Protocol.Commands;

namespace GrayMQ.Client.Tests.Servers;

/// <summary>What a broker was sent.</summary>
internal sealed record SentMessage(
    RequestCode Code,
    string Group,
    string Topic,
    string DefaultTopic,
    int QueueId,
    int SysFlag,
    int Flag,
    bool Batch,
    bool OneWay,
    IReadOnlyDictionary<string, string> Properties,
    byte[] Body);
