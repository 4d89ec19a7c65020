using GrayMQ.Cli.Output;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Cli.Messages;

/// <summary>The result of <c>message send</c>.</summary>
/// <param name="Status">Ok, FlushDiskTimeout, FlushReplicaTimeout or ReplicaNotAvailable.</param>
/// <param name="MessageId">The id under which consumers see it.</param>
/// <param name="OffsetMessageId">The id that tells where it is stored.</param>
internal sealed record SentMessage(
    string Status, string MessageId, string OffsetMessageId, string Topic, string Broker, int Queue, long Offset);

/// <summary>The result of <c>message pull</c> and <c>message query</c>.</summary>
internal sealed record MessageListing(IReadOnlyList<MessageView> Messages);

/// <summary>A message.</summary>
/// <param name="Broker">Null where the way to it does not tell.</param>
/// <param name="Offset">Position in its queue, counted in messages.</param>
/// <param name="PhysicalOffset">Position in the broker's commit log, in bytes.</param>
/// <param name="BornTimestampMs">When its producer made it, milliseconds since 1970.</param>
/// <param name="StoreTimestampMs">When the broker stored it.</param>
/// <param name="Keys">Words by which it can be found.</param>
/// <param name="Properties">All of its properties.</param>
/// <param name="Size">Bytes of the body.</param>
/// <param name="Body">The body as text; null when it is not UTF-8.</param>
/// <param name="BodyBase64">The body when it is not UTF-8, else null.</param>
internal sealed record MessageView(
    string MessageId,
    string OffsetMessageId,
    string Topic,
    string? Broker,
    int Queue,
    long Offset,
    long PhysicalOffset,
    long BornTimestampMs,
    string BornHost,
    long StoreTimestampMs,
    string StoreHost,
    int ReconsumeTimes,
    string? Tags,
    IReadOnlyList<string> Keys,
    IReadOnlyDictionary<string, string> Properties,
    int Size,
    string? Body,
    string? BodyBase64)
{
    public static MessageView Of(ReceivedMessage message, string? broker)
    {
        string? text = Printable.Text(message.Body.Span);
        return new MessageView(
            message.MessageId,
            message.OffsetMessageId,
            message.Topic,
            broker ?? message.BrokerName,
            message.QueueId,
            message.QueueOffset,
            message.PhysicalOffset,
            message.BornTimestampMs,
            message.BornHost.ToString(),
            message.StoreTimestampMs,
            message.StoreHost.ToString(),
            message.ReconsumeTimes,
            message.Tags,
            message.Keys?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [],
            message.Properties,
            message.Body.Length,
            text,
            text is null ? Convert.ToBase64String(message.Body.Span) : null);
    }
}

/// <summary>The result of <c>message resend</c>.</summary>
/// <param name="From">The topic of the group's dead letters; they stay in it.</param>
/// <param name="DryRun">Whether nothing was sent.</param>
/// <param name="Selected">Dead letters that were meant.</param>
/// <param name="Sent">Those that are stored again.</param>
/// <param name="Failed">Those that are not, though it was tried.</param>
internal sealed record ResendResult(
    string Group, string From, bool DryRun, int Selected, int Sent, int Failed, IReadOnlyList<ResentMessage> Messages);

/// <summary>A dead letter.</summary>
/// <param name="OffsetMessageId">Where it is stored as a dead letter.</param>
/// <param name="OriginTopic">The topic that its producer sent it to; null when nothing tells.</param>
/// <param name="Target">The topic that it goes to; null when it cannot.</param>
/// <param name="NewOffsetMessageId">Where it is stored again; null when it is not.</param>
/// <param name="Error">Why it is not; null when it was not tried either.</param>
internal sealed record ResentMessage(
    string MessageId,
    string OffsetMessageId,
    IReadOnlyList<string> Keys,
    long StoreTimestampMs,
    string? OriginTopic,
    string? Target,
    string? NewOffsetMessageId,
    string? Error);
