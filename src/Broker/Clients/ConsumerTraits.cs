using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Broker.Clients;

/// <summary>How a group consumes, as the last heartbeat of any of its clients said.</summary>
public sealed record ConsumerTraits(
    ConsumeType ConsumeType, MessageModel MessageModel, ConsumeFromWhere ConsumeFromWhere, bool UnitMode);
