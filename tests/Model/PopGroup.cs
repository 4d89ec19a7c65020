using System.Buffers;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Model;

/// <summary>A group that pops a topic in no order: pops, acks of one and of many, changes of the invisible time, and handles that are none.</summary>
internal sealed class PopGroup(string name, string topic, int queues, string brokerName, SentMessages sent, Random random)
{
    /// <summary>RocketMQ: retryMaxTimes. Few, so that messages come to be dead letters.</summary>
    public const int MaxAttempts = 4;

    /// <summary>The longest invisible time.</summary>
    public const int MaxInvisibleMs = 2_000;

    private const int MaxBatch = 16;
    private const int MaxForgedBits = 1_000;

    // An answer for a message that is hidden no longer than this may have crossed the end of its time.
    private const long SafeMs = 1_000;

    private readonly Dictionary<long, PoppedMessage> _messages = [];
    private long _deadLetterOffset;

    public long Deliveries { get; private set; }

    public int Dead => _messages.Values.Count(message => message.IsDead);

    public int Acked => _messages.Values.Count(message => message.IsAcked);

    /// <summary>What has been acknowledged to its producer and is neither acked nor dead, and may not be acked without our knowing.</summary>
    public int Unsettled =>
        sent.Of(topic).Count(message => message.IsStored && !(_messages.TryGetValue(message.Id, out PoppedMessage? popped) && (popped.IsSettled || popped.MayBeAcked)));

    /// <summary>Creates the group.</summary>
    public Task<RemotingCommand?> CreateAsync(BrokerClient client) => client.AskAsync(
        RequestCode.UpdateAndCreateSubscriptionGroup,
        default(NoHeader),
        BodyCodec.Encode(new SubscriptionGroupConfig { GroupName = name, RetryMaxTimes = MaxAttempts }));

    public Task PopAsync(BrokerClient client) => PopAsync(
        client,
        random.Next(10) < 7 ? PopMessageHeader.AnyQueue : random.Next(queues),
        random.Next(1, MaxBatch + 1),
        random.Next(100, MaxInvisibleMs + 1));

    /// <summary>Pops; returns how many messages came.</summary>
    public async Task<int> PopAsync(BrokerClient client, int queueId, int maxMessages, int invisibleMs)
    {
        RemotingCommand? answer = await client.AskAsync(RequestCode.PopMessage, new PopMessageHeader
        {
            ConsumerGroup = Text.Utf8(name),
            Topic = Text.Utf8(topic),
            QueueId = queueId,
            MaxMessages = maxMessages,
            InvisibleTimeMs = invisibleMs,
            BornTimeMs = BrokerClient.NowMs,
        });
        if (answer is null)
        {
            foreach (SentMessage message in sent.Of(topic))
            {
                Find(message).MayBeDelivered();
            }

            return 0;
        }

        if (answer.ResponseCode is ResponseCode.PullNotFound or ResponseCode.PollingTimeout)
        {
            return 0;
        }

        Violation.Unless(answer.ResponseCode == ResponseCode.Success, $"pop: {answer.ResponseCode} {answer.Remark}");
        PopMessageResponseHeader header = PopMessageResponseHeader.Read(answer.Fields);
        List<ReceivedMessage> messages = MessageDecoder.DecodeAll(answer.Body.ToArray());
        Violation.Unless(
            messages.Count >= 1 && messages.Count <= maxMessages, $"a pop of {maxMessages} messages gave {messages.Count}");
        foreach (ReceivedMessage received in messages)
        {
            Handle handle = Handle.Of(name, topic, brokerName, in header, received);
            Violation.Unless(
                handle.InvisibleTimeMs == invisibleMs, $"a pop for {invisibleMs} ms gave a handle of {handle.InvisibleTimeMs}");
            Find(sent.Find(received, topic)).Deliver(handle, received.StoreTimestampMs, received.ReconsumeTimes, MaxAttempts);
            Deliveries++;
        }

        return messages.Count;
    }

    public async Task AckAsync(BrokerClient client)
    {
        if (Pick(message => message.Handle is not null) is not { } message)
        {
            return;
        }

        RemotingCommand? answer = await client.AskAsync(RequestCode.AckMessage, message.Handle!.ToAck());
        switch (answer?.ResponseCode)
        {
            case null:
                message.MayHaveAcked();
                break;
            case ResponseCode.Success:
                message.Ack();
                break;
            case ResponseCode.NoMessage:
                message.NotInHand(BrokerClient.NowMs, "the ack");
                break;
            default:
                throw new Violation($"the ack of message {message.Sent.Id}: {answer.ResponseCode} {answer.Remark}");
        }
    }

    /// <summary>Acks messages in hand with one request; returns how many.</summary>
    public async Task<int> AckManyAsync(BrokerClient client, int most)
    {
        long now = BrokerClient.NowMs;
        PoppedMessage[] chosen =
            [.. _messages.Values.Where(message => message.Handle is not null && message.HiddenUntilMs > now + SafeMs).Take(most)];
        if (chosen.Length == 0)
        {
            return 0;
        }

        var body = new BatchAckMessageRequestBody { BrokerName = brokerName, Acks = [.. Batches(chosen.Select(message => message.Handle!))] };
        RemotingCommand? answer = await client.AskAsync(RequestCode.BatchAckMessage, default(NoHeader), BodyCodec.Encode(body));
        now = BrokerClient.NowMs;
        foreach (PoppedMessage message in chosen)
        {
            if (answer?.ResponseCode == ResponseCode.Success && now < message.HiddenUntilMs)
            {
                message.Ack();
            }
            else
            {
                Violation.Unless(
                    answer is null || now >= message.HiddenUntilMs,
                    $"the ack of {chosen.Length} messages in hand: {answer?.ResponseCode} {answer?.Remark}");
                message.MayHaveAcked();
            }
        }

        return chosen.Length;
    }

    public async Task ChangeInvisibleAsync(BrokerClient client)
    {
        if (Pick(message => message.Handle is not null) is not { } message)
        {
            return;
        }

        int invisibleMs = random.Next(5) == 0 ? 0 : random.Next(100, MaxInvisibleMs + 1);
        long before = BrokerClient.NowMs;
        Handle handle = message.Handle!;
        RemotingCommand? answer = await client.AskAsync(RequestCode.ChangeMessageInvisibleTime, handle.ToChange(invisibleMs));
        switch (answer?.ResponseCode)
        {
            case null:
                message.MayHaveChanged(before + invisibleMs);
                break;
            case ResponseCode.Success:
                message.Change(handle.After(ChangeInvisibleTimeResponseHeader.Read(answer.Fields)));
                break;
            case ResponseCode.NoMessage:
                message.NotInHand(BrokerClient.NowMs, "the change");
                break;
            default:
                throw new Violation($"the change of message {message.Sent.Id}: {answer.ResponseCode} {answer.Remark}");
        }
    }

    /// <summary>Acks, or changes, by a handle of an earlier delivery or by one that the broker never gave: nothing may come of it.</summary>
    public async Task MisuseAsync(BrokerClient client)
    {
        if (Pick(message => message.OldHandles.Count > 0 || message.Handle is not null) is not { } message)
        {
            return;
        }

        Handle handle = message.OldHandles.Count > 0 ? message.OldHandles[random.Next(message.OldHandles.Count)] : message.Handle!;
        if (message.OldHandles.Count == 0 || random.Next(3) == 0)
        {
            handle = random.Next(4) switch
            {
                0 => handle with { PopTimeMs = handle.PopTimeMs + random.Next(1, 100) },
                1 => handle with { StartOffset = handle.StartOffset + random.Next(1, 1_000_000) },
                2 => handle with { PopTimeMs = random.NextInt64() },
                _ => handle with { StartOffset = -handle.StartOffset - 1, PopTimeMs = handle.PopTimeMs - 1 },
            };
        }

        RemotingCommand? answer = random.Next(3) switch
        {
            0 => await client.AskAsync(RequestCode.AckMessage, handle.ToAck()),
            1 => await client.AskAsync(RequestCode.ChangeMessageInvisibleTime, handle.ToChange(MaxInvisibleMs)),
            _ => await client.AskAsync(RequestCode.BatchAckMessage, default(NoHeader), BodyCodec.Encode(
                new BatchAckMessageRequestBody { BrokerName = brokerName, Acks = [.. Batches([handle])] })),
        };
        Violation.Unless(
            answer is null || answer.ResponseCode is ResponseCode.NoMessage or ResponseCode.MessageIllegal,
            $"the handle {handle}, which is none, was answered {answer?.ResponseCode}");
    }

    /// <summary>Looks at the dead letters that have come since.</summary>
    public async Task ReadDeadLettersAsync(BrokerClient client)
    {
        List<ReceivedMessage>? letters = await client.PullAsync(name, TopicNames.DeadLetterOf(name), 0, _deadLetterOffset, MaxBatch);
        foreach (ReceivedMessage letter in letters ?? [])
        {
            Find(sent.Find(letter, topic)).Die(letter.ReconsumeTimes, MaxAttempts, letter.StoreTimestampMs);
            Violation.Unless(
                letter.Properties.GetValueOrDefault(MessageProperty.RetryTopic) == topic,
                $"a dead letter of {topic} says that it is of {letter.Properties.GetValueOrDefault(MessageProperty.RetryTopic)}");
            _deadLetterOffset = letter.QueueOffset + 1;
        }
    }

    /// <summary>The first messages that are missing, for a report.</summary>
    public string DescribeUnsettled() => string.Join(
        "; ",
        sent.Of(topic).Where(message => message.IsStored).Select(Find).Where(message => !message.IsSettled && !message.MayBeAcked).Take(5)
            .Select(message => $"message {message.Sent.Id} at {message.Sent.Place}, next attempt {message.MinAttempts} to {message.MaxAttempts}, hidden until {message.HiddenUntilMs}, by {message.Handle}"));

    private static IEnumerable<BatchAck> Batches(IEnumerable<Handle> handles) =>
        handles.GroupBy(handle => handle with { QueueOffset = 0, InvisibleTimeMs = 0 }).Select(batch =>
        {
            var bits = new byte[MaxForgedBits];
            int last = 0;
            foreach (Handle handle in batch)
            {
                int bit = (int)Math.Clamp(handle.QueueOffset - handle.StartOffset, 0, (MaxForgedBits * 8) - 1);
                bits[bit / 8] |= (byte)(1 << (bit % 8));
                last = Math.Max(last, bit / 8);
            }

            return new BatchAck
            {
                ConsumerGroup = batch.Key.Group,
                Topic = batch.Key.Topic,
                Retry = batch.Key.Kind.ToString(),
                StartOffset = batch.Key.StartOffset,
                QueueId = batch.Key.QueueId,
                ReviveQueueId = batch.Key.ReviveQueueId,
                PopTimeMs = batch.Key.PopTimeMs,
                InvisibleTimeMs = batch.First().InvisibleTimeMs,
                Bits = bits[..(last + 1)],
            };
        });

    private PoppedMessage Find(SentMessage message)
    {
        if (!_messages.TryGetValue(message.Id, out PoppedMessage? popped))
        {
            popped = new PoppedMessage(message);
            _messages.Add(message.Id, popped);
        }

        return popped;
    }

    // Mostly one of the newest: the others have been dealt with.
    private PoppedMessage? Pick(Func<PoppedMessage, bool> fits)
    {
        PoppedMessage[] fitting = [.. _messages.Values.Where(fits).TakeLast(200)];
        return fitting.Length == 0 ? null : fitting[random.Next(fitting.Length)];
    }
}
