using System.Globalization;
using System.Text;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Model;

/// <summary>A message that was sent.</summary>
internal sealed class SentMessage(long id, string topic, long notBeforeMs)
{
    public long Id => id;

    public string Topic => topic;

    /// <summary>Nobody may get it earlier: it was delayed. 0 for one that was not.</summary>
    public long NotBeforeMs => notBeforeMs;

    /// <summary>Acknowledged, or seen since: it must come. Else the broker was killed before it answered, and it may or may not.</summary>
    public bool IsStored { get; set; }

    /// <summary>Half of a transaction that is not committed, or is rolled back: it must not come.</summary>
    public bool IsWithheld { get; set; }

    /// <summary>Where it is in its topic, once somebody has pulled it.</summary>
    public (int QueueId, long Offset)? Place { get; set; }
}

/// <summary>Everything that was sent. A message's body is its number and bytes that follow from it.</summary>
internal sealed class SentMessages
{
    private const int MaxFill = 1500;

    private readonly Dictionary<long, SentMessage> _messages = [];

    public int Count => _messages.Count;

    public IEnumerable<SentMessage> Of(string topic) => _messages.Values.Where(message => message.Topic == topic);

    /// <summary>The next message to send.</summary>
    public SentMessage Add(string topic, long notBeforeMs)
    {
        var message = new SentMessage(_messages.Count, topic, notBeforeMs);
        _messages.Add(message.Id, message);
        return message;
    }

    public static byte[] Body(long id)
    {
        int fill = (int)(id * 7919 % MaxFill);
        return Text.Utf8(string.Create(CultureInfo.InvariantCulture, $"{id} {new string((char)('a' + (id % 26)), fill)}"));
    }

    /// <summary>The message that a delivered one is; it has to have been sent, to that topic, and to be whole.</summary>
    public SentMessage Find(ReceivedMessage received, string topic)
    {
        string body = Encoding.UTF8.GetString(received.Body.Span);
        int space = body.IndexOf(' ', StringComparison.Ordinal);
        Violation.Unless(
            space > 0 && long.TryParse(body.AsSpan(0, space), NumberStyles.None, CultureInfo.InvariantCulture, out long id)
            && _messages.TryGetValue(id, out SentMessage? message)
            && message.Topic == topic
            && received.Body.Span.SequenceEqual(Body(id)),
            $"a message of {topic} was delivered that nobody sent: {received.Body.Length} bytes at offset {received.PhysicalOffset}");
        SentMessage found = _messages[Text.Number(body[..space])];
        Violation.Unless(!found.IsWithheld, $"message {found.Id} of {topic} came though its transaction is not committed");
        found.IsStored = true;
        return found;
    }
}
