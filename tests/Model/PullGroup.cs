using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Model;

/// <summary>
/// A group that pulls a topic, commits, and sends some messages back: each message is in the topic once, a message that was sent back
/// comes again once, after its delay and with one more attempt, and past the limit it is a dead letter.
/// </summary>
internal sealed class PullGroup(string name, string topic, int queues, IReadOnlyList<int> delaysMs, SentMessages sent, Random random)
{
    private const int MaxAttempts = 2;
    private const int MaxBatch = 32;

    private readonly long[] _next = new long[queues];
    private readonly long[] _leastCommitted = new long[queues];
    private readonly long[] _mostCommitted = new long[queues];
    private readonly List<Expected> _retries = [];
    private readonly List<Expected> _deadLetters = [];

    // What may be sent back: the last that were pulled.
    private readonly Queue<ReceivedMessage> _recent = new();
    private readonly Dictionary<long, string> _originIds = [];
    private long _nextRetry;
    private long _nextDeadLetter;

    public long Pulled { get; private set; }

    public long Retried { get; private set; }

    public long DeadLetters => _nextDeadLetter;

    /// <summary>What has to come and has not.</summary>
    public int Outstanding => sent.Of(topic).Count(message => message.IsStored && message.Place is null)
        + _retries.Count(copy => copy.IsCertain) + _deadLetters.Count(copy => copy.IsCertain);

    public Task<RemotingCommand?> CreateAsync(BrokerClient client) => client.AskAsync(
        RequestCode.UpdateAndCreateSubscriptionGroup,
        default(NoHeader),
        BodyCodec.Encode(new SubscriptionGroupConfig { GroupName = name }));

    public Task PullAsync(BrokerClient client) => PullAsync(client, random.Next(queues));

    public async Task PullAsync(BrokerClient client, int queueId)
    {
        List<ReceivedMessage>? messages =
            await client.PullAsync(name, topic, queueId, _next[queueId], random.Next(1, MaxBatch + 1));
        foreach (ReceivedMessage received in messages ?? [])
        {
            SentMessage message = sent.Find(received, topic);
            Violation.Unless(
                message.Place is null,
                $"message {message.Id} is in {topic} twice: at {message.Place} and at {(queueId, received.QueueOffset)}");
            Violation.Unless(
                received.StoreTimestampMs >= message.NotBeforeMs,
                $"message {message.Id} came at {received.StoreTimestampMs}, {message.NotBeforeMs - received.StoreTimestampMs} ms too early");
            Violation.Unless(received.ReconsumeTimes == 0, $"message {message.Id} was delivered first with {received.ReconsumeTimes} attempts");
            message.Place = (queueId, received.QueueOffset);
            _next[queueId] = received.QueueOffset + 1;
            _originIds[message.Id] = received.OffsetMessageId;
            Remember(received);
            Pulled++;
        }
    }

    public async Task CommitAsync(BrokerClient client)
    {
        int queueId = random.Next(queues);
        RemotingCommand? answer = await client.AskAsync(RequestCode.UpdateConsumerOffset, new UpdateConsumerOffsetHeader
        {
            ConsumerGroup = Text.Utf8(name),
            Topic = Text.Utf8(topic),
            QueueId = queueId,
            CommitOffset = _next[queueId],
        });
        Violation.Unless(
            answer is null || answer.ResponseCode == ResponseCode.Success, $"commit: {answer?.ResponseCode} {answer?.Remark}");
        _mostCommitted[queueId] = _next[queueId];
        if (answer is not null)
        {
            _leastCommitted[queueId] = _next[queueId];
        }
    }

    /// <summary>A commit that was answered is there still.</summary>
    public async Task CheckCommitsAsync(BrokerClient client)
    {
        for (int queueId = 0; queueId < queues; queueId++)
        {
            RemotingCommand? answer = await client.AskAsync(RequestCode.QueryConsumerOffset, new QueryConsumerOffsetHeader
            {
                ConsumerGroup = Text.Utf8(name),
                Topic = Text.Utf8(topic),
                QueueId = queueId,
            });
            if (answer is null)
            {
                return;
            }

            long offset = answer.ResponseCode == ResponseCode.Success ? OffsetResponseHeader.Read(answer.Fields).Offset : 0;
            Violation.Unless(
                offset >= _leastCommitted[queueId] && offset <= _mostCommitted[queueId],
                $"queue {queueId} has the committed offset {offset}, not {_leastCommitted[queueId]} to {_mostCommitted[queueId]}");
            _leastCommitted[queueId] = _mostCommitted[queueId] = offset;
        }
    }

    public async Task SendBackAsync(BrokerClient client)
    {
        if (!_recent.TryDequeue(out ReceivedMessage? message))
        {
            return;
        }

        int level = random.Next(-1, delaysMs.Count + 1);
        bool dies = level < 0 || message.ReconsumeTimes >= MaxAttempts;

        // Level 0: the broker takes the third, and one more for each attempt.
        int delayMs = delaysMs[Math.Min(level > 0 ? level : 3 + message.ReconsumeTimes, delaysMs.Count) - 1];
        long id = sent.Find(message, topic).Id;
        long before = BrokerClient.NowMs;
        RemotingCommand? answer = await client.AskAsync(RequestCode.ConsumerSendMessageBack, new ConsumerSendMessageBackHeader
        {
            Group = name,
            PhysicalOffset = message.PhysicalOffset,
            DelayLevel = level,
            MaxReconsumeTimes = MaxAttempts,
            OriginTopic = topic,
        });
        Violation.Unless(
            answer is null || answer.ResponseCode == ResponseCode.Success, $"send back: {answer?.ResponseCode} {answer?.Remark}");
        (dies ? _deadLetters : _retries).Add(
            new Expected(id, message.ReconsumeTimes + 1, dies ? before : before + delayMs) { IsCertain = answer is not null });
    }

    public async Task PullRetriesAsync(BrokerClient client)
    {
        List<ReceivedMessage>? messages = await client.PullAsync(name, TopicNames.RetryOf(name), 0, _nextRetry, MaxBatch);
        foreach (ReceivedMessage message in messages ?? [])
        {
            Take(message, _retries, "a retry");
            _nextRetry = message.QueueOffset + 1;
            Retried++;
            if (random.Next(2) == 0)
            {
                Remember(message);
            }
        }
    }

    public async Task PullDeadLettersAsync(BrokerClient client)
    {
        List<ReceivedMessage>? messages = await client.PullAsync(name, TopicNames.DeadLetterOf(name), 0, _nextDeadLetter, MaxBatch);
        foreach (ReceivedMessage message in messages ?? [])
        {
            Take(message, _deadLetters, "a dead letter");
            _nextDeadLetter = message.QueueOffset + 1;
        }
    }

    /// <summary>The first that are missing, for a report.</summary>
    public string DescribeOutstanding() => string.Join(
        "; ",
        sent.Of(topic).Where(message => message.IsStored && message.Place is null).Take(5).Select(message => $"message {message.Id}")
            .Concat(_retries.Where(copy => copy.IsCertain).Take(5).Select(copy => $"retry {copy}"))
            .Concat(_deadLetters.Where(copy => copy.IsCertain).Take(5).Select(copy => $"dead letter {copy}")));

    private void Take(ReceivedMessage message, List<Expected> expected, string what)
    {
        SentMessage original = sent.Find(message, topic);
        int index = expected.FindIndex(copy =>
            copy.Id == original.Id && copy.ReconsumeTimes == message.ReconsumeTimes && copy.NotBeforeMs <= message.StoreTimestampMs);
        Violation.Unless(
            index >= 0,
            $"{what} of message {original.Id} with {message.ReconsumeTimes} attempts came at {message.StoreTimestampMs}, but expected were: "
            + string.Join("; ", expected.Where(copy => copy.Id == original.Id)));
        expected.RemoveAt(index);
        string? origin = message.Properties.GetValueOrDefault(MessageProperty.RetryTopic);
        string? originId = message.Properties.GetValueOrDefault(MessageProperty.OriginMessageId);
        Violation.Unless(
            origin == topic && originId == _originIds[original.Id],
            $"{what} of message {original.Id} tells that it came from {origin} {originId}, not {topic} {_originIds[original.Id]}");
    }

    private void Remember(ReceivedMessage message)
    {
        const int Most = 500;
        if (_recent.Count < Most)
        {
            _recent.Enqueue(message);
        }
    }
}
