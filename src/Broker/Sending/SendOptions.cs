using System.Net;
using GrayMQ.Broker.Configuration;

namespace GrayMQ.Broker.Sending;

/// <summary>What sending needs to know of this broker.</summary>
internal sealed record SendOptions
{
    /// <summary>The address that stored messages and their ids name: where clients reach this broker.</summary>
    public required IPEndPoint StoreHost { get; init; }

    public required string ClusterName { get; init; }

    /// <summary>RocketMQ: regionId.</summary>
    public required string Region { get; init; }

    /// <summary>RocketMQ: traceOn.</summary>
    public required bool TraceOn { get; init; }

    /// <summary>Bytes of a message's body, or of a batch (RocketMQ: maxMessageSize).</summary>
    public required int MaxMessageBytes { get; init; }

    /// <summary>Whether topics take messages of their declared type only (RocketMQ: enableTopicMessageTypeCheck, of its proxy).</summary>
    public bool CheckMessageType { get; init; } = true;

    /// <summary>RocketMQ: brokerPermission.</summary>
    public required LiveSetting<int> BrokerPermission { get; init; }
}
