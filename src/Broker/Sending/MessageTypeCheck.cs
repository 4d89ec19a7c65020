using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Sending;

/// <summary>Holds messages to the type that their topic is declared to have (RocketMQ: DefaultTopicMessageTypeValidator, of its proxy).</summary>
internal static class MessageTypeCheck
{
    private const string Failed = "TopicMessageType validate failed";

    /// <summary>Whether a refusal's remark is one of these: other protocols have a code of its own for it.</summary>
    public static bool IsRemark(string? remark) => remark?.StartsWith(Failed, StringComparison.Ordinal) == true;

    /// <summary>
    /// Refuses a message of another type. What keeps its order by its sender's choice of a queue looks like any other message, so
    /// FIFO topics take those without a sharding key, too.
    /// </summary>
    /// <param name="declared">Not <see cref="TopicMessageType.Any"/>.</param>
    /// <param name="sent">The message.</param>
    /// <exception cref="RemotingException">MESSAGE_ILLEGAL, in RocketMQ's words.</exception>
    public static void Check(this TopicMessageType declared, in SendProperties sent)
    {
        TopicMessageType actual = TypeOf(in sent);
        bool fits = actual == declared || (declared == TopicMessageType.Fifo && actual == TopicMessageType.Normal);
        if (!fits && !sent.IsTransferred)
        {
            throw new RemotingException(
                ResponseCode.MessageIllegal,
                $"{Failed}, the expected type is {NameOf(declared)}, but actual type is {NameOf(actual)}");
        }
    }

    private static TopicMessageType TypeOf(in SendProperties sent) =>
        sent.IsTransaction ? TopicMessageType.Transaction
        : sent.IsDelayed ? TopicMessageType.Delay
        : sent.HasShardingKey ? TopicMessageType.Fifo
        : TopicMessageType.Normal;

    private static string NameOf(TopicMessageType type) => type.ToString().ToUpperInvariant();
}
