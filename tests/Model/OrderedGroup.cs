using System.Buffers;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Model;

/// <summary>A group that pops a topic in order: while something of a queue is in hand nothing else of it comes, and then the rest, in order.</summary>
internal sealed class OrderedGroup(string name, string topic, int queues, string brokerName, SentMessages sent, Random random)
{
    /// <summary>The longest invisible time.</summary>
    public const int MaxInvisibleMs = 1_000;

    private const int MaxBatch = 8;

    private readonly OrderedQueue[] _queues = [.. Enumerable.Range(0, queues).Select(queueId => new OrderedQueue(queueId))];

    public long Deliveries { get; private set; }

    public int Acked => _queues.Sum(queue => queue.AckedCount);

    /// <summary>What has to be delivered and acked still.</summary>
    public int Unsettled => sent.Of(topic).Count(message => message.IsStored) - _queues.Sum(queue => queue.SettledCount);

    public Task<RemotingCommand?> CreateAsync(BrokerClient client) => client.AskAsync(
        RequestCode.UpdateAndCreateSubscriptionGroup,
        default(NoHeader),
        BodyCodec.Encode(new SubscriptionGroupConfig { GroupName = name, ConsumeMessageOrderly = true }));

    public async Task PopAsync(BrokerClient client)
    {
        int invisibleMs = random.Next(200, MaxInvisibleMs + 1);
        RemotingCommand? answer = await client.AskAsync(RequestCode.PopMessage, new PopMessageHeader
        {
            ConsumerGroup = Text.Utf8(name),
            Topic = Text.Utf8(topic),
            QueueId = random.Next(2) == 0 ? PopMessageHeader.AnyQueue : random.Next(queues),
            MaxMessages = random.Next(1, MaxBatch + 1),
            InvisibleTimeMs = invisibleMs,
            BornTimeMs = BrokerClient.NowMs,
            IsOrder = true,
        });
        if (answer is null)
        {
            Array.ForEach(_queues, queue => queue.LoseSight());
            return;
        }

        if (answer.ResponseCode is ResponseCode.PullNotFound or ResponseCode.PollingTimeout)
        {
            return;
        }

        Violation.Unless(answer.ResponseCode == ResponseCode.Success, $"pop in order: {answer.ResponseCode} {answer.Remark}");
        PopMessageResponseHeader header = PopMessageResponseHeader.Read(answer.Fields);
        foreach (IGrouping<int, ReceivedMessage> batch in MessageDecoder.DecodeAll(answer.Body.ToArray()).GroupBy(message => message.QueueId))
        {
            List<(SentMessage Message, Handle Handle)> messages =
                [.. batch.Select(message => (sent.Find(message, topic), Handle.Of(name, topic, brokerName, in header, message)))];
            _queues[batch.Key].Deliver(messages);
            Deliveries += messages.Count;
        }
    }

    public async Task AckAsync(BrokerClient client)
    {
        OrderedQueue queue = _queues[random.Next(queues)];
        if (queue.Pick(random) is not { } handle)
        {
            return;
        }

        RemotingCommand? answer = await client.AskAsync(RequestCode.AckMessage, handle.ToAck());
        switch (answer?.ResponseCode)
        {
            case null:
                queue.MayHaveAcked(handle.QueueOffset);
                break;
            case ResponseCode.Success:
                queue.Ack(handle.QueueOffset);
                break;
            case ResponseCode.NoMessage:
                queue.NotInHand(handle.QueueOffset, BrokerClient.NowMs, "the ack");
                break;
            default:
                throw new Violation($"the ack of {handle}: {answer.ResponseCode} {answer.Remark}");
        }
    }

    public async Task ChangeInvisibleAsync(BrokerClient client)
    {
        OrderedQueue queue = _queues[random.Next(queues)];
        if (queue.Pick(random) is not { } handle)
        {
            return;
        }

        int invisibleMs = random.Next(100, MaxInvisibleMs + 1);
        long before = BrokerClient.NowMs;
        RemotingCommand? answer = await client.AskAsync(RequestCode.ChangeMessageInvisibleTime, handle.ToChange(invisibleMs));
        switch (answer?.ResponseCode)
        {
            case null:
                queue.MayHaveChanged(handle.QueueOffset, before + invisibleMs);
                break;
            case ResponseCode.Success:
                queue.Change(handle.QueueOffset, ChangeInvisibleTimeResponseHeader.Read(answer.Fields));
                break;
            case ResponseCode.NoMessage:
                queue.NotInHand(handle.QueueOffset, BrokerClient.NowMs, "the change");
                break;
            default:
                throw new Violation($"the change of {handle}: {answer.ResponseCode} {answer.Remark}");
        }
    }

    public string DescribeUnsettled() => string.Join("; ", _queues.Select(queue => queue.ToString()));
}
