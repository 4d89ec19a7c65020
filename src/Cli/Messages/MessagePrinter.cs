using GrayMQ.Cli.Output;

namespace GrayMQ.Cli.Messages;

/// <summary>Messages for people: one per line, or one with everything that is known of it.</summary>
internal static class MessagePrinter
{
    /// <summary>As rows of a table.</summary>
    public static void Fill(IReadOnlyList<MessageView> messages, Grid grid, TimeProvider time)
    {
        grid.Column("STORED").Column("BROKER").Number("QUEUE").Number("OFFSET").Column("TAGS").Column("KEYS").Column("MESSAGE ID").Column("BODY");
        foreach (MessageView message in messages)
        {
            grid.Row(
                Printable.Time(message.StoreTimestampMs, time),
                message.Broker,
                Printable.Number(message.Queue),
                Printable.Number(message.Offset),
                message.Tags,
                string.Join(' ', message.Keys),
                message.MessageId,
                BodyOf(message));
        }
    }

    /// <summary>As one line, for messages that come one after the other.</summary>
    public static string Line(MessageView message, TimeProvider time) => string.Join(
        "  ",
        Printable.Time(message.StoreTimestampMs, time),
        Printable.Line($"{message.Broker}:{message.Queue}:{message.Offset}"),
        Printable.Line(message.Tags ?? "-"),
        Printable.Line(BodyOf(message)));

    /// <summary>With everything.</summary>
    public static void Write(MessageView message, TextWriter output, TimeProvider time)
    {
        Field("Message id", message.MessageId);
        Field("Offset id", message.OffsetMessageId);
        Field("Topic", message.Topic);
        Field("Queue", $"{message.Broker ?? "?"}:{message.Queue}, offset {message.Offset}");
        Field("Position", $"{message.PhysicalOffset} in the commit log of {message.StoreHost}");
        Field("Born", $"{Printable.Time(message.BornTimestampMs, time)} at {message.BornHost}");
        Field("Stored", Printable.Time(message.StoreTimestampMs, time) ?? "");
        Field("Tags", message.Tags ?? "-");
        Field("Keys", message.Keys.Count == 0 ? "-" : string.Join(' ', message.Keys));
        Field("Consumed again", $"{message.ReconsumeTimes} times");
        foreach ((string name, string value) in message.Properties.OrderBy(property => property.Key, StringComparer.Ordinal))
        {
            Field("Property", $"{name}={value}");
        }

        Field("Body", message.Body is null ? $"{message.Size} bytes, base64:" : $"{message.Size} bytes:");
        output.WriteLine(message.BodyBase64 ?? Printable.Block(message.Body ?? ""));

        void Field(string name, string value) => output.WriteLine($"{name + ":",-16}{Printable.Line(value)}");
    }

    private static string BodyOf(MessageView message) => message.Body is { } text ? text : $"({message.Size} bytes, not text)";
}
