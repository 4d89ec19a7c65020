using System.Text;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.NameServer;

/// <summary>
/// Asks where a topic lives (RocketMQ: GetRouteInfoRequestHeader). Clients ask by the thousand, so the topic stays in the
/// bytes it came in, valid as long as those.
/// </summary>
public readonly record struct GetRouteInfoHeader : ICommandHeader<GetRouteInfoHeader>
{
    public GetRouteInfoHeader(string topic)
        : this(Encoding.UTF8.GetBytes(topic))
    {
    }

    private GetRouteInfoHeader(ReadOnlyMemory<byte> topicUtf8) => TopicUtf8 = topicUtf8;

    public ReadOnlyMemory<byte> TopicUtf8 { get; }

    /// <summary>Whether the client reads JSON by the standard only, and not what fastjson writes.</summary>
    public bool AcceptStandardJsonOnly { get; init; }

    /// <summary>Whether only brokers of <see cref="ZoneName"/> are wanted, and those without a master.</summary>
    public bool ZoneMode { get; init; }

    public string? ZoneName { get; init; }

    /// <summary>
    /// The name of the broker that wants to know who else has the topic; null for all others. A name server that waits for that broker is
    /// not to keep it waiting. Of this project; RocketMQ's name servers pass it over.
    /// </summary>
    public string? AskingBroker { get; init; }

    public static GetRouteInfoHeader Read(HeaderFields fields) => new(fields.GetUtf8("topic"u8))
    {
        AcceptStandardJsonOnly = fields.FindBoolean("acceptStandardJsonOnly"u8),
        ZoneMode = fields.FindBoolean("__ZONE_MODE"u8),
        ZoneName = fields.FindString("__ZONE_NAME"u8),
        AskingBroker = fields.FindString("askingBroker"u8),
    };

    public void Write(ref HeaderWriter writer)
    {
        writer.Write("topic"u8, TopicUtf8.Span);
        if (AcceptStandardJsonOnly)
        {
            writer.Write("acceptStandardJsonOnly"u8, true);
        }

        if (ZoneMode)
        {
            writer.Write("__ZONE_MODE"u8, true);
        }

        writer.Write("__ZONE_NAME"u8, ZoneName);
        writer.Write("askingBroker"u8, AskingBroker);
    }
}
