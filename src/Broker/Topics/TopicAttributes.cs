using System.Collections.Frozen;
using System.Globalization;
using GrayMQ.Broker.Metadata;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Broker.Topics;

/// <summary>
/// The attributes that a topic may have (RocketMQ: TopicAttributes). <c>message.type</c> means something here, and one of our own;
/// of the others only the value is taken that says what is so anyway.
/// </summary>
internal static class TopicAttributes
{
    public const string MessageType = "message.type";

    /// <summary>The property by whose values the topic's conditions are indexed, in place of the message type; this project's own.</summary>
    public const string FilterIndexProperty = "filter.index.property";

    /// <summary>The type whose topics take messages of every type.</summary>
    public const string Mixed = "MIXED";

    private const int MaxPropertyLength = 255;

    private static readonly FrozenSet<string> MessageTypes = FrozenSet.Create(
        StringComparer.Ordinal, "UNSPECIFIED", "NORMAL", "FIFO", "DELAY", "TRANSACTION", Mixed);

    /// <summary>Every attribute of a topic.</summary>
    public static AttributeSet All { get; } = new(
        new AttributeDefinition(
            MessageType, Changeable: true, value => MessageTypes.Contains(value) ? null : $"expected one of {string.Join(", ", MessageTypes)}"),
        new AttributeDefinition("queue.type", Changeable: false, value => Only(value, "SimpleCQ", ["BatchCQ"])),
        new AttributeDefinition("cleanup.policy", Changeable: false, value => Only(value, "DELETE", ["COMPACTION"])),
        new AttributeDefinition("reserve.time", Changeable: true, ReserveTime),
        new AttributeDefinition(FilterIndexProperty, Changeable: true, PropertyName));

    /// <summary>The type that a topic is declared to have; those without a declaration take everything, as at RocketMQ's broker.</summary>
    public static TopicMessageType MessageTypeOf(TopicConfig config) => config.Attributes.GetValueOrDefault(MessageType) switch
    {
        "NORMAL" => TopicMessageType.Normal,
        "FIFO" => TopicMessageType.Fifo,
        "DELAY" => TopicMessageType.Delay,
        "TRANSACTION" => TopicMessageType.Transaction,
        _ => TopicMessageType.Any,
    };

    private static string? Only(string value, string supported, ReadOnlySpan<string> known) =>
        value == supported ? null
        : known.Contains(value) ? $"{value} is not supported by this broker, {supported} is"
        : $"expected {supported}";

    private static string? PropertyName(string value) =>
        value.Length is > 0 and <= MaxPropertyLength && !value.AsSpan().ContainsAnyInRange('\0', ' ')
            ? null
            : $"expected the name of a message property, of 1 to {MaxPropertyLength} characters";

    private static string? ReserveTime(string value) =>
        !long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long time) || time < -1
            ? "expected -1 or a number of milliseconds"
            : time != -1 ? "a retention of its own is not supported by this broker" : null;
}
