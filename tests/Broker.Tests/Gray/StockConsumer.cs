using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// A push consumer as RocketMQ's Java client is one, by the requests that its source makes, in their order; it knows nothing of gray. Each
/// method names the one that it comes from.
/// </summary>
internal sealed class StockConsumer : IScenarioConsumer, IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);
    private const long SuspendMs = 500;

    private readonly Peer _peer;
    private readonly string _group;
    private readonly SubscriptionData[] _subscriptions;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<(string Topic, int Queue), Process> _processes = new();
    private readonly Task _running;

    public StockConsumer(Peer peer, string group, (string Topic, string Expression)[] subscriptions)
    {
        _peer = peer;
        _group = group;
        _subscriptions =
        [
            .. subscriptions.Select((each, index) => ClientsFixture.To(each.Topic, each.Expression, version: index + 1) with
            {
                TagsSet = each.Expression == "*" ? [] : [.. each.Expression.Split("||", StringSplitOptions.TrimEntries)],
            }),
            ClientsFixture.To("%RETRY%" + group),
        ];
        _running = Task.Run(RunAsync);
    }

    public string Id => _peer.Id;

    /// <summary>What its listener was given, as <c>topic:body</c>, in order.</summary>
    public ConcurrentQueue<string> Consumed { get; } = new();

    /// <summary>Bodies that its listener fails once, which come back by CONSUMER_SEND_MSG_BACK.</summary>
    public ConcurrentDictionary<string, bool> ToFail { get; } = new();

    /// <summary>While set, its listener waits: messages stay in the process queues, and are not committed.</summary>
    public bool IsStuck { get; set; }

    /// <summary>Queues that it has allocated itself.</summary>
    public IEnumerable<(string Topic, int Queue)> Queues => _processes.Keys;

    /// <summary>The members of its group as it was told last.</summary>
    public IReadOnlyList<string> Members { get; private set; } = [];

    /// <inheritdoc/>
    public bool IsAmong(int members) => Members.Count == members;

    /// <summary>What went wrong; null as long as nothing has.</summary>
    public Exception? Failure { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _peer.DisposeAsync();
        await _running;
        await Task.WhenAll(_processes.Values.Select(process => process.Running));
        _stopping.Dispose();
        Assert.Null(Failure);
    }

    private async Task RunAsync()
    {
        try
        {
            using var timer = new PeriodicTimer(Period);
            await SendHeartbeatAsync();
            do
            {
                await RebalanceAsync();
                await PersistAllConsumerOffsetAsync();
            }
            while (await timer.WaitForNextTickAsync(_stopping.Token));
        }
        catch (Exception e)
        {
            Keep(e);
        }
    }

    // MQClientInstance.sendHeartbeatToAllBrokerWithLock
    private Task<HeartbeatResponseHeader> SendHeartbeatAsync() => _peer.HeartbeatAsync(_group, _subscriptions);

    // RebalanceImpl.rebalanceByTopic: all queues of all topics, among all members, and none given up when the list is not told.
    private async Task RebalanceAsync()
    {
        RemotingCommand list = await _peer.AskAsync(
            RequestCode.GetConsumerListByGroup, new GetConsumerListByGroupHeader { ConsumerGroup = _group });
        if (list.ResponseCode != ResponseCode.Success)
        {
            return;
        }

        List<string> members = [.. BodyCodec.Decode<GetConsumerListByGroupResponseBody>(list.Body).ConsumerIdList.Order(StringComparer.Ordinal)];
        Members = members;
        int me = members.IndexOf(Id);
        var mine = new HashSet<(string, int)>();
        foreach (SubscriptionData subscription in _subscriptions)
        {
            int queues = await QueuesOfAsync(subscription.Topic);
            for (int queue = 0; me >= 0 && queue < queues; queue++)
            {
                if (OwnerOf(queue, queues, members.Count) == me)
                {
                    mine.Add((subscription.Topic, queue));
                }
            }
        }

        await UpdateProcessQueueTableAsync(mine);
    }

    // RebalanceImpl.updateProcessQueueTableInRebalance
    private async Task UpdateProcessQueueTableAsync(HashSet<(string Topic, int Queue)> mine)
    {
        foreach (((string Topic, int Queue) key, Process process) in _processes)
        {
            if (!mine.Contains(key) && _processes.TryRemove(key, out _))
            {
                process.IsDropped = true;

                // RebalancePushImpl.removeUnnecessaryMessageQueue persists what was consumed.
                await UpdateConsumerOffsetAsync(key.Topic, key.Queue, process);
            }
        }

        foreach ((string topic, int queue) in mine)
        {
            if (!_processes.ContainsKey((topic, queue)))
            {
                long next = await ComputePullFromWhereAsync(topic, queue);
                var process = new Process { NextOffset = next, Consumed = next };
                _processes[(topic, queue)] = process;
                process.Running = Task.Run(() => PullAsync(topic, queue, process));
            }
        }
    }

    // RebalancePushImpl.computePullFromWhere, for CONSUME_FROM_FIRST_OFFSET
    private async Task<long> ComputePullFromWhereAsync(string topic, int queue)
    {
        RemotingCommand reply = await _peer.AskAsync(RequestCode.QueryConsumerOffset, new QueryConsumerOffsetHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(_group),
            Topic = Encoding.UTF8.GetBytes(topic),
            QueueId = queue,
        });
        return reply.ResponseCode == ResponseCode.Success ? OffsetResponseHeader.Read(reply.Fields).Offset : 0;
    }

    // DefaultMQPushConsumerImpl.pullMessage and its PullCallback, and ConsumeMessageConcurrentlyService behind it
    private async Task PullAsync(string topic, int queue, Process process)
    {
        try
        {
            while (!process.IsDropped && !_stopping.IsCancellationRequested)
            {
                RemotingCommand reply = await _peer.AskAsync(RequestCode.PullMessage, new PullMessageHeader
                {
                    ConsumerGroup = Encoding.UTF8.GetBytes(_group),
                    Topic = Encoding.UTF8.GetBytes(topic),
                    QueueId = queue,
                    QueueOffset = process.NextOffset,
                    MaxMessages = 32,
                    SysFlag = PullSysFlag.Suspend | (process.Consumed > 0 ? PullSysFlag.CommitOffset : PullSysFlag.None),
                    CommitOffset = process.Consumed,
                    SuspendTimeoutMs = SuspendMs,
                    SubVersion = _subscriptions.First(each => each.Topic == topic).SubVersion,
                });
                await TakeAsync(topic, process, reply);
            }
        }
        catch (Exception e)
        {
            Keep(e);
        }
    }

    private async Task TakeAsync(string topic, Process process, RemotingCommand reply)
    {
        switch (reply.ResponseCode)
        {
            case ResponseCode.Success:
                long next = PullMessageResponseHeader.Read(reply.Fields).NextBeginOffset;
                foreach (ReceivedMessage message in Pulls.Messages(reply))
                {
                    await ConsumeAsync(topic, process, message);
                }

                process.NextOffset = next;
                CorrectTagsOffset(process);
                break;
            case ResponseCode.PullNotFound or ResponseCode.PullRetryImmediately:
                process.NextOffset = PullMessageResponseHeader.Read(reply.Fields).NextBeginOffset;
                CorrectTagsOffset(process);
                break;
            case ResponseCode.PullOffsetMoved:
                process.NextOffset = process.Consumed = PullMessageResponseHeader.Read(reply.Fields).NextBeginOffset;
                break;
            default:
                // Subscriptions that are not known yet: tried again a little later.
                await Task.WhenAny(Task.Delay(Period), _running);
                break;
        }
    }

    private async Task ConsumeAsync(string topic, Process process, ReceivedMessage message)
    {
        while (IsStuck && !_stopping.IsCancellationRequested && !process.IsDropped)
        {
            await Task.WhenAny(Task.Delay(Period), _running);
        }

        if (_stopping.IsCancellationRequested || process.IsDropped)
        {
            return;
        }

        // PullAPIWrapper.processPullResult filters by tag once more.
        SubscriptionData subscription = _subscriptions.First(each => each.Topic == topic);
        if (subscription.TagsSet.Count == 0 || subscription.TagsSet.Contains(message.Properties.GetValueOrDefault("TAGS") ?? ""))
        {
            string body = Encoding.UTF8.GetString(message.Body.Span);
            if (ToFail.TryRemove(body, out _))
            {
                await SendMessageBackAsync(message);
            }
            else
            {
                Consumed.Enqueue($"{message.Properties.GetValueOrDefault("RETRY_TOPIC") ?? topic}:{body}");
            }
        }

        process.Consumed = Math.Max(process.Consumed, message.QueueOffset + 1);
    }

    // DefaultMQPushConsumerImpl.correctTagsOffset
    private static void CorrectTagsOffset(Process process) => process.Consumed = Math.Max(process.Consumed, process.NextOffset);

    // MQClientInstance.persistAllConsumerOffset: of all queues that it has, also those it has not consumed from
    private async Task PersistAllConsumerOffsetAsync()
    {
        foreach (((string topic, int queue), Process process) in _processes)
        {
            await UpdateConsumerOffsetAsync(topic, queue, process);
        }
    }

    // RemoteBrokerOffsetStore.updateConsumeOffsetToBroker
    private Task UpdateConsumerOffsetAsync(string topic, int queue, Process process) => _peer.TellAsync(
        RequestCode.UpdateConsumerOffset,
        new UpdateConsumerOffsetHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(_group),
            Topic = Encoding.UTF8.GetBytes(topic),
            QueueId = queue,
            CommitOffset = process.Consumed,
        });

    // MQClientAPIImpl.consumerSendMessageBack, by ConsumeMessageConcurrentlyService.sendMessageBack
    private async Task SendMessageBackAsync(ReceivedMessage message)
    {
        RemotingCommand reply = await _peer.AskAsync(RequestCode.ConsumerSendMessageBack, new ConsumerSendMessageBackHeader
        {
            Group = _group,
            PhysicalOffset = message.PhysicalOffset,
            DelayLevel = 1,
            OriginTopic = message.Topic,
            MaxReconsumeTimes = 16,
        });
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
    }

    private async Task<int> QueuesOfAsync(string topic)
    {
        RemotingCommand reply = await _peer.AskAsync(RequestCode.GetTopicConfig, new TopicHeader(topic));
        return reply.ResponseCode == ResponseCode.Success ? BodyCodec.Decode<TopicConfig>(reply.Body).ReadQueueNums : 0;
    }

    // AllocateMessageQueueAveragely
    private static int OwnerOf(int queue, int queues, int members)
    {
        int least = queues / members;
        int more = queues % members;
        int big = more * (least + 1);
        return queue < big ? queue / (least + 1) : more + ((queue - big) / Math.Max(1, least));
    }

    // What happens to a client that is ended is no fault of the broker's.
    private void Keep(Exception e)
    {
        if (!_stopping.IsCancellationRequested)
        {
            Failure = e;
        }
    }

    private sealed class Process
    {
        public long NextOffset { get; set; }

        public long Consumed { get; set; }

        public volatile bool IsDropped;

        public Task Running { get; set; } = Task.CompletedTask;
    }
}
