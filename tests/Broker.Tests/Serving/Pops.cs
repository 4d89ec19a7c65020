using System.Buffers;
using System.Globalization;
using System.Text;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Serving;

/// <summary>What popping consumers ask of a broker, in few words; they make handles as RocketMQ's clients do.</summary>
internal static class Pops
{
    public const string Group = "GP";

    public static PopMessageHeader Header(
        string topic,
        int queueId = -1,
        int most = 32,
        long invisibleMs = 60_000,
        long pollMs = 0,
        string? expression = "*",
        bool order = false,
        string? attempt = null,
        int initMode = 0,
        string group = Group) => new()
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(group),
            Topic = Encoding.UTF8.GetBytes(topic),
            QueueId = queueId,
            MaxMessages = most,
            InvisibleTimeMs = invisibleMs,
            PollTimeMs = pollMs,
            InitMode = initMode,
            Expression = Encoding.UTF8.GetBytes(expression ?? ""),
            IsOrder = order,
            AttemptId = Encoding.UTF8.GetBytes(attempt ?? ""),
        };

    public static Task<RemotingCommand> PopAsync(this Peer peer, PopMessageHeader header) =>
        peer.AskAsync(RequestCode.PopMessage, header);

    /// <summary>Pops, and expects messages.</summary>
    public static async Task<List<Popped>> TakeAsync(this Peer peer, PopMessageHeader header)
    {
        RemotingCommand reply = await peer.PopAsync(header);
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
        return Read(reply, header);
    }

    /// <summary>Pops again and again until so many messages have come.</summary>
    public static async Task<List<Popped>> TakeAsync(this Peer peer, PopMessageHeader header, int count)
    {
        var taken = new List<Popped>();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (taken.Count < count)
        {
            deadline.Token.ThrowIfCancellationRequested();
            RemotingCommand reply = await peer.PopAsync(header with { PollTimeMs = 2000 });
            if (reply.ResponseCode == ResponseCode.Success)
            {
                taken.AddRange(Read(reply, header));
            }
        }

        return taken;
    }

    public static Task<RemotingCommand> AckAsync(this Peer peer, Popped message) => peer.AckAsync(message, message.Handle);

    public static Task<RemotingCommand> AckAsync(this Peer peer, Popped message, string handle) =>
        peer.AskAsync(RequestCode.AckMessage, new AckMessageHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(message.Group),
            Topic = Encoding.UTF8.GetBytes(message.RealTopic),
            QueueId = message.QueueId,
            ExtraInfo = Encoding.UTF8.GetBytes(handle),
            Offset = message.Offset,
        });

    public static Task<RemotingCommand> ChangeAsync(this Peer peer, Popped message, long invisibleMs) =>
        peer.AskAsync(RequestCode.ChangeMessageInvisibleTime, new ChangeInvisibleTimeHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(message.Group),
            Topic = Encoding.UTF8.GetBytes(message.RealTopic),
            QueueId = message.QueueId,
            ExtraInfo = Encoding.UTF8.GetBytes(message.Handle),
            Offset = message.Offset,
            InvisibleTimeMs = invisibleMs,
        });

    /// <summary>Changes the time and expects that to succeed.</summary>
    public static async Task<Popped> ChangedAsync(this Peer peer, Popped message, long invisibleMs)
    {
        RemotingCommand reply = await peer.ChangeAsync(message, invisibleMs);
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
        ChangeInvisibleTimeResponseHeader changed = ChangeInvisibleTimeResponseHeader.Read(reply.Fields);
        string[] parts = message.Handle.Split(' ');
        string start = changed.ReviveQueueId == PopHandle.OrderedReviveQueueId
            ? parts[0]
            : message.Offset.ToString(CultureInfo.InvariantCulture);
        return message with
        {
            Handle = $"{start} {changed.PopTimeMs} {changed.InvisibleTimeMs} {changed.ReviveQueueId} {string.Join(' ', parts[4..])}",
        };
    }

    /// <summary>Waits until so many pops wait for a queue, or with a negative id for all.</summary>
    public static async Task PollingAsync(this Peer peer, string topic, int count, int queueId = -1)
    {
        int parked = -1;
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (parked != count)
        {
            deadline.Token.ThrowIfCancellationRequested();
            RemotingCommand reply = await peer.AskAsync(RequestCode.PollingInfo, new PollingInfoHeader
            {
                ConsumerGroup = Encoding.UTF8.GetBytes(Group),
                Topic = Encoding.UTF8.GetBytes(topic),
                QueueId = queueId,
            });
            parked = PollingInfoResponseHeader.Read(reply.Fields).PollingCount;
        }
    }

    /// <summary>Makes the handles from the header's texts, as MQClientAPIImpl.processPopResponse does.</summary>
    public static List<Popped> Read(RemotingCommand reply, PopMessageHeader asked)
    {
        PopMessageResponseHeader header = PopMessageResponseHeader.Read(reply.Fields);
        Dictionary<string, long> starts = Split(header.StartOffsetInfo).ToDictionary(
            parts => $"{parts[0]} {parts[1]}", parts => long.Parse(parts[2], CultureInfo.InvariantCulture));
        HashSet<string> told = [.. Split(header.MessageOffsetInfo).SelectMany(
            parts => parts[2].Split(',').Select(offset => $"{parts[0]} {parts[1]} {offset}"))];
        string group = Encoding.UTF8.GetString(asked.ConsumerGroup.Span);
        string topic = Encoding.UTF8.GetString(asked.Topic.Span);
        List<ReceivedMessage> messages = MessageDecoder.DecodeAll(reply.Body.ToArray());
        Assert.Equal(told.Count, messages.Count);
        return messages.ConvertAll(message =>
        {
            string? handle = message.Properties.GetValueOrDefault("POP_CK");
            if (handle is null)
            {
                string kind = !message.Topic.StartsWith("%RETRY%", StringComparison.Ordinal) ? "0" : message.Topic.Contains('+') ? "2" : "1";
                long start = starts[$"{kind} {message.QueueId}"];
                handle = $"{start} {header.PopTimeMs} {header.InvisibleTimeMs} {header.ReviveQueueId} {kind} {RunningBroker.Name} "
                    + $"{message.QueueId} {message.QueueOffset}";
            }

            string[] parts = handle.Split(' ');
            Assert.Contains($"{parts[4]} {parts[6]} {parts[7]}", told);
            Assert.Equal(starts[$"{parts[4]} {parts[6]}"].ToString(CultureInfo.InvariantCulture), parts[0]);
            string real = parts[4] switch
            {
                "1" => $"%RETRY%{group}_{topic}",
                "2" => $"%RETRY%{group}+{topic}",
                _ => topic,
            };
            return new Popped(group, topic, real, message.QueueId, message.QueueOffset, handle, Encoding.UTF8.GetString(message.Body.Span), message);
        });
    }

    private static IEnumerable<string[]> Split(ReadOnlyMemory<byte> text) =>
        Encoding.UTF8.GetString(text.Span).Split(';', StringSplitOptions.RemoveEmptyEntries).Select(queue => queue.Split(' '));
}

/// <summary>A message in a consumer's hand.</summary>
internal sealed record Popped(
    string Group, string Topic, string RealTopic, int QueueId, long Offset, string Handle, string Body, ReceivedMessage Message);
