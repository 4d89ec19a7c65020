using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>
/// Asks a consumer about its inside: GET_CONSUMER_RUNNING_INFO (307; RocketMQ: GetConsumerRunningInfoRequestHeader). Brokers pass it on
/// to the client that it names.
/// </summary>
public sealed record GetConsumerRunningInfoHeader : ICommandHeader<GetConsumerRunningInfoHeader>
{
    public required string ConsumerGroup { get; init; }

    public required string ClientId { get; init; }

    /// <summary>Whether to describe the threads as well.</summary>
    public bool StackEnable { get; init; }

    public static GetConsumerRunningInfoHeader Read(HeaderFields fields) => new()
    {
        ConsumerGroup = fields.GetString("consumerGroup"u8),
        ClientId = fields.GetString("clientId"u8),
        StackEnable = fields.FindBoolean("jstackEnable"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("consumerGroup"u8, ConsumerGroup);
        writer.Write("clientId"u8, ClientId);
        writer.Write("jstackEnable"u8, StackEnable);
    }
}

/// <summary>
/// Asks consumers where they are in a topic: GET_CONSUMER_STATUS_FROM_CLIENT (221) and INVOKE_BROKER_TO_GET_CONSUMER_STATUS (223;
/// RocketMQ: GetConsumerStatusRequestHeader).
/// </summary>
public sealed record GetConsumerStatusHeader : ICommandHeader<GetConsumerStatusHeader>
{
    public required string Topic { get; init; }

    public required string Group { get; init; }

    /// <summary>The client that is meant; null or empty for all.</summary>
    public string? ClientAddress { get; init; }

    public static GetConsumerStatusHeader Read(HeaderFields fields) => new()
    {
        Topic = fields.GetString("topic"u8),
        Group = fields.GetString("group"u8),
        ClientAddress = fields.FindString("clientAddr"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("topic"u8, Topic);
        writer.Write("group"u8, Group);
        writer.Write("clientAddr"u8, ClientAddress);
    }
}

/// <summary>
/// Hands a message to a consumer now: CONSUME_MESSAGE_DIRECTLY (309; RocketMQ: ConsumeMessageDirectlyResultRequestHeader). A broker that
/// is asked finds the message by its id and passes it on as the body.
/// </summary>
public sealed record ConsumeMessageDirectlyHeader : ICommandHeader<ConsumeMessageDirectlyHeader>
{
    public required string ConsumerGroup { get; init; }

    public string? ClientId { get; init; }

    /// <summary>The offset message id.</summary>
    public string? MessageId { get; init; }

    public string? BrokerName { get; init; }

    public string? Topic { get; init; }

    public int? TopicSysFlag { get; init; }

    public int? GroupSysFlag { get; init; }

    public static ConsumeMessageDirectlyHeader Read(HeaderFields fields) => new()
    {
        ConsumerGroup = fields.GetString("consumerGroup"u8),
        ClientId = fields.FindString("clientId"u8),
        MessageId = fields.FindString("msgId"u8),
        BrokerName = fields.FindString("brokerName"u8),
        Topic = fields.FindString("topic"u8),
        TopicSysFlag = fields.TryFind("topicSysFlag"u8, out _) ? fields.GetInt32("topicSysFlag"u8) : null,
        GroupSysFlag = fields.TryFind("groupSysFlag"u8, out _) ? fields.GetInt32("groupSysFlag"u8) : null,
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("consumerGroup"u8, ConsumerGroup);
        writer.Write("clientId"u8, ClientId);
        writer.Write("msgId"u8, MessageId);
        writer.Write("brokerName"u8, BrokerName);
        writer.Write("topic"u8, Topic);
        writer.Write("topicSysFlag"u8, TopicSysFlag);
        writer.Write("groupSysFlag"u8, GroupSysFlag);
    }
}
